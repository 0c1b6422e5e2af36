// MathV360K's in-distribution test split, by source.
import { all, type Benchmark, bySource } from './benchmark.js';

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'mathv360k-id',
    description: 'held-out problems of MathV360K, by source',
    taskFormat: 'mathv360k',
    keeps: all,
    tables: [bySource, { title: 'question type', of: ({ questionType }) => questionType }],
  },
];
