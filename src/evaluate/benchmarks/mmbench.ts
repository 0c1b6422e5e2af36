// MMBench, whole and its reasoning part (MMBench-R): logic, relation and attribute reasoning. A question is right only if it is
// right with its options in every order (circular); the vanilla figure is printed beside it.
import { all, type Benchmark, byTag } from './benchmark.js';

const REASONING = new Set(['logic_reasoning', 'relation_reasoning', 'attribute_reasoning']);
const shared = {
  taskFormat: 'mmbench',
  tables: [byTag('ability', 'l2-category'), byTag('category', 'category')],
  question: ({ id, tags }: { readonly id: string; readonly tags?: Readonly<Record<string, string>> }) =>
    tags?.group ?? id,
};

export const benchmarks: readonly Benchmark[] = [
  { name: 'mmbench', description: 'MMBench, circular, by ability', keeps: all, ...shared },
  {
    name: 'mmbench-r',
    description: 'MMBench-R: logic, relation and attribute reasoning, circular',
    keeps: ({ tags }) => REASONING.has(tags?.['l2-category'] ?? ''),
    ...shared,
  },
];
