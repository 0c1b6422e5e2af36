// Finds the benchmarks among the files of this folder; no list is edited.
import { UserError } from '../../core/errors.js';
import { exportsBeside } from '../../core/registry.js';
import type { Benchmark } from './benchmark.js';

let known: Promise<readonly Benchmark[]> | undefined;

/** Every benchmark of this build, by name. */
export function benchmarks(): Promise<readonly Benchmark[]> {
  known ??= exportsBeside<Benchmark>(import.meta.url, 'benchmark').then((all) => [...all.values()]);
  return known;
}

/** The benchmark of this name. Throws UserError naming those that there are. */
export async function findBenchmark(name: string): Promise<Benchmark> {
  const all = await benchmarks();
  const found = all.find((benchmark) => benchmark.name === name);
  if (found) return found;
  throw new UserError(`--benchmark: ${name}, wanted one of ${all.map((benchmark) => benchmark.name).join(', ')}`);
}
