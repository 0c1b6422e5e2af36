// The policy objective: against TRL's loss and a plain twin, whatever it is computed on; and what a rollout and a training
// step say of the same tokens.
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import type { PolicyObjective } from '../../src/core/types.js';
import { addon, type ModelSpec, type NativeModel, type RawExample } from '../../src/engine/binding.js';
import {
  expectSameLogprobs,
  image,
  largestDifference,
  never,
  open,
  openTensor,
  optimizer,
  prompt,
  removeTemporary,
  sampling,
  spec,
  stream,
} from './tiny-model.js';

afterAll(removeTemporary);

const objective = (change: Partial<PolicyObjective> = {}): PolicyObjective => ({
  temperature: 1,
  clipLow: 0.2,
  clipHigh: 0.28,
  kl: 0,
  aggregation: 'token',
  length: 24,
  ...change,
});

interface Fixture {
  readonly sampled: readonly number[][];
  readonly now: readonly number[][];
  readonly reference: readonly number[][];
  readonly advantages: readonly number[];
  readonly cases: readonly {
    readonly lossType: 'grpo' | 'bnpo' | 'dapo' | 'dr_grpo';
    readonly clipLow: number;
    readonly clipHigh: number;
    readonly kl: number;
    readonly length: number;
    readonly loss: number;
    readonly gradient: readonly number[][];
    readonly clipShare: number;
    readonly meanKl: number | null;
  }[];
}
const trl = JSON.parse(readFileSync(new URL('fixtures/grpo/trl.json', import.meta.url), 'utf8')) as Fixture;
/** TRL's names: `bnpo` and `dapo` are the same where a batch is taken in one step. */
const BY = { grpo: 'response', bnpo: 'token', dapo: 'token', dr_grpo: 'constant' } as const;

/** Relative to the largest of `wanted`. */
const error = (found: ArrayLike<number>, wanted: readonly number[]): number =>
  largestDifference(found, wanted) / Math.max(...wanted.map(Math.abs));

test.each(trl.cases)(
  'has the loss and the gradient of TRL: $lossType, limits $clipLow and $clipHigh, kl $kl',
  ({ lossType, clipLow, clipHigh, kl, length, ...wanted }) => {
    const batch = trl.sampled.map((logprobs, i): RawExample => {
      const reference = kl > 0 && { reference: Float32Array.from(trl.reference[i] ?? []) };
      const sampled = { advantage: trl.advantages[i] ?? 0, logprobs: Float32Array.from(logprobs), ...reference };
      return { tokens: Int32Array.of(1), images: [], response: new Int32Array(logprobs.length), sampled };
    });
    const how = objective({ clipLow, clipHigh, kl, length, aggregation: BY[lossType] });
    const found = addon().checks.policyLoss(Float32Array.from(trl.now.flat()), batch, how);
    expect(Math.abs(found.loss / wanted.loss - 1)).toBeLessThan(1e-6);
    expect(error(found.gradient, wanted.gradient.flat())).toBeLessThan(1e-6);
    const tokens = trl.now.flat().length;
    expect(found.clipShare / tokens).toBeCloseTo(wanted.clipShare, 12);
    expect(found.clipShare).toBeGreaterThan(0);
    expect(found.kl / tokens).toBeCloseTo(wanted.meanKl ?? 0, 9);
  },
);

/** Questions with 4 responses each, of which the advantages add up to nothing. */
async function groups(model: NativeModel, temperature: number, seed = 11): Promise<RawExample[]> {
  const asked = [0, 1, 2].map((i) => ({ ...prompt(model, i, i > 0 ? [image(i)] : []), n: 4, key: `q${i}` }));
  const how = sampling({ temperature, seed, scaledLogprobs: true });
  const { responses } = await model.rollout(asked, how, never(), null, null);
  return responses.flatMap((samples, i) =>
    samples.map(({ tokens: response, logprobs }, r): RawExample => {
      const { tokens, images } = asked[i] ?? { tokens: response, images: [] };
      return { tokens, images, response, sampled: { advantage: [1, -0.4, -0.8, 0.2][r] ?? 0, logprobs } };
    }),
  );
}

