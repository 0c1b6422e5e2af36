// Memory plans against figures that are worked out by hand.
import { describe, expect, test } from 'vitest';
import { fitMemory, MOMENT_BYTES, type ModelSizes, planMemory, type Workload } from '../../../src/engine/plan.js';

const sizes: ModelSizes = {
  parameters: 1000,
  language: 800,
  trained: 600,
  largest: 400,
  decoder: {
    layers: 2,
    hidden: 8,
    heads: 4,
    kvHeads: 2,
    headDim: 2,
    intermediate: 16,
    vocabulary: 50,
    headChunk: 32,
  },
  tower: { layers: 3, hidden: 4, intermediate: 8, frozen: false },
};
const work: Workload = {
  dtype: 'bfloat16',
  device: 'cuda',
  rows: 32,
  samples: 16,
  promptTokens: 100,
  maxTokens: 10,
  tokenBudget: 220,
  patches: 20,
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

  test('has a PRM beside the policy that it scores for, and scores in its layers', () => {
    const decoder = { ...sizes.decoder, hidden: 16 };
    const plan = (phase: string) =>
      planMemory({ ...sizes, prm: { parameters: 5000, decoder } }, work).find((one) => one.phase === phase);
    const alone = planMemory(sizes, work).find(({ phase }) => phase === 'rollout')?.total ?? 0;
    expect(plan('rollout')?.total).toBe(alone + 10_000);
    expect(plan('scoring')?.items.map(({ what }) => what)).toContain('weights of the PRM');
    const activations = planMemory({ ...sizes, decoder }, work)
      .find(({ phase }) => phase === 'scoring')
      ?.items.at(-1);
    expect(plan('scoring')?.items.at(-1)).toEqual(activations);
    for (const phase of ['labelling', 'training'])
      expect(plan(phase)?.items.map(({ what }) => what)).not.toContain('weights of the PRM');
  });

  test('has the gradients of a segment in the type that autograd makes beside their sums', () => {
    expect(item({}, 'training', /sums/)).toBe(2400);
    expect(item({}, 'training', /of a segment/)).toBe(800);
    expect(item({ dtype: 'float32' }, 'training', /of a segment/)).toBe(1600);
  });

  test('takes the moments in other bytes, and adapters in float32 without low halves', () => {
    // Three bytes and a scale of four for 256 numbers.
    expect(item({ momentBytes: MOMENT_BYTES['8bit'] }, 'training', /moments \(3 bytes\)/)).toBe(
      Math.ceil(1800 + 2400 / 256),
    );
    const adapted = planMemory({ ...sizes, trained: 50, largest: 10, adapters: true }, work)[2]?.items ?? [];
    expect(adapted.find(({ what }) => /low halves/.test(what))).toBeUndefined();
    expect(adapted.find(({ what }) => /of a segment/.test(what))?.bytes).toBe(40);
  });

  test('has neither moments nor low halves on a GPU where they are offloaded, and still the sums', () => {
    expect(item({ offload: true }, 'training', /moments|low halves/)).toBeUndefined();
    expect(item({ offload: true }, 'training', /sums/)).toBe(2400);
  });

  test('keeps the graphs of as many layers as it is told, and the inputs of the others', () => {
    const [all, one] = [item({}, 'training', /graphs/) ?? 0, item({ keptLayers: 1 }, 'training', /graphs/) ?? 0];
    expect(all).toBe(2 * one);
    expect(item({ keptLayers: 1 }, 'training', /inputs/)).toBe(8 * 2 * 220);
    expect(item({}, 'training', /inputs/)).toBeUndefined();
  });

  test('keeps the tower whole, by its blocks where layers are run again, and one block where it is frozen', () => {
    const tower = /vision tower, 2 pictures/;
    const [whole, blocks] = [item({}, 'training', tower) ?? 0, item({ keptLayers: 1 }, 'training', tower) ?? 0];
    // The inputs of three blocks: 4 wide, 40 patches, 2 bytes.
    expect(blocks).toBe(whole / 3 + 3 * 4 * 40 * 2);
    const frozen = planMemory({ ...sizes, tower: { ...sizes.tower, frozen: true } }, work)[2]?.items ?? [];
    expect(frozen.find(({ what }) => tower.test(what))?.bytes).toBe(whole / 3);
  });

  test('has the logits of one piece of the output', () => {
    // Two prompts of 100 leave 20 of 220 tokens to responses, fewer than the 32 of a piece; one prompt leaves 900 of 1,000.
    expect(item({}, 'training', /logits/)).toBe(16 * 20 * 50);
    expect(item({ tokenBudget: 1000, maxTokens: 900 }, 'training', /logits/)).toBe(16 * 32 * 50);
  });

  test('has no CUDA on a CPU, and NCCL beside it with several GPUs', () => {
    expect(item({ device: 'cpu' }, 'training', /CUDA/)).toBeUndefined();
    expect(item({ gpus: 2 }, 'training', /CUDA/)).toBe(2 * Number(item({}, 'training', /CUDA/)));
  });

  test('adds its items up', () => {
    for (const { items, total } of planMemory(sizes, work))
      expect(total).toBe(items.reduce((sum, one) => sum + one.bytes, 0));
  });
});

