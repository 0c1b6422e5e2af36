// Flags that name the data of several benchmarks.
import type { Argv } from 'yargs';
import { flagOf } from '../config/sample.js';
import { UserError } from '../core/errors.js';
import type { RunBenchmarks } from '../jobs/benchmarks.js';

export interface BenchmarkFlags {
  readonly benchmarkData: string[];
  readonly benchmarkImages: string[];
}

/** @param when says what they go with */
export function benchmarkFlags<T>(yargs: Argv<T>, when: string): Argv<T & BenchmarkFlags> {
  return yargs
    .option('benchmark-data', {
      type: 'string',
      array: true,
      nargs: 1,
      default: [],
      describe: `${when}: NAME=FILE, the data set of a benchmark; one for each`,
    })
    .option('benchmark-images', {
      type: 'string',
      array: true,
      nargs: 1,
      default: [],
      describe: `${when}: NAME=DIR, where its pictures do not lie beside the data`,
    }) as never;
}

/** The benchmarks that have data. Throws UserError on values of another form, and on pictures without data. */
export function benchmarksOf({ benchmarkData, benchmarkImages }: BenchmarkFlags): RunBenchmarks['benchmarks'] {
  const [data, images] = [pairsOf('benchmarkData', benchmarkData), pairsOf('benchmarkImages', benchmarkImages)];
  const lost = [...images.keys()].find((name) => !data.has(name));
  if (lost !== undefined)
    throw new UserError(`--benchmark-images: ${lost} without --benchmark-data, wanted both`, 'ERR_SETTING');
  return [...data].map(([name, file]) => ({ name, data: file, imageRoot: images.get(name) }));
}

/** The values of a flag NAME=VALUE by name. Throws UserError on one of another form, and on a name that is there twice. */
export function pairsOf(flag: string, values: readonly string[]): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const text of values) {
    const [name = '', ...value] = text.split('=');
    if (name === '' || value.join('=') === '')
      throw new UserError(`${flagOf(flag)}: ${text}, wanted NAME=PATH`, 'ERR_SETTING');
    if (pairs.has(name)) throw new UserError(`${flagOf(flag)}: ${name} twice, wanted each once`, 'ERR_SETTING');
    pairs.set(name, value.join('='));
  }
  return pairs;
}
