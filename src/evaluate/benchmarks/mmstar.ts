// MMStar: overall, by its six categories and their eighteen axes. The matcher wants a response to open with its letter,
// which no chain of thought does, so the verdicts are those of `mstar` and the matcher's stand beside them.
import { type Benchmark, byTag } from './benchmark.js';

const CATEGORIES = {
  'coarse perception': 'coarse perception',
  'fine-grained perception': 'fine-grained perception',
  'instance reasoning': 'instance reasoning',
  'logical reasoning': 'logical reasoning',
  'science & technology': 'science & technology',
  math: 'math',
};

export const benchmark: Benchmark = {
  name: 'mmstar',
  title: 'MMStar',
  protocol: 'mstar',
  besides: ['mmstar'],
  tables: [byTag('category', ['category'], CATEGORIES), byTag('axis', ['l2_category'])],
};