/** As if they had been sampled, and a reference asked, by other weights. */
const moved = (batch: readonly RawExample[]): RawExample[] =>
  batch.map((example, i) => {
    const random = stream(i + 7);
    const { advantage = 0, logprobs = [] } = example.sampled ?? {};
    const away = (by: number) => Float32Array.from(logprobs, (value) => value + by * (random() - 0.5));
    return { ...example, sampled: { advantage, logprobs: away(0.8), reference: away(0.4) } };
  });

/** The loss of a batch, and its derivative with respect to every log-probability, written down once more. */
function twin(
  rows: readonly Float32Array[],
  batch: readonly RawExample[],
  { clipLow, clipHigh, kl, aggregation, length }: PolicyObjective,
): { readonly loss: number; readonly slopes: readonly number[][] } {
  const tokens = batch.reduce((sum, { response }) => sum + response.length, 0);
  let loss = 0;
  const slopes = rows.map((row, i) => {
    const { sampled, response } = batch[i] as RawExample;
    const { advantage = 0, logprobs = [], reference } = sampled ?? {};
    const counts = {
      response: 1 / (batch.length * response.length),
      token: 1 / tokens,
      constant: 1 / (batch.length * length),
    };
    return Array.from(row, (now, t) => {
      const ratio = Math.exp(now - (logprobs[t] ?? 0));
      const limited = Math.min(Math.max(ratio, 1 - clipLow), 1 + clipHigh);
      const isClipped = limited * advantage < ratio * advantage;
      const below = (reference?.[t] ?? now) - now;
      const [gain, divergence] = [Math.min(ratio * advantage, limited * advantage), Math.exp(below) - below - 1];
      loss += counts[aggregation] * (kl * divergence - gain);
      return counts[aggregation] * (kl * (1 - Math.exp(below)) - (isClipped ? 0 : ratio * advantage));
    });
  });
  return { loss, slopes };
}

