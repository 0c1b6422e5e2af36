// Memory plans against figures that are worked out by hand.
import { describe, expect, test } from 'vitest';
import { type ModelSizes, planMemory, type Workload } from '../../../src/engine/plan.js';

const sizes: ModelSizes = {
  parameters: 1000,
  language: 800,
  trained: 600,
  decoder: { layers: 2, hidden: 8, heads: 4, kvHeads: 2, headDim: 2, intermediate: 16, vocabulary: 50 },
};
const work: Workload = {
  dtype: 'bfloat16',
  device: 'cuda',
  rows: 32,
  samples: 16,
  promptTokens: 100,
  maxTokens: 10,
  tokenBudget: 64,
  gpus: 1,
};
const item = (given: Partial<Workload>, phase: string, what: RegExp) =>
  planMemory(sizes, { ...work, ...given })
    .find((plan) => plan.phase === phase)
    ?.items.find((one) => what.test(one.what))?.bytes;

describe('a memory plan', () => {
  test('counts a shared prompt once per 16 rows and every row its own tokens', () => {
    // 2 (keys, values) x 2 layers x 2 heads x 2 wide x 2 bytes = 32 bytes a token; 2 prompts of 100 and 32 rows of 10 tokens.
    expect(item({}, 'rollout', /keys/)).toBe(32 * (2 * 100 + 32 * 10));
    expect(item({ dtype: 'float32' }, 'rollout', /keys/)).toBe(64 * (2 * 100 + 32 * 10));
  });

  test('has a packed copy of the language model on a CPU, in the number type of the weights, and none on a GPU', () => {
    expect(item({ device: 'cpu', dtype: 'float32' }, 'rollout', /packed/)).toBe(3200);
    expect(item({ device: 'cpu' }, 'rollout', /packed/)).toBe(1600);
    expect(item({}, 'rollout', /packed/)).toBeUndefined();
  });

  test('spreads gradients, moments and low halves over GPUs, and not the weights', () => {
    expect(item({}, 'training', /moments/)).toBe(4800);
    expect(item({ gpus: 8 }, 'training', /moments/)).toBe(600);
    expect(item({ gpus: 8 }, 'training', /low halves/)).toBe(150);
    expect(item({ gpus: 8 }, 'training', /weights/)).toBe(2000);
    expect(item({ dtype: 'float32' }, 'training', /low halves/)).toBeUndefined();
  });

  test('of an adapter has its float32 weights and moments, and no low halves', () => {
    const training = planMemory({ ...sizes, adapter: 50 }, work).find(({ phase }) => phase === 'training');
    const bytes = Object.fromEntries(training?.items.map((one) => [one.what, one.bytes]) ?? []);
    expect(bytes).toMatchObject({
      'weights (bfloat16)': 2000,
      'adapter (float32)': 200,
      'gradients (float32)': 200,
      'AdamW moments (float32)': 400,
    });
    expect(Object.keys(bytes).filter((what) => /low halves/.test(what))).toEqual([]);
  });

  test('adds its items up', () => {
    for (const { items, total } of planMemory(sizes, work))
      expect(total).toBe(items.reduce((sum, one) => sum + one.bytes, 0));
  });
});
