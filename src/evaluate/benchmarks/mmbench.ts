// MMBench: a question is right only if all rotations of its options are (circular); the first rotation alone stands
// beside it.
import { ROTATION } from '../../core/letters.js';
import { type Asked, type Benchmark, byTag, tagOf } from './benchmark.js';

const ABILITIES = {
  logic_reasoning: 'LR',
  attribute_reasoning: 'AR',
  relation_reasoning: 'RR',
  'finegrained_perception (instance-level)': 'FP-S',
  'finegrained_perception (cross-instance)': 'FP-C',
  coarse_perception: 'CP',
};

export const benchmark: Benchmark = {
  name: 'mmbench',
  title: 'MMBench',
  protocol: 'mmbench',
  besides: ['mstar'],
  rotationOf,
  tables: [byTag('ability', ['l2-category'], ABILITIES), byTag('category', ['category'])],
};

/** Rotation k of a question has its index plus k million. */
function rotationOf(problem: Asked): { question: string; rotation: number } {
  const index = Number(tagOf(problem, 'index') ?? problem.id);
  if (!Number.isSafeInteger(index)) return { question: tagOf(problem, 'group') ?? problem.id, rotation: 0 };
  return { question: String(index % ROTATION), rotation: Math.floor(index / ROTATION) };
}
