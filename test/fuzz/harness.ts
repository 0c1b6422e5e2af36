// Draws cases by seed, runs them in a thread that can be stopped, and makes the input of a fault small.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import type { Target } from './target.js';
import type { Case } from './worker.js';

export interface Fault {
  /** Everything that a reader needs, in a few lines. */
  readonly report: string;
  readonly file: string;
}

export interface Limits {
  /** Compiled worker.js. */
  readonly worker: URL;
  /** A case that takes longer is stopped and counts as a fault. */
  readonly stopMs: number;
  /** Whether a case that ends, but takes more processor time than its size explains, is a fault. */
  readonly timed?: boolean;
}

/** Time for making an input small, after which the smallest so far is shown. */
const SHRINK_MS = 20_000;
/** Memory of a case, and the stack that Node.js gives its main thread; a thread's own default is four times that. */
const resourceLimits = { maxOldGenerationSizeMb: 512, stackSizeMb: 1 };
/** For a case that is timed. */
const CONSTANT_MS = 1000;
const MS_PER_BYTE = 0.01;

export class Harness {
  readonly #limits: Limits;
  /** For the files of cases. */
  readonly #folder = mkdtempSync(join(tmpdir(), 'mstar-fuzz-'));
  #worker: Worker | undefined;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Runs `cases` cases of a target, drawn by `seed`; undefined where all of them hold. */
  async fuzz(target: Target, seed: number, cases: number): Promise<Fault | undefined> {
    let shrinkUntil = Number.POSITIVE_INFINITY;
    const property = fc.asyncProperty(target.input, async (input) => {
      if (performance.now() > shrinkUntil) return;
      const fault = await this.run(target.name, input);
      if (fault === undefined) return;
      shrinkUntil = Math.min(shrinkUntil, performance.now() + SHRINK_MS);
      throw new Error(fault);
    });
    const details = await fc.check(property, { seed, numRuns: cases });
    if (!details.failed) return undefined;
    const [input] = details.counterexample as [unknown];
    const message = (details.errorInstance as Error | null)?.message ?? 'no input could be drawn';
    const number = Number(details.counterexamplePath?.split(':')[0] ?? 0);
    const file = save(`${target.name}-${seed}-${number}`, input);
    const lines = [
      `${target.name}: seed ${seed}, case ${number}: ${message}`,
      `input after ${details.numShrinks} steps of shrinking, in ${file}:`,
      printable(input).slice(0, 2000),
      `again: npm run fuzz -- ${target.name} --replay ${file}`,
    ];
    return { report: lines.join('\n'), file };
  }

  /** Runs one case. What does not hold, or undefined. */
  async run(name: string, input: unknown): Promise<string | undefined> {
    this.#worker ??= await started(this.#limits.worker, this.#folder);
    const worker = this.#worker;
    const { timed, stopMs } = this.#limits;
    const limitMs = timed ? CONSTANT_MS + MS_PER_BYTE * serialize(input).length : undefined;
    let ended = (_fault: string | undefined): void => {};
    const result = new Promise<string | undefined>((resolve) => {
      ended = resolve;
    });
    const failed = (fault: string) => async (): Promise<void> => {
      this.#worker = undefined;
      await worker.terminate();
      ended(fault);
    };
    const timer = setTimeout(failed(`did not end within ${stopMs / 1000} s`), stopMs);
    const broke = (error: Error): void => void failed(`ended its thread: ${error.message}`)();
    worker.once('message', ended);
    worker.once('error', broke);
    worker.postMessage({ name, input, ...(limitMs !== undefined && { limitMs }) } satisfies Case);
    try {
      return await result;
    } finally {
      clearTimeout(timer);
      worker.off('message', ended).off('error', broke);
    }
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = undefined;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function started(url: URL, workerData: string): Promise<Worker> {
  const worker = new Worker(url, { resourceLimits, workerData });
  return new Promise((resolve, reject) => {
    worker.once('error', reject).once('online', () => {
      worker.off('error', reject);
      resolve(worker);
    });
  });
}

/** One line in which bytes are shown as the text that they mostly are. */
function printable(input: unknown): string {
  return JSON.stringify(structuredClone(input), (_, part) =>
    part instanceof Uint8Array ? Buffer.from(part).toString('latin1') : part,
  );
}

/** Writes an input where `--replay` finds it. */
function save(name: string, input: unknown): string {
  const folder = join(tmpdir(), 'mstar-fuzz-faults');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  writeFileSync(file, serialize(input));
  return file;
}
