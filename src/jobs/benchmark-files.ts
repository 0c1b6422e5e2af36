// The data of the benchmarks of an experiment: the files that were given, or stand-ins where the recipe makes its own problems.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isOnHub, resolvePath } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { UserError } from '../core/errors.js';
import { findBenchmark } from '../evaluate/benchmarks/registry.js';
import { standInAt, writeStandIn } from '../problems/stand-ins.js';
import { putDurable } from '../run/durable.js';
import { type RunBenchmarks, refuseTwice } from './benchmarks.js';

/** Seeds the problems of stand-ins: the same ones for runs of all seeds. */
const SEED = 4_000_000_000;

type Files = RunBenchmarks['benchmarks'];

export interface BenchmarkFiles {
  readonly files: Files;
  /** Names of those that are stand-ins. */
  readonly standIns: readonly string[];
}

/**
 * Finds the data of some benchmarks; stand-ins of as many questions as Pass@K is measured on are made once, in `folder/NAME`.
 * @throws UserError on a file that is not there, one for another benchmark, and where none is given beside data of one's own
 */
export async function benchmarkFiles(
  names: readonly string[],
  given: Files,
  folder: string,
  { data: { generate }, test, splits }: Config,
): Promise<BenchmarkFiles> {
  const other = given.find(({ name }) => !names.includes(name));
  const wanted =
    names.length > 0 ? `wanted one of ${names.join(', ')}` : 'wanted none for experiments without benchmarks';
  if (other) throw new UserError(`--benchmark-data: ${other.name}, ${wanted}`, 'ERR_SETTING');
  refuseTwice(given);
  const lost = given.find(({ data }) => !isOnHub(data) && !existsSync(resolvePath(data)));
  if (lost) throw new UserError(`${lost.data}: ${lost.name}: no such file, wanted the data of the benchmark`);
  for (const name of names) await findBenchmark(name);
  const standIns = names.filter((name) => !given.some((one) => one.name === name));
  const [first] = standIns;
  if (first !== undefined && !generate)
    throw new UserError(`--benchmark-data: none for ${first}, wanted ${first}=FILE`, 'ERR_SETTING');
  const files: Files[number][] = [];
  for (const name of names) {
    const dir = join(folder, name);
    const isMade = standIns.includes(name);
    const options = { ...generate, count: test.problems || splits.test, seed: SEED };
    if (isMade && !existsSync(dir)) await putDurable(dir, (aside) => writeStandIn(aside, name, options));
    const file = isMade ? standInAt(dir, name) : given.find((one) => one.name === name);
    if (file) files.push(file);
  }
  return { files, standIns };
}
