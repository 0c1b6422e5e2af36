// AI2D: overall. Files with and without masked labels give different numbers: the name of the file tells which it was.
import { type Benchmark, byTag } from './benchmark.js';

export const benchmark: Benchmark = {
  name: 'ai2d',
  title: 'AI2D',
  protocol: 'ai2d',
  besides: ['mstar'],
  tables: [byTag('category', ['category'])],
};
