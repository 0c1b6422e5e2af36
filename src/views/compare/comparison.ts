// Runs side by side, finished or not: the settings in which they differ, their test accuracies by checkpoint, and their
// curves over the axes that they share.
import { basename, resolve } from 'node:path';
import { parse } from 'yaml';
import { UserError } from '../../core/errors.js';
import { letterAt } from '../../core/letters.js';
import { isIteration } from '../../evolve/phases.js';
import { followedTemperatures } from '../../measure/rollouts.js';
import type { Colour } from '../../page/charts/axes.js';
import type { StepEvent } from '../../record/results.js';
import { flatten } from '../../run/settings.js';
import { type RunData, readRun } from '../run/read.js';

/** One for each run. In order of use: the first ones are easiest to tell apart, in light and dark and for colour-blind readers. */
const COLOURS = ['s1', 's2', 's3', 't4', 't1', 'ink', 't7', 'bad'] as const;

/** What is said of each run, in their order. */
type EachRun<T> = readonly T[];

/** Runs side by side: settings that differ and measures of each. */
export interface Comparison {
  /** As `namesApart` names them. */
  readonly runs: EachRun<string>;
  /** Settings in which not all agree: name, then the value of each as JSON. */
  readonly settings: readonly (readonly [string, ...EachRun<string>])[];
  /** Greedy accuracy on the test problems by checkpoint, 0..1; null where a run has not measured it. */
  readonly test: readonly (readonly [string, ...EachRun<number | null>])[];
}

/** Reads 2 to 8 runs. Throws UserError as `readRun` does, or on another number of them. */
export async function readRuns(folders: readonly string[]): Promise<RunData[]> {
  if (folders.length < 2 || folders.length > COLOURS.length)
    throw new UserError(`--compare: ${folders.length} folders, wanted 2 to ${COLOURS.length}`);
  const runs: RunData[] = [];
  for (const folder of folders) runs.push(await readRun(folder));
  return runs;
}

export function compareRuns(runs: readonly RunData[]): Comparison {
  const settings = runs.map(({ configText }) => flatten(parse(configText)));
  const names = [...new Set(settings.flatMap((values) => [...values.keys()]))].sort();
  const tests = runs.map((run) => new Map(run.tests.map(({ at, greedy }) => [at, greedy.accuracy])));
  return {
    runs: namesApart(runs.map(({ dir }) => dir)),
    settings: names
      .map((name): [string, ...string[]] => [name, ...settings.map((values) => values.get(name) ?? '(not set)')])
      .filter(([, first, ...others]) => others.some((value) => value !== first)),
    test: checkpointsOf(runs).map((at) => [at, ...tests.map((accuracies) => accuracies.get(at) ?? null)]),
  };
}

/** The last part of each folder, or the whole of it where that is not enough to tell them apart. */
export function namesApart(dirs: readonly string[]): readonly string[] {
  const short = dirs.map((dir) => basename(resolve(dir)));
  return new Set(short).size === dirs.length ? short : dirs;
}

/** Every checkpoint that any of the runs has tested, from the base model on. */
export function checkpointsOf(runs: readonly RunData[]): string[] {
  const all = new Set(runs.flatMap(({ tests }) => tests.map(({ at }) => at)));
  const place = (at: string): string => (at === 'base' ? '0' : at === 'warmup' ? '1' : `2${at}`);
  return [...all].sort((a, b) => (place(a) < place(b) ? -1 : 1));
}

/** A run as one of several. */
export interface Side {
  /** A, B, C... */
  readonly letter: string;
  readonly name: string;
  readonly colour: Colour;
  readonly run: RunData;
  /** Optimizer steps of the policy over all iterations. */
  readonly steps: readonly StepEvent[];
}

export function sidesOf(runs: readonly RunData[], names: readonly string[]): Side[] {
  return runs.map((run, i) => ({
    letter: letterAt(i),
    name: names[i] as string,
    colour: `var(--${COLOURS[i % COLOURS.length]})`,
    run,
    steps: [...run.steps].flatMap(([phase, some]) => (isIteration(phase) ? some : [])),
  }));
}

/** Test accuracies over the policy's optimizer steps that were taken before; the base model is on this axis only without warm-up. */
export function testsByStep({ tests, steps, setting }: RunData): [number, number][] {
  let taken = 0;
  return tests.flatMap(({ at, greedy }): [number, number][] => {
    if (at === 'base' && setting('warmup.enabled') !== false) return [];
    if (isIteration(at)) taken += steps.get(at)?.length ?? 0;
    return [[taken, greedy.accuracy]];
  });
}

/**
 * The temperature to compare the dynamics at: measured after every iteration of every run, and of those the one nearest to
 * what the first run began with. Null where there is none.
 */
export function sharedTemperature(sides: readonly Side[]): number | null {
  const measured = sides.map(({ run }) => run.dynamics).filter((measurements) => measurements.length > 0);
  const [first = [], ...others] = measured.map(followedTemperatures);
  const shared = first.filter((t) => others.every((some) => some.includes(t)));
  const wanted = Number(sides[0]?.run.setting('evolve.temperature') ?? 1);
  return shared.sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted) || a - b)[0] ?? null;
}
