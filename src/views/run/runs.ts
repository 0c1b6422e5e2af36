// The runs of a folder, one line each.
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { systemFault, UserError } from '../../core/errors.js';
import { sum } from '../../core/lists.js';
import { count } from '../../page/format.js';
import { NotARun, type RunData, readRun } from './read.js';

/** A run in a list of runs. */
export interface RunLine {
  readonly name: string;
  readonly method: string;
  readonly iterations: string;
  /** Greedy accuracy on the test problems, 0..1; null where it was not measured yet. */
  readonly first: number | null;
  readonly last: number | null;
  readonly seconds: number;
  readonly state: string;
}

/** The runs of a folder, by name, or the run that it is itself; other folders are passed over, a run that cannot be read says why. Throws UserError where the folder cannot be read. */
export async function listRuns(folder: string): Promise<RunLine[]> {
  let names: string[];
  try {
    names = (await readdir(folder)).sort();
  } catch (error) {
    throw new UserError(
      `${folder}: folder: ${systemFault(error) ?? 'unreadable'}, wanted a folder of runs`,
      'ERR_FILE',
    );
  }
  const lines: RunLine[] = [];
  const isRun = names.includes('config.yaml') && names.includes('journal.jsonl');
  for (const name of isRun ? [''] : names) {
    try {
      lines.push(lineOf(await readRun(join(folder, name))));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (error instanceof NotARun) continue;
      const none = { method: '', iterations: '', first: null, last: null, seconds: 0 };
      lines.push({ name: name || basename(resolve(folder)), ...none, state: `cannot be read: ${error.message}` });
    }
  }
  return lines;
}

/** Where runs lie unless their settings say otherwise. */
export const RUNS = 'runs';

/**
 * The run in `runs/` that was worked on last.
 * @param verb what is asked of it
 * @throws UserError where there is none
 */
export async function newestRun(verb: string): Promise<string> {
  const names = await readdir(RUNS).catch(() => []);
  const found: { dir: string; changed: number }[] = [];
  for (const name of names) {
    const dir = join(RUNS, name);
    const info = await stat(join(dir, 'journal.jsonl')).catch(() => undefined);
    if (info) found.push({ dir, changed: info.mtimeMs });
  }
  const newest = found.sort((a, b) => b.changed - a.changed)[0];
  if (!newest) throw new UserError(`${RUNS}: run: none found, wanted one (or name its folder: mstar ${verb} <run>)`);
  return newest.dir;
}

/** Finished, the phase that it is at, or not begun. A run of which the summary was kept alone is finished. */
export function stateOf({ dir, open, commits, final }: RunData): string {
  const phase = open[0] ?? commits.at(-1)?.phase;
  if (final || (phase === undefined && existsSync(join(dir, 'summary.json')))) return 'finished';
  return phase === undefined ? 'not begun' : `at ${phase}`;
}

/** Iterations done, and of how many where they are limited. */
export function iterationsOf(run: RunData, of = ' of '): string {
  const most = Number(run.setting('evolve.iterations') ?? 0);
  return most > 0 ? `${count(run.iterations.length)}${of}${count(most)}` : count(run.iterations.length);
}

function lineOf(run: RunData): RunLine {
  const { tests, seconds } = run;
  return {
    name: run.name,
    method: String(run.setting('evolve.method') ?? 'continuous'),
    iterations: iterationsOf(run, '/'),
    first: tests[0]?.greedy.accuracy ?? null,
    last: tests.at(-1)?.greedy.accuracy ?? null,
    seconds: sum(Object.values(seconds)),
    state: stateOf(run),
  };
}
