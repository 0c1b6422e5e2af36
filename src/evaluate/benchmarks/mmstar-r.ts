// MMStar-R: MMStar without its two perception categories (P15).
// Leaves everything else to mmstar.ts.
import { type Benchmark, tagOf } from './benchmark.js';
import { benchmark as mmstar } from './mmstar.js';

export const benchmark: Benchmark = {
  ...mmstar,
  name: 'mmstar-r',
  title: 'MMStar-R',
  counts: (problem) => /^(?!.*perception)./i.test(tagOf(problem, 'category') ?? ''),
};
