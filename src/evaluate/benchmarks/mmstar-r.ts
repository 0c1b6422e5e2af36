// MMStar-R: MMStar without its two perception categories (P15).
import { type Benchmark, tagOf } from './benchmark.js';
import { benchmark as mmstar } from './mmstar.js';

export const benchmark: Benchmark = {
  ...mmstar,
  name: 'mmstar-r',
  title: 'MMStar-R',
  counts: (problem) => /^(?!.*perception)./i.test(tagOf(problem, 'category') ?? ''),
};
