// A run on benchmarks: its base model, its warm-up and its last checkpoint on each of several, greedily, and one table of all.
import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { BenchmarkSettings } from '../config/sample.js';
import { UserError } from '../core/errors.js';
import { findBenchmark } from '../evaluate/benchmarks/registry.js';
import { iterationName, titleOf } from '../evolve/phases.js';
import { atCommit } from '../hub/names.js';
import { type Commits, findPlace } from '../hub/places.js';
import { realPlace } from '../run/output.js';
import {
  type BenchmarkCell,
  type BenchmarkTable,
  tabulateBenchmarks,
  writeBenchmarks,
} from '../views/evaluation/benchmarks.js';
import { type RunData, readRun } from '../views/run/read.js';
import { evaluate } from './jobs.js';
import type { JobOptions } from './options.js';

/** Which benchmarks a run is measured on. */
export interface RunBenchmarks {
  /** Folder of a run of the recipe. */
  readonly run: string;
  /** Holds an evaluation for each benchmark and checkpoint, `BENCHMARK/CHECKPOINT`, and the table. */
  readonly out: string;
  readonly benchmarks: readonly {
    readonly name: string;
    readonly data: string;
    /** Folder of its pictures; that of the data when left out. */
    readonly imageRoot?: string | undefined;
  }[];
  /** Problems to take from the start of each; 0 or left out: all. */
  readonly limit?: number | undefined;
}

/** What stands in the table of a run: its base model, its warm-up, its last checkpoint. */
const CHECKPOINTS = ['base', 'warmup', 'last'] as const;
type Checkpoint = (typeof CHECKPOINTS)[number];

/**
 * Evaluates with the model settings and the prompt of the run, or goes on with it; writes benchmarks.json, .md and .html.
 * @throws UserError where the folder holds no run with a checkpoint, or a benchmark or its data cannot be used
 */
export async function evaluateRun(settings: RunBenchmarks, options: JobOptions = {}): Promise<BenchmarkTable> {
  const { name } = await readRun(settings.run);
  await refuseInside(settings);
  const table = tabulateBenchmarks(name, await evaluateCheckpoints(settings, options));
  await writeBenchmarks(settings.out, table);
  return table;
}

/** Throws UserError where the results would lie in the folder of the run, which holds what the run wrote and nothing else. */
async function refuseInside({ run, out }: RunBenchmarks): Promise<void> {
  const [folder = '', place = ''] = await Promise.all([run, out].map(realPlace));
  if (place === folder || place.startsWith(folder + sep))
    throw new UserError(`--out: ${out}: in the folder of the run, wanted another place`, 'ERR_SETTING');
}

/** As `evaluateRun` without its table, of all or some of the checkpoints. */
export async function evaluateCheckpoints(
  { run: dir, out, benchmarks, limit }: RunBenchmarks,
  options: JobOptions = {},
  wanted: readonly Checkpoint[] = CHECKPOINTS,
): Promise<BenchmarkCell[]> {
  const run = await readRun(dir);
  refuseTwice(benchmarks);
  if (benchmarks.length === 0) throw new UserError('--benchmarks: none, wanted at least one', 'ERR_SETTING');
  for (const { name, data } of benchmarks) {
    await findBenchmark(name);
    // What is missing is said before hours of the others.
    const file = await findPlace(data, options);
    if (!existsSync(file)) throw new UserError(`${file}: data of ${name}: no such file, wanted a data set`, 'ERR_FILE');
  }
  const shared = settingsOf(run);
  const cells: BenchmarkCell[] = [];
  for (const [at, model] of checkpointsOf(run, wanted)) {
    for (const { name, data, imageRoot } of benchmarks) {
      options.display?.say(`${name}: ${titleOf(at)}`);
      const settings = { ...shared, model, data, imageRoot, benchmark: name, limit, n: 0, out: join(out, name, at) };
      cells.push({ at, row: titleOf(at), evaluation: await evaluate(settings, options) });
    }
  }
  return cells;
}

/** Throws UserError where two data sets are given for one benchmark. */
export function refuseTwice(benchmarks: RunBenchmarks['benchmarks']): void {
  const twice = benchmarks.find(({ name }, i) => benchmarks.findIndex((one) => one.name === name) < i);
  if (twice) throw new UserError(`--benchmarks: ${twice.name} twice, wanted each once`, 'ERR_SETTING');
}

/** Those of the wanted checkpoints that the run has, by name. */
function checkpointsOf({ dir, setting, iterations }: RunData, wanted: readonly Checkpoint[]): Map<string, string> {
  const model = String(setting('model.path'));
  const { [model]: commit } = (setting('hub') ?? {}) as Commits;
  const folder = (at: string): string => join(dir, 'checkpoints', at);
  const last = iterations.at(-1);
  const own = [
    ...(wanted.includes('warmup') ? ['warmup'] : []),
    ...(wanted.includes('last') && last ? [iterationName(last.iteration)] : []),
  ].filter((at) => existsSync(folder(at)));
  if (own.length === 0) throw new UserError(`${dir}: checkpoints: none, wanted a run that made at least its warm-up`);
  const base = commit === undefined ? model : atCommit(model, commit);
  return new Map([
    ...(wanted.includes('base') ? [['base', base] as const] : []),
    ...own.map((at) => [at, folder(at)] as const),
  ]);
}

const COMPUTING = 'device dtype threads deterministic kvGib maxImagePixels minPixels maxPixels'.split(' ');

/** How the run sampled and computed, as settings of an evaluation. */
function settingsOf({ setting }: RunData): Omit<BenchmarkSettings, 'model' | 'data' | 'out' | 'benchmark'> {
  const names = {
    seed: 'seed',
    chunk: 'run.chunk',
    delimiter: 'steps.delimiter',
    maxTokens: 'sampling.maxTokens',
    prompt: 'prompt.solve',
    system: 'prompt.system',
    ...Object.fromEntries(COMPUTING.map((name) => [name, `model.${name}`])),
  };
  return Object.fromEntries(Object.entries(names).map(([name, path]) => [name, setting(path)]));
}
