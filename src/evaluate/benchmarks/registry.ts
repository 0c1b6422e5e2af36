// Finds the benchmarks among the files of this folder; no list is edited.
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../core/errors.js';
import type { Benchmark } from './benchmark.js';

let known: Promise<readonly Benchmark[]> | undefined;

/** Every benchmark of this build, by name. */
export function benchmarks(): Promise<readonly Benchmark[]> {
  known ??= loadAll();
  return known;
}

/** The benchmark of this name. Throws UserError naming those that there are. */
export async function findBenchmark(name: string): Promise<Benchmark> {
  const all = await benchmarks();
  const found = all.find((benchmark) => benchmark.name === name);
  if (found) return found;
  throw new UserError(`--benchmark: ${name}, wanted one of ${all.map((benchmark) => benchmark.name).join(', ')}`);
}

async function loadAll(): Promise<Benchmark[]> {
  const folder = new URL('.', import.meta.url);
  // .js after the build, .ts where the sources run as they are.
  const entries = await readdir(fileURLToPath(folder));
  const files = entries.filter((file) => /^(?!registry\.|benchmark\.)[\w-]+\.(js|ts)$/.test(file));
  const modules = await Promise.all(
    files.sort().map((file) => import(new URL(file, folder).href) as Promise<{ benchmark: Benchmark }>),
  );
  return modules.map(({ benchmark }) => benchmark);
}
