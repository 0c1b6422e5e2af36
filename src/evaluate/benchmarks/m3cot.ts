// M3CoT: by domain and topic.
import { all, type Benchmark, byTag } from './benchmark.js';

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'm3cot',
    description: 'M3CoT test, by domain and topic',
    taskFormat: 'm3cot',
    keeps: all,
    tables: [byTag('domain', 'domain'), byTag('topic', 'topic')],
  },
];
