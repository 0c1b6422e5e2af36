// MMBench-R: the reasoning abilities of MMBench, perception removed (P15).
import { type Benchmark, tagOf } from './benchmark.js';
import { benchmark as mmbench } from './mmbench.js';

export const benchmark: Benchmark = {
  ...mmbench,
  name: 'mmbench-r',
  title: 'MMBench-R',
  counts: (problem) => /^(logic|attribute|relation)_reasoning$/.test(tagOf(problem, 'l2-category') ?? ''),
};
