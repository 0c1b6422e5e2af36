// MMStar, whole and its reasoning part (MMStar-R): without the two categories of perception.
import { all, type Benchmark, byTag } from './benchmark.js';

const PERCEPTION = new Set(['coarse perception', 'fine-grained perception']);
const tables = [byTag('category', 'category'), byTag('finer category', 'l2_category')];

export const benchmarks: readonly Benchmark[] = [
  { name: 'mmstar', description: 'MMStar, six categories', taskFormat: 'mmstar', keeps: all, tables },
  {
    name: 'mmstar-r',
    description: 'MMStar-R: MMStar without coarse and fine-grained perception',
    taskFormat: 'mmstar',
    keeps: ({ tags }) => !PERCEPTION.has(tags?.category ?? ''),
    tables,
  },
];
