// Runs side by side: one line for each run of a folder, and two runs with the settings in which they differ and their curves.
// Leaves reading a run to read.ts and printing to the command.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { UserError } from '../core/errors.js';
import { type RunData, readRun } from './read.js';

export interface RunLine {
  readonly name: string;
  readonly method: string;
  readonly iterations: string;
  /** Greedy accuracy on the test problems, 0..1; null where it was not measured yet. */
  readonly first: number | null;
  readonly last: number | null;
  readonly seconds: number;
  /** Finished, or the phase that it is at. */
  readonly state: string;
}

/** The runs of a folder, by name; folders that hold none are passed over. Throws UserError where the folder cannot be read. */
export async function listRuns(folder: string): Promise<RunLine[]> {
  let names: string[];
  try {
    names = (await readdir(folder)).sort();
  } catch (error) {
    throw new UserError(`${folder}: folder: ${(error as NodeJS.ErrnoException).code}, wanted a folder of runs`);
  }
  const lines: RunLine[] = [];
  for (const name of names) {
    try {
      lines.push(lineOf(await readRun(join(folder, name))));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }
  return lines;
}

function lineOf(run: RunData): RunLine {
  const { tests, seconds, iterations, open, phases, final } = run;
  const at = open[0] ?? phases.at(-1)?.phase ?? 'not begun';
  return {
    name: run.name,
    method: String(run.setting('evolve.method') ?? 'continuous'),
    iterations: `${iterations.length}/${run.setting('evolve.iterations')}`,
    first: tests[0]?.greedy.accuracy ?? null,
    last: tests.at(-1)?.greedy.accuracy ?? null,
    seconds: Object.values(seconds).reduce((sum, value) => sum + value, 0),
    state: final ? 'finished' : `at ${at}`,
  };
}

export interface Comparison {
  /** Settings in which the two differ: name, value of the first, value of the second. */
  readonly settings: readonly (readonly [string, string, string])[];
  /** Greedy accuracy on the test problems by checkpoint, 0..1; null where a run has not measured it. */
  readonly test: readonly (readonly [string, number | null, number | null])[];
}

/** Throws UserError as `readRun` does. */
export async function compareRuns(first: string, second: string): Promise<Comparison> {
  const [a, b] = [await readRun(first), await readRun(second)];
  const [left, right] = [flat(parse(a.configText)), flat(parse(b.configText))];
  const names = [...new Set([...left.keys(), ...right.keys()])].sort();
  const shown = (values: ReadonlyMap<string, string>, name: string): string => values.get(name) ?? '(not set)';
  const accuracies = (run: RunData) => new Map(run.tests.map(({ at, greedy }) => [at, greedy.accuracy]));
  const [tested, others] = [accuracies(a), accuracies(b)];
  return {
    settings: names
      .filter((name) => left.get(name) !== right.get(name))
      .map((name) => [name, shown(left, name), shown(right, name)]),
    test: [...new Set([...tested.keys(), ...others.keys()])].map((at) => [
      at,
      tested.get(at) ?? null,
      others.get(at) ?? null,
    ]),
  };
}

/** Dotted names of settings and their values as JSON. */
function flat(value: unknown, prefix = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return new Map([[prefix, JSON.stringify(value)]]);
  return new Map(
    Object.entries(value).flatMap(([key, child]) => [...flat(child, prefix === '' ? key : `${prefix}.${key}`)]),
  );
}
