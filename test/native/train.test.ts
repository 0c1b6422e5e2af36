// Training through the native surface: the optimizer against its definition, micro-batches, schedule, freezing, save and restore.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { WeightFile } from '../../src/checkpoint/safetensors.js';
import { addon, type NativeModel, type RawExample } from '../../src/engine/binding.js';
import { image, largestDifference, open, optimizer, prompt, removeTemporary, stream, temporary } from './tiny-model.js';

afterAll(removeTemporary);

function batch(model: NativeModel, count: number): RawExample[] {
  return Array.from({ length: count }, (_, i) => {
    const random = stream(i + 40);
    const response = Int32Array.from({ length: 5 + (i % 4) }, () => 3 + Math.floor(random() * 50));
    return { ...prompt(model, i, [image(i % 3)]), response, labels: Float32Array.from(response, () => random()) };
  });
}

/** `prompts` questions with pictures, 1 to 4 responses to each, those of one question not all side by side. */
function siblings(model: NativeModel, prompts: number): RawExample[] {
  const examples = Array.from({ length: prompts }, (_, p) =>
    Array.from({ length: 1 + (p % 4) }, (_, r): RawExample => {
      const random = stream(100 * p + r + 5);
      const response = Int32Array.from({ length: 3 + ((5 * r + p) % 11) }, () => 3 + Math.floor(random() * 50));
      return { ...prompt(model, p, [image(p % 3)]), response, labels: Float32Array.from(response, () => random()) };
    }),
  ).flat();
  return [...examples.filter((_, i) => i % 2), ...examples.filter((_, i) => i % 2 === 0)];
}

/** Writes tensors with an empty header and reads them back as floats. */
async function read(model: NativeModel, names: string[]): Promise<Record<string, Float32Array>> {
  const out: Record<string, Float32Array> = {};
  for (const name of names) {
    const file = path.join(temporary(), 'tensor.bin');
    await model.save([{ path: file, header: new Uint8Array(0), tensors: [{ name, dtype: 'F32' }] }]);
    out[name] = new Float32Array(Uint8Array.from(readFileSync(file)).buffer);
  }
  return out;
}

const MATRIX = 'language_model.model.layers.0.attention.wqkv.weight';
const VECTOR = 'language_model.model.layers.1.ffn_norm.weight';
const VISION = 'vision_model.encoder.layers.0.attn.proj.weight';