describe('the policy objective of a model', () => {
  test.each([
    objective(),
    objective({ aggregation: 'response', kl: 0.1 }),
    objective({ aggregation: 'constant', clipHigh: 0.2, kl: 0.04 }),
  ])('has the loss and the gradients of its plain twin: $aggregation, kl $kl', async (how) => {
    const model = await open();
    const batch = moved(await groups(model, 1));
    const { loss, slopes } = twin(await model.logprobs(batch), batch, how);
    const found = await addon().checks.gradients(model, batch, how);
    expect(Math.abs(found.loss / loss - 1)).toBeLessThan(1e-6);
    // The sum of slope times log-probability is one of losses of responses that end early, with differences as weights.
    const early = batch.flatMap(({ tokens, images, response }, i) =>
      Array.from(response, (_, t): RawExample => {
        const [slope = 0, next = 0] = slopes[i]?.slice(t, t + 2) ?? [];
        return { tokens, images, response: response.slice(0, t + 1), weight: next - slope };
      }),
    );
    const all = early.reduce((sum, { response }) => sum + response.length, 0);
    const plain = await addon().checks.gradients(model, early, 'response');
    expect(Object.keys(found.gradients)).toEqual(Object.keys(plain.gradients));
    let [difference, whole] = [0, 0];
    for (const [name, { data }] of Object.entries(found.gradients))
      for (const [at, value] of (plain.gradients[name]?.data ?? []).entries()) {
        difference += (all * value - (data[at] ?? 0)) ** 2;
        whole += (data[at] ?? 0) ** 2;
      }
    expect(whole).toBeGreaterThan(0);
    expect(Math.sqrt(difference / whole)).toBeLessThan(2e-6);
    await model.dispose();
  });

  test('at a temperature is that of a model whose logits are divided by it', async () => {
    const T = 0.7;
    const own = spec();
    const [file] = own.weights;
    const head = file?.tensors.find(({ name }) => name === 'language_model.output.weight');
    if (!file || !head) throw new Error('no output matrix');
    const cooled = spec();
    const bytes = Buffer.from(readFileSync(file.path));
    for (let at = head.begin; at < head.end; at += 4) bytes.writeFloatLE(bytes.readFloatLE(at) / T, at);
    writeFileSync(cooled.weights[0]?.path ?? '', bytes);
    const [model, other] = [await addon().loadModel(own), await addon().loadModel(cooled)];
    const batch = moved(await groups(model, T));
    const [a, b] = [await model.logprobs(batch, T), await other.logprobs(batch)];
    for (const [i, row] of a.entries()) expect(largestDifference(row, b[i] ?? [])).toBeLessThan(1e-5);
    const hot = await addon().checks.gradients(model, batch, objective({ temperature: T, kl: 0.1 }));
    const plain = await addon().checks.gradients(other, batch, objective({ kl: 0.1 }));
    expect(Math.abs(hot.loss / plain.loss - 1)).toBeLessThan(1e-5);
    for (const [name, { data }] of Object.entries(hot.gradients)) {
      const scale = name === head.name ? 1 / T : 1;
      const wanted = [...(plain.gradients[name]?.data ?? [])].map((value) => value * scale);
      expect(largestDifference(data, wanted), name).toBeLessThan(1e-5 * Math.max(1e-3, ...wanted.map(Math.abs)) + 1e-7);
    }
    await Promise.all([model.dispose(), other.dispose()]);
  });

  const ADAPTER = { targets: ['language_model.model.layers.0.attention.wqkv.weight'], rank: 2, scale: 2, seed: 3 };
  test.each<[string, Partial<ModelSpec>, readonly string[]]>([
    ['float32', {}, []],
    ['bfloat16', { dtype: 'bfloat16' }, []],
    ['an adapter', { adapter: ADAPTER }, []],
    ['frozen parts', {}, ['vision_model.']],
  ])('takes a step of the same bits with any threads, layers run again or one graph: %s', async (_, of, frozen) => {
    const found: unknown[] = [];
    for (const [threads, how] of [
      [1, {}],
      [2, {}],
      [2, { recompute: 1 }],
      [1, { oneGraph: true }],
    ] as const) {
      const { oneGraph = false, ...more } = how as { oneGraph?: boolean; recompute?: number };
      const small = spec({ tokenBudget: 60, threads, ...of, ...more });
      const model = await addon().checks.loadModel(small, { oneGraph });
      const batch = moved(await groups(model, 1));
      await model.setOptimizer(optimizer({ clip: 0.5, frozen: [...frozen] }));
      const reports = [];
      for (let step = 0; step < 2; step++) reports.push(await model.trainStep(batch, objective({ kl: 0.1 })));
      found.push({ reports, after: await model.logprobs(batch, 0.8) });
      await model.dispose();
    }
    for (const other of found.slice(1)) expect(other).toEqual(found[0]);
  });

  test('reports the same sums however the batch is cut', async () => {
    const reports = [];
    for (const tokenBudget of [8192, 30]) {
      const model = await open({ tokenBudget });
      await model.setOptimizer(optimizer({ lr: 0 }));
      reports.push(await model.trainStep(moved(await groups(model, 1)), objective({ kl: 0.1 })));
      await model.dispose();
    }
    const [whole, cut] = reports;
    for (const name of ['loss', 'clipShare', 'kl', 'mismatchMean', 'mismatchMax'] as const)
      expect(Math.abs((cut?.[name] ?? 0) / (whole?.[name] ?? 0) - 1), name).toBeLessThan(1e-5);
  });

  test('makes responses likelier by their advantages, and no more once they are beyond the limits', async () => {
    const model = await open();
    const batch = await groups(model, 1);
    await model.setOptimizer(optimizer({ lr: 2e-3 }));
    const likelier = async () => {
      const rows = await model.logprobs(batch);
      const changes = rows.map((row, i) =>
        row.reduce((sum, x, t) => sum + x - (batch[i]?.sampled?.logprobs[t] ?? 0), 0),
      );
      return changes.reduce((sum, change, i) => sum + change * (batch[i]?.sampled?.advantage ?? 0), 0);
    };
    const first = await model.trainStep(batch, objective());
    expect(first.clipShare).toBe(0);
    expect(await likelier()).toBeGreaterThan(0.1);
    let last = first;
    for (let step = 0; step < 30; step++) last = await model.trainStep(batch, objective());
    expect(last.clipShare).toBeGreaterThan(0.2);
    await model.dispose();
  });

  test('is refused by name where an example lacks what it needs', async () => {
    const model = await open();
    await model.setOptimizer(optimizer());
    const batch = await groups(model, 1);
    const bare = batch.map(({ sampled: _, ...rest }) => rest);
    await expect(model.trainStep(bare, objective())).rejects.toThrow(/no sampled log-probabilities/);
    await expect(model.trainStep(batch, objective({ kl: 0.1 }))).rejects.toThrow(/0 log-probabilities of a reference/);
    const [first] = batch;
    const short = { advantage: 1, logprobs: new Float32Array(1) };
    await expect(model.trainStep([{ ...(first as RawExample), sampled: short }], objective())).rejects.toThrow(
      /response tokens and 1 sampled/,
    );
    const wrong = { ...objective(), aggregation: 'mean' as never };
    expect(() => model.trainStep(batch, wrong)).toThrow(/aggregation: wanted/);
    await model.dispose();
  });
});

