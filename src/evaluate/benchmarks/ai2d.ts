// AI2D. Files with and without masked labels give different numbers: the report names the file.
import { all, type Benchmark } from './benchmark.js';

export const benchmarks: readonly Benchmark[] = [
  { name: 'ai2d', description: 'AI2D test', taskFormat: 'ai2d', keeps: all, tables: [] },
];