describe('one optimizer step', () => {
  test('is AdamW: moments, bias correction and decay on matrices only', async () => {
    const model = await open();
    const examples = batch(model, 4);
    const settings = optimizer({ lr: 0.01, weightDecay: 0.3 });
    await model.setOptimizer(settings);
    const { gradients } = await addon().checks.gradients(model, examples, 'response');
    const before = await read(model, [MATRIX, VECTOR]);
    await model.trainStep(examples, 'response');
    const after = await read(model, [MATRIX, VECTOR]);
    for (const [name, decay] of [
      [MATRIX, 0.3],
      [VECTOR, 0],
    ] as const) {
      const expected = before[name]?.map((w, i) => {
        const g = gradients[name]?.data[i] ?? 0;
        // First step: both bias-corrected moments are the gradient and its square.
        return w * (1 - 0.01 * decay) - (0.01 * g) / (Math.abs(g) + 1e-8);
      });
      expect(largestDifference(after[name] ?? [], expected ?? [])).toBeLessThan(2e-4);
    }
    await model.dispose();
  });

  test('clipping scales the gradient to the limit and reports the norm before it', async () => {
    const model = await open();
    const examples = batch(model, 4);
    const { gradients } = await addon().checks.gradients(model, examples, 'response');
    let squares = 0;
    for (const { data } of Object.values(gradients)) for (const g of data) squares += g * g;
    await model.setOptimizer(optimizer({ lr: 0, clip: 0.01 }));
    const report = await model.trainStep(examples, 'response');
    expect(report.gradNorm / Math.sqrt(squares)).toBeCloseTo(1, 4);
    const moments = await read(
      model,
      model.parameters().map((p) => `exp_avg.${p.name}`),
    );
    let clipped = 0;
    for (const m of Object.values(moments)) for (const x of m) clipped += x * x;
    expect(Math.sqrt(clipped)).toBeCloseTo(0.1 * 0.01, 6);
    await model.dispose();
  });

  test('the learning rate warms up linearly and then stays', async () => {
    const model = await open();
    const examples = batch(model, 2);
    await model.setOptimizer(optimizer({ lr: 0.004, warmupSteps: 4 }));
    const rates: number[] = [];
    for (let i = 0; i < 6; i++) rates.push((await model.trainStep(examples, 'response')).lr);
    expect(rates).toEqual([0.001, 0.002, 0.003, 0.004, 0.004, 0.004]);
    expect(model.version).toBe(6);
    await model.dispose();
  });

  test('the learning rate falls linearly to 0 over the last steps where that is asked for', async () => {
    const model = await open();
    const examples = batch(model, 2);
    await model.setOptimizer(optimizer({ lr: 0.004, warmupSteps: 2, decaySteps: 4, totalSteps: 7 }));
    const rates: number[] = [];
    for (let i = 0; i < 8; i++) rates.push((await model.trainStep(examples, 'response')).lr);
    expect(rates).toEqual([0.002, 0.004, 0.004, 0.004, 0.003, 0.002, 0.001, 0]);
    await model.dispose();
  });

  test('frozen parts do not move, the others do', async () => {
    const model = await open();
    await model.setOptimizer(optimizer({ frozen: ['vision_model.'] }));
    const before = await read(model, [VISION, MATRIX]);
    await model.trainStep(batch(model, 3), 'response');
    const after = await read(model, [VISION, MATRIX]);
    expect(after[VISION]).toEqual(before[VISION]);
    expect(largestDifference(after[MATRIX] ?? [], before[MATRIX] ?? [])).toBeGreaterThan(0);
    await model.dispose();
  });

  test('is cut into parts of equal cost, in which responses to one prompt are together and count it once', async () => {
    const model = await open();
    const words = (seed: number, count: number) =>
      Int32Array.from({ length: count }, (_, i) => 3 + ((seed + 7 * i) % 50));
    // Two responses of 64 tokens to each of four prompts of 192: 1,280 tokens, 320 a prompt. Siblings lie apart.
    const examples = Array.from({ length: 8 }, (_, i) => ({
      tokens: words(i % 4, 192),
      images: [],
      response: words(10 + i, 64),
    }));
    const cost = (members: readonly number[]) => 192 * new Set(members.map((i) => i % 4)).size + 64 * members.length;
    const parts = (takenBy: 'all' | 'each', budget: number) =>
      addon().checks.microBatches(model, examples, takenBy, budget);
    const apart = await parts('each', 8192);
    expect(apart.map((members) => [...members].sort())).toEqual([0, 1, 2, 3].map((p) => [p, p + 4]));
    expect(await parts('all', 1280)).toHaveLength(1);
    const halves = await parts('all', 1279);
    expect(halves.map(cost)).toEqual([640, 640]);
    expect(halves.flat().sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    // A budget below the cost of a prompt with both responses parts them.
    expect((await parts('all', 300)).map(cost)).toEqual(new Array(8).fill(256));
    await model.dispose();
  });

  test('the cut into micro-batches changes the gradient by rounding only', async () => {
    const [model, single] = [await open(), await open({ tokenBudget: 30 })];
    const examples = batch(model, 9);
    const whole = await addon().checks.gradients(model, examples, 'response');
    const cut = await addon().checks.gradients(single, examples, 'response');
    expect(cut.loss).toBeCloseTo(whole.loss, 5);
    for (const [name, { data }] of Object.entries(whole.gradients)) {
      const scale = Math.max(...data.map(Math.abs), 1e-3);
      expect(largestDifference(data, cut.gradients[name]?.data ?? [])).toBeLessThan(1e-4 * scale + 1e-7);
    }
    await Promise.all([model.dispose(), single.dispose()]);
  });

  test.each(['response', 'step'] as const)(
    'of the %s objective has the same bits with 1, 2 and 3 threads',
    async (objective) => {
      const found: unknown[] = [];
      for (const threads of [1, 2, 3]) {
        const model = await open({ threads, tokenBudget: 60, head: objective === 'step' ? 'mean' : 'none' });
        await model.setOptimizer(optimizer({ clip: 0.5 }));
        const examples = siblings(model, 7);
        const report = await model.trainStep(examples, objective);
        const [loss, after] = [await model.trainStep(examples, objective), await read(model, [MATRIX, VECTOR, VISION])];
        found.push({ report, loss, after });
        await model.dispose();
      }
      expect(found[1]).toEqual(found[0]);
      expect(found[2]).toEqual(found[0]);
    },
  );

  test('repeated on the same data it lowers the loss, and the same run gives the same bits', async () => {
    const losses: number[][] = [];
    for (let run = 0; run < 2; run++) {
      const model = await open();
      const examples = batch(model, 6);
      await model.setOptimizer(optimizer({ lr: 3e-3 }));
      const seen: number[] = [];
      for (let i = 0; i < 20; i++) seen.push((await model.trainStep(examples, 'response')).loss);
      losses.push(seen);
      await model.dispose();
    }
    expect(losses[0]?.at(-1)).toBeLessThan((losses[0]?.[0] ?? 0) * 0.6);
    expect(losses[1]).toEqual(losses[0]);
  });
});

describe('responses that share their prompt', () => {
  test('have the gradients that they have each alone', async () => {
    const model = await open();
    const examples = siblings(model, 5);
    const tokens = examples.reduce((sum, { response }) => sum + response.length, 0);
    const sum: Record<string, Float64Array> = {};
    let loss = 0;
    for (const example of examples) {
      const alone = await addon().checks.gradients(model, [example], 'response');
      const share = example.response.length / tokens;
      loss += share * alone.loss;
      for (const [name, { data }] of Object.entries(alone.gradients)) {
        const before = sum[name] ?? new Float64Array(data.length);
        sum[name] = before.map((value, i) => value + share * (data[i] ?? 0));
      }
    }
    const together = await addon().checks.gradients(model, examples, 'response');
    expect(together.loss).toBeCloseTo(loss, 6);
    expect(Object.keys(together.gradients).sort()).toEqual(Object.keys(sum).sort());
    const squares = (values: Iterable<number>) => [...values].reduce((total, x) => total + x * x, 0);
    let [difference, whole] = [0, 0];
    for (const [name, { data }] of Object.entries(together.gradients)) {
      const wanted = sum[name] ?? new Float64Array();
      const own = [squares(wanted.map((x, i) => x - (data[i] ?? 0))), squares(wanted)] as const;
      // What hardly moves the loss has hardly more than rounding.
      expect(Math.sqrt(own[0] / own[1]), name).toBeLessThan(1e-5);
      difference += own[0];
      whole += own[1];
    }
    expect(Math.sqrt(difference / whole)).toBeLessThan(1e-6);
    await model.dispose();
  });

  test.each([
    ['', {}],
    [', where some are long enough to rotate otherwise', { max_positions: 24 }],
  ])('have the log-probabilities and scores that they have each alone, to the bit%s', async (_, overrides) => {
    const [model, scorer] = [await open({}, overrides), await open({ head: 'mean' }, overrides)];
    const examples = siblings(model, 6);
    const every = examples.map(({ response }) => Uint32Array.from(response, (_, i) => i));
    const [logprobs, scores] = [await model.logprobs(examples), await scorer.score(examples, every)];
    for (const [i, example] of examples.entries()) {
      expect(await model.logprobs([example])).toEqual([logprobs[i]]);
      expect(await scorer.score([example], every.slice(i, i + 1))).toEqual([scores[i]]);
    }
    await Promise.all([model.dispose(), scorer.dispose()]);
  });
});

describe('weights of examples', () => {
  const WEIGHTS = [2, -0.5, 0, 1, 1.25];
  const weighted = (examples: readonly RawExample[]): RawExample[] =>
    examples.map((example, i) => ({ ...example, weight: WEIGHTS[i] as number }));

  test.each([
    ['response', 'none'],
    ['step', 'mean'],
  ] as const)('multiply the losses of its tokens, their sum is divided by all tokens: %s', async (objective, head) => {
    const [model, single] = [await open({ head }), await open({ head, threads: 1, tokenBudget: 40 })];
    const examples = batch(model, WEIGHTS.length);
    const every = examples.map(({ response }) => Uint32Array.from(response, (_, at) => at));
    const rows = objective === 'step' ? await model.score(examples, every) : await model.logprobs(examples);
    const lossAt = (value: number, i: number, at: number): number =>
      objective === 'step' ? (value - (examples[i]?.labels?.[at] as number)) ** 2 : -value;
    let [expected, tokens] = [0, 0];
    for (const [i, row] of rows.entries())
      for (const [at, value] of row.entries()) {
        expected += (WEIGHTS[i] as number) * lossAt(value, i, at);
        tokens++;
      }
    for (const one of [model, single]) {
      await one.setOptimizer(optimizer({ lr: 0 }));
      expect((await one.trainStep(weighted(examples), objective)).loss).toBeCloseTo(expected / tokens, 4);
    }
    await Promise.all([model.dispose(), single.dispose()]);
  });

  test('multiply the gradients of its tokens', async () => {
    const model = await open();
    const examples = batch(model, WEIGHTS.length);
    const tokens = examples.map(({ response }) => response.length);
    const all = tokens.reduce((sum, count) => sum + count, 0);
    const together =
      (await addon().checks.gradients(model, weighted(examples), 'response')).gradients[MATRIX]?.data ?? [];
    const expected = new Float64Array(together.length);
    for (const [i, example] of examples.entries()) {
      const { gradients } = await addon().checks.gradients(model, [example], 'response');
      const share = ((WEIGHTS[i] as number) * (tokens[i] as number)) / all;
      for (const [at, value] of (gradients[MATRIX]?.data ?? []).entries())
        expected[at] = (expected[at] ?? 0) + share * value;
    }
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(1e-3);
    expect(largestDifference(together, expected)).toBeLessThan(1e-5);
    await model.dispose();
  });

  test('of 1 change no bit, and a negative one makes a response less likely', async () => {
    const weights: (number | undefined)[] = [undefined, 1, -1];
    const after: Float32Array[][] = [];
    for (const weight of weights) {
      const model = await open();
      const examples = batch(model, 3).map((example) => (weight === undefined ? example : { ...example, weight }));
      await model.setOptimizer(optimizer({ lr: 1e-3 }));
      await model.trainStep(examples, 'response');
      after.push(await model.logprobs(examples));
      await model.dispose();
    }
    expect(after[1]).toEqual(after[0]);
    const total = (rows: readonly Float32Array[] = []) =>
      rows.flatMap((row) => [...row]).reduce((sum, x) => sum + x, 0);
    expect(total(after[2])).toBeLessThan(total(after[0]) - 0.1);
  });
});

describe('the reward head', () => {
  test('starts as the mean token embedding with bias 0, and learns the labels', async () => {
    const model = await open({ head: 'mean' });
    const examples = batch(model, 4);
    const tensors = await read(model, [
      'reward_head.weight',
      'reward_head.bias',
      'language_model.model.tok_embeddings.weight',
    ]);
    const table = tensors['language_model.model.tok_embeddings.weight'] ?? new Float32Array();
    const mean = Float32Array.from({ length: 32 }, (_, d) => {
      let sum = 0;
      for (let v = 0; v < 64; v++) sum += table[v * 32 + d] ?? 0;
      return sum / 64;
    });
    expect(largestDifference(tensors['reward_head.weight'] ?? [], mean)).toBeLessThan(1e-6);
    expect([...(tensors['reward_head.bias'] ?? [])]).toEqual([0]);

    await model.setOptimizer(optimizer({ lr: 5e-3, frozen: ['vision_model.'] }));
    const every = examples.map((e) => Uint32Array.from(e.response, (_, i) => i));
    const squared = async () => {
      const scores = await model.score(examples, every);
      return examples.flatMap((e, i) => [...(e.labels ?? [])].map((label, j) => (label - (scores[i]?.[j] ?? 0)) ** 2));
    };
    const before = await squared();
    const first = await model.trainStep(examples, 'step');
    expect(first.loss).toBeCloseTo(before.reduce((a, b) => a + b, 0) / before.length, 4);
    for (let i = 0; i < 30; i++) await model.trainStep(examples, 'step');
    const after = await squared();
    expect(after.reduce((a, b) => a + b, 0)).toBeLessThan(0.5 * before.reduce((a, b) => a + b, 0));
    await model.dispose();
  });

  test('is refused by name where it does not belong', async () => {
    const model = await open();
    await model.setOptimizer(optimizer());
    await expect(model.trainStep(batch(model, 1), 'step')).rejects.toThrow(/no reward head/);
    await model.dispose();
  });
});

test('saved and restored in the middle, a run goes on with the same bits', async () => {
  const model = await open();
  const examples = batch(model, 6);
  await model.setOptimizer(optimizer());
  for (let i = 0; i < 3; i++) await model.trainStep(examples, 'response');
  const file = path.join(temporary(), 'state.bin');
  const names = model
    .parameters()
    .flatMap((p) => [p, { ...p, name: `exp_avg.${p.name}` }, { ...p, name: `exp_avg_sq.${p.name}` }]);
  await model.save([
    { path: file, header: new Uint8Array(0), tensors: names.map(({ name }) => ({ name, dtype: 'F32' })) },
  ]);
  const onward: number[] = [];
  for (let i = 0; i < 3; i++) onward.push((await model.trainStep(examples, 'response')).loss);

  const other = await open();
  await other.setOptimizer(optimizer());
  let at = 0;
  const ranges: WeightFile = {
    path: file,
    tensors: names.map(({ name, shape }) => {
      const begin = at;
      at += 4 * shape.reduce((a, b) => a * b, 1);
      return { name, shape, dtype: 'F32', begin, end: at };
    }),
  };
  await other.restore([ranges], 3);
  const again: number[] = [];
  for (let i = 0; i < 3; i++) again.push((await other.trainStep(examples, 'response')).loss);
  expect(again).toEqual(onward);
  expect(other.version).toBe(6);
  await Promise.all([model.dispose(), other.dispose()]);
});