describe('log-probabilities at the temperature', () => {
  test.each([
    ['packed', open],
    ['tensor', openTensor],
  ] as const)('are those of the plain forward, of the same draws: %s executor', async (_, opened) => {
    const model = await opened();
    const asked = [{ ...prompt(model, 1, [image(1)]), n: 3, key: 'q' }];
    for (const change of [{ temperature: 0.6 }, { temperature: 0.6, topK: 3 }, { temperature: 1 }]) {
      const draw = (scaledLogprobs: boolean) =>
        model.rollout(asked, sampling({ ...change, scaledLogprobs }), never(), null, null);
      const [plain, scaled] = [await draw(false), await draw(true)];
      for (const [r, { tokens, logprobs }] of (scaled.responses[0] ?? []).entries()) {
        expect(tokens).toEqual(plain.responses[0]?.[r]?.tokens);
        const example = { tokens: asked[0]?.tokens ?? tokens, images: asked[0]?.images ?? [], response: tokens };
        const [wanted] = await model.logprobs([example], change.temperature);
        if (opened === open) expectSameLogprobs(logprobs, wanted ?? []);
        else expect(largestDifference(logprobs, wanted ?? [])).toBeLessThan(1e-4);
        const isPlain = largestDifference(logprobs, plain.responses[0]?.[r]?.logprobs ?? []) < 1e-6;
        expect(isPlain).toBe(change.temperature === 1);
      }
    }
    await model.dispose();
  });

  test.each([0.7, 1, 1.3])('have the same bits in sampling and in training at %d', async (temperature) => {
    const model = await open();
    const batch = await groups(model, temperature);
    await model.setOptimizer(optimizer());
    const report = await model.trainStep(batch, objective({ temperature }));
    expectSameLogprobs([report.mismatchMean ?? 1, report.mismatchMax ?? 1], [0, 0]);
    // The step has moved the weights away from those that sampled.
    const { mismatchMean = 0, mismatchMax = 0 } = await model.trainStep(batch, objective({ temperature }));
    expect(mismatchMax).toBeGreaterThan(1e-4);
    expect(mismatchMean).toBeGreaterThan(0);
    expect(mismatchMean).toBeLessThan(mismatchMax);
    await model.dispose();
  });
});
