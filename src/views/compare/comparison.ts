// Runs side by side, finished or not: the settings in which they differ and their test accuracies by checkpoint.
import { basename, resolve } from 'node:path';
import { parse } from 'yaml';
import { UserError } from '../../core/errors.js';
import { type RunData, readRun } from '../run/read.js';

/** As many as have a colour and a letter of their own. */
const MOST_RUNS = 8;

/** What is said of each run, in their order. */
type EachRun<T> = readonly T[];

export interface Comparison {
  /** The last part of each folder, or the whole of it where that is not enough to tell them apart. */
  readonly runs: EachRun<string>;
  /** Settings in which not all agree: name, then the value of each as JSON. */
  readonly settings: readonly (readonly [string, ...EachRun<string>])[];
  /** Greedy accuracy on the test problems by checkpoint, 0..1; null where a run has not measured it. */
  readonly test: readonly (readonly [string, ...EachRun<number | null>])[];
}

/** Reads 2 to 8 runs. Throws UserError as `readRun` does, or on another number of them. */
export async function readRuns(folders: readonly string[]): Promise<RunData[]> {
  if (folders.length < 2 || folders.length > MOST_RUNS)
    throw new UserError(`--compare: ${folders.length} folders, wanted 2 to ${MOST_RUNS}`);
  const runs: RunData[] = [];
  for (const folder of folders) runs.push(await readRun(folder));
  return runs;
}

export function compareRuns(runs: readonly RunData[]): Comparison {
  const settings = runs.map(({ configText }) => flat(parse(configText)));
  const names = [...new Set(settings.flatMap((values) => [...values.keys()]))].sort();
  const tests = runs.map((run) => new Map(run.tests.map(({ at, greedy }) => [at, greedy.accuracy])));
  return {
    runs: namesOf(runs),
    settings: names
      .map((name): [string, ...string[]] => [name, ...settings.map((values) => values.get(name) ?? '(not set)')])
      .filter(([, first, ...others]) => others.some((value) => value !== first)),
    test: checkpointsOf(runs).map((at) => [at, ...tests.map((accuracies) => accuracies.get(at) ?? null)]),
  };
}

/** Every checkpoint that any of the runs has tested, from the base model on. */
export function checkpointsOf(runs: readonly RunData[]): string[] {
  const all = new Set(runs.flatMap(({ tests }) => tests.map(({ at }) => at)));
  const place = (at: string): string => (at === 'base' ? '0' : at === 'warmup' ? '1' : `2${at}`);
  return [...all].sort((a, b) => (place(a) < place(b) ? -1 : 1));
}

function namesOf(runs: readonly RunData[]): string[] {
  const short = runs.map(({ dir }) => basename(resolve(dir)));
  return new Set(short).size === runs.length ? short : runs.map(({ dir }) => dir);
}

/** Dotted names of settings and their values as JSON. */
function flat(value: unknown, prefix = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return new Map([[prefix, JSON.stringify(value)]]);
  return new Map(
    Object.entries(value).flatMap(([key, child]) => [...flat(child, prefix === '' ? key : `${prefix}.${key}`)]),
  );
}