/** Published sizes; largest: the embedding. */
const models: Readonly<Record<string, ModelSizes>> = {
  '8.5B': {
    parameters: 8.54e9,
    language: 8.03e9,
    trained: 8.54e9,
    largest: 128_256 * 4096,
    decoder: {
      layers: 32,
      hidden: 4096,
      heads: 32,
      kvHeads: 8,
      headDim: 128,
      intermediate: 14_336,
      vocabulary: 128_256,
      headChunk: 2048,
    },
    tower: { layers: 27, hidden: 1152, intermediate: 4304, frozen: false },
  },
  '4.1B': {
    parameters: 4.15e9,
    language: 3.82e9,
    trained: 4.15e9,
    largest: 32_064 * 3072,
    decoder: {
      layers: 32,
      hidden: 3072,
      heads: 32,
      kvHeads: 32,
      headDim: 96,
      intermediate: 8192,
      vocabulary: 32_064,
      headChunk: 2048,
    },
    tower: { layers: 23, hidden: 1024, intermediate: 4096, frozen: false },
  },
  '2.2B': {
    parameters: 2.21e9,
    language: 1.89e9,
    trained: 2.21e9,
    largest: 92_553 * 2048,
    decoder: {
      layers: 24,
      hidden: 2048,
      heads: 16,
      kvHeads: 8,
      headDim: 128,
      intermediate: 8192,
      vocabulary: 92_553,
      headChunk: 2048,
    },
    tower: { layers: 24, hidden: 1024, intermediate: 4096, frozen: false },
  },
};

/** Micro-batches of 4,800 tokens and four pictures of ten slices. */
const training: Workload = {
  dtype: 'bfloat16',
  device: 'cuda',
  rows: 256,
  samples: 16,
  promptTokens: 900,
  maxTokens: 300,
  tokenBudget: 4800,
  patches: 10_240,
  gpus: 1,
};
const GIB = 2 ** 30;
const of = (name: string): ModelSizes => models[name] as ModelSizes;

describe('a plan of training a published model, all layers run again', () => {
  // GB of one GPU, worked out apart from this program (numbers of layers, hidden sizes and bytes of every tensor).
  test.each([
    ['8.5B', { gpus: 1 }, 148],
    ['4.1B', { gpus: 1 }, 73],
    ['2.2B', { gpus: 1 }, 42],
    ['8.5B', { gpus: 1, momentBytes: 3 }, 105],
    ['4.1B', { gpus: 1, momentBytes: 3 }, 53],
    ['2.2B', { gpus: 1, momentBytes: 3 }, 31],
    ['8.5B', { gpus: 1, offload: true }, 64],
    ['4.1B', { gpus: 1, offload: true }, 34],
    ['2.2B', { gpus: 1, offload: true }, 21],
    ['8.5B', { gpus: 8 }, 45],
    ['8.5B', { gpus: 4 }, 60],
    ['4.1B', { gpus: 8 }, 24],
    ['2.2B', { gpus: 8 }, 16],
  ] as const)('of %s with %o takes about %d GB', (name, more, gigabytes) => {
    const phase = planMemory(of(name), { ...training, keptLayers: 0, ...more })[2];
    expect(Number(phase?.total) / 1e9 / gigabytes).toBeGreaterThan(0.9);
    expect(Number(phase?.total) / 1e9 / gigabytes).toBeLessThan(1.2);
  });

  test('fits where it fits, keeps graphs as far as there is room, and says what would do', () => {
    const trains = (name: string, gpus: number, gib: number, more: Partial<Workload> = {}) =>
      fitMemory(of(name), { ...training, gpus, ...more }, gib * GIB).find(({ phase }) => phase === 'training');
    expect(trains('8.5B', 1, 80, { offload: false })).toMatchObject({ fits: false, keptLayers: 0, gpus: 4 });
    expect(trains('8.5B', 8, 80)).toMatchObject({ fits: true });
    expect(trains('8.5B', 8, 80)?.offloaded).toBeUndefined();
    expect(trains('8.5B', 1, 24)?.gpus).toBeUndefined();
    expect(trains('2.2B', 1, 141)).toMatchObject({ fits: true, keptLayers: 24 });
    // Moments and low halves are 10 bytes a number.
    expect(trains('8.5B', 1, 80)).toMatchObject({ fits: true, offloaded: 8.54e10 });
    expect(trains('8.5B', 1, 80)?.moments).toBeUndefined();
    expect(trains('8.5B', 1, 110)).toMatchObject({ fits: true, offloaded: 8.54e10, moments: '8bit' });
    const small = { momentBytes: MOMENT_BYTES['8bit'] };
    expect(trains('8.5B', 1, 110, small)).toMatchObject({ fits: true });
    expect(trains('8.5B', 1, 110, small)?.offloaded).toBeUndefined();
    const tight = trains('2.2B', 1, 48);
    expect(tight?.fits).toBe(true);
    expect(tight?.keptLayers).toBeLessThan(24);
    expect(Number(tight?.bytes)).toBeLessThanOrEqual(48 * GIB);
    // A smaller micro-batch may do, down to that of the longest example.
    const least = Number(trains('2.2B', 1, 36, { tokenBudget: 40_000 })?.tokenBudget ?? 0);
    if (least > 0) expect(trains('2.2B', 1, 36, { tokenBudget: least })?.fits).toBe(true);
  });
});
