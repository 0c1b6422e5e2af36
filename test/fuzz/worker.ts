// The thread in which cases run, so that one that does not end, or that takes all memory, can be stopped from outside.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { targets } from './targets.js';

/** A case, and how long it may take: a constant and a share of its size. */
export interface Case {
  readonly name: string;
  readonly input: unknown;
  /** Milliseconds of processor time; without it nothing is timed. */
  readonly limitMs?: number;
}

parentPort?.on('message', async ({ name, input, limitMs }: Case) => {
  const folder = join(workerData as string, 'case');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  // Of the whole process, whose other thread waits: time on the clock says more of how busy the machine is.
  const began = process.cpuUsage();
  let fault: string | undefined;
  try {
    await targets.find((target) => target.name === name)?.check(input, folder);
  } catch (error) {
    fault = error instanceof Error ? `${error.message}${causeOf(error)}` : String(error);
  }
  const { user, system } = process.cpuUsage(began);
  const took = (user + system) / 1000;
  if (fault === undefined && limitMs !== undefined && took > limitMs)
    fault = `took ${Math.round(took)} ms of processor time, wanted at most ${Math.round(limitMs)}`;
  parentPort?.postMessage(fault);
});

/** Where an exception that is no UserError came from. */
function causeOf({ cause, stack }: Error): string {
  const trace = (cause instanceof Error ? cause.stack : stack) ?? '';
  return trace
    .replace(/^(?:(?! {4}at ).*\n)*/, '\n')
    .split('\n', 6)
    .join('\n');
}
