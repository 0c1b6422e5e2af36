// The decode path against its plain twin, and what a rollout promises: sharing, independence of the batch, exact distributions.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  addon,
  type NativeModel,
  type RawRequest,
  type RawRollout,
  type RawSampling,
} from '../../src/engine/binding.js';
import { expectSameLogprobs, image, never, open, optimizer, prompt, removeTemporary, sampling } from './tiny-model.js';

let model: NativeModel;
beforeAll(async () => {
  model = await open();
});
afterAll(async () => {
  await model.dispose();
  removeTemporary();
});

const roll = (requests: RawRequest[], how: Partial<RawSampling> = {}, on = model): Promise<RawRollout> =>
  on.rollout(requests, sampling(how), never(), null, null);

function requests(count: number, n: number): RawRequest[] {
  return Array.from({ length: count }, (_, i) => ({
    ...prompt(model, i, i % 3 === 0 ? [] : [image(i)]),
    n,
    key: `q${i}`,
  }));
}
const flat = (result: RawRollout) => result.responses.flat().map((r) => [[...r.tokens], [...r.logprobs], r.finish]);

describe('rollout against the plain forward', () => {
  test('log-probabilities of sampled tokens equal the teacher-forced ones of the plain forward', async () => {
    const asked = requests(5, 3);
    const { responses } = await roll(asked);
    for (const [i, samples] of responses.entries()) {
      const { tokens, images } = asked[i] as RawRequest;
      const plain = await model.logprobs(samples.map((s) => ({ tokens, images, response: s.tokens })));
      samples.forEach((s, j) => {
        expectSameLogprobs(s.logprobs, plain[j] ?? []);
      });
    }
  });

  test('head widths that are not multiples of 8, one kv head and odd sizes work as well', async () => {
    const shapes: Record<string, number>[] = [
      { l_hidden: 40, l_heads: 4, l_kv_heads: 1, l_intermediate: 27 },
      { l_hidden: 36, l_heads: 3, l_kv_heads: 3, l_intermediate: 50, v_hidden: 18, v_heads: 3 },
    ];
    for (const sizes of shapes) {
      const odd = await open({}, sizes);
      const asked = { ...prompt(odd, 2, [image(2)]), n: 3, key: 'odd' };
      const { responses } = await roll([asked], {}, odd);
      const samples = responses[0] ?? [];
      const plain = await odd.logprobs(samples.map((s) => ({ ...asked, response: s.tokens })));
      samples.forEach((s, j) => {
        expectSameLogprobs(s.logprobs, plain[j] ?? []);
      });
      await odd.dispose();
    }
  });

  test('greedy decoding takes the most likely token of the plain forward at every position', async () => {
    const asked = { ...prompt(model, 4, [image(4)]), n: 1, key: 'g' };
    const { responses } = await roll([asked], { temperature: 0, stop: new Int32Array(0), maxTokens: 12 });
    const greedy = [...(responses[0]?.[0]?.tokens ?? [])];
    for (let at = 0; at < greedy.length; at++) {
      const { logits } = await addon().checks.inspect(
        model,
        {
          tokens: Int32Array.from([...asked.tokens, ...greedy.slice(0, at)]),
          images: asked.images,
          response: new Int32Array(0),
        },
        ['logits'],
      );
      const row = [...(logits?.data ?? [])].slice(-64);
      expect(row.indexOf(Math.max(...row))).toBe(greedy[at]);
    }
  });

  test('positions past the trained length use the stretched rotation of the plain forward', async () => {
    const short = await open({}, { max_positions: 16 });
    const asked = { ...prompt(short, 3, [image(3, 56, 28)]), n: 2, key: 'long' };
    const { responses } = await roll([asked], { maxTokens: 1, stop: new Int32Array(0) }, short);
    // The prompt alone: later tokens stretch further, while cached keys keep their angles, as in the reference.
    const { logits } = await addon().checks.inspect(short, { ...asked, response: new Int32Array(0) }, ['logits']);
    const row = [...(logits?.data ?? [])].slice(-64);
    const total = Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0));
    for (const { tokens, logprobs } of responses[0] ?? []) {
      expect(Math.abs((logprobs[0] ?? 0) - ((row[tokens[0] ?? 0] ?? 0) - total))).toBeLessThan(1e-4);
    }
    expect(asked.tokens.length).toBeGreaterThan(16);
    await short.dispose();
  });
});

/** Two layers, two key heads of width 8, keys and values of 16 tokens in float32. */
const BLOCK_BYTES = 2 * 2 * 2 * 8 * 16 * 4;

/** Continuations of prefixes of several lengths. */
const forksOf = (question: RawRequest, longest: number): RawRequest[] =>
  [3, 7, longest].map((length) => ({
    ...question,
    prefix: Int32Array.from({ length }, (_, i) => 3 + ((i * 7) % 50)),
    n: 5,
    key: `fork ${length}`,
  }));

describe('sharing', () => {
  test('one prompt is prefilled once and its picture encoded once for all samples', async () => {
    const asked = { ...prompt(model, 1, [image(1)]), n: 16, key: 'a' };
    const fresh = await open();
    const result = await roll([asked], {}, fresh);
    await fresh.dispose();
    expect(result.visionEncodes).toBe(1);
    expect(result.prefillTokens).toBe(asked.tokens.length);
    expect(result.decodeTokens).toBe(result.responses.flat().reduce((sum, r) => sum + r.tokens.length, 0));
  });

  test('completions from several step ends of a response prefill the response once', async () => {
    const asked = prompt(model, 2, [image(2)]);
    const { responses } = await roll([{ ...asked, n: 1, key: 'r' }], { stop: new Int32Array(0), maxTokens: 30 });
    const response = responses[0]?.[0]?.tokens ?? new Int32Array(0);
    const forks = [0, 7, 19, 30].map((end) => ({ ...asked, prefix: response.slice(0, end), n: 4, key: `fork ${end}` }));
    const result = await roll(forks);
    expect([result.prefillTokens, result.cachedPrompts, result.visionEncodes]).toEqual([30, 1, 0]);
    for (const [i, samples] of result.responses.entries()) {
      const prefix = [...(forks[i]?.prefix ?? [])];
      const plain = await model.logprobs(
        samples.map((s) => ({ ...asked, response: Int32Array.from([...prefix, ...s.tokens]) })),
      );
      samples.forEach((s, j) => {
        expectSameLogprobs(s.logprobs, plain[j]?.slice(prefix.length) ?? []);
      });
    }
  });
});

const firstResponse = ({ responses }: RawRollout, request: number): Int32Array =>
  (responses[request] as RawRollout['responses'][number])[0]?.tokens ?? new Int32Array(0);

describe('counters', () => {
  const STEPS = 6;
  const STEP_TOKENS = 5;

  test('four questions x 16 samples, then forks at six step ends of one response each', async () => {
    const fresh = await open();
    const whole = { stop: new Int32Array(0), maxTokens: STEPS * STEP_TOKENS };
    const asked = Array.from({ length: 4 }, (_, i) => ({
      ...prompt(fresh, i, [image(i), image(i + 9)]),
      n: 16,
      key: `q${i}`,
    }));
    const promptTokens = asked.reduce((sum, { tokens }) => sum + tokens.length, 0);
    const sampled = await roll(asked, whole, fresh);
    expect(sampled).toMatchObject({
      visionEncodes: 8,
      prefillTokens: promptTokens,
      decodeTokens: 4 * 16 * STEPS * STEP_TOKENS,
      cachedPrompts: 0,
      recomputedTokens: 0,
    });
    const forks = asked.flatMap((question, q) =>
      Array.from({ length: STEPS }, (_, step) => ({
        ...question,
        prefix: firstResponse(sampled, q).slice(0, (step + 1) * STEP_TOKENS),
        n: 8,
        key: `q${q} step ${step}`,
      })),
    );
    const labelled = await roll(forks, { stop: new Int32Array(0), maxTokens: 10 }, fresh);
    // The prompts are there already; of each response every token is computed once, though six prefixes end in it.
    expect(labelled).toMatchObject({
      visionEncodes: 0,
      prefillTokens: 4 * STEPS * STEP_TOKENS,
      decodeTokens: 4 * STEPS * 8 * 10,
      cachedPrompts: 4,
    });
    // Without sharing each fork would prefill its prompt and prefix.
    const alone = forks.reduce((sum, { tokens, prefix }) => sum + tokens.length + prefix.length, 0);
    expect(alone).toBe(STEPS * promptTokens + 4 * STEP_TOKENS * ((STEPS * (STEPS + 1)) / 2));
    await fresh.dispose();
  });

  test('prompts are kept across calls while the weights stand, and not beyond', async () => {
    const own = await open();
    const asked = requests(5, 2);
    const first = await roll(asked, {}, own);
    const warmer = await roll(asked, { temperature: 1.5 }, own);
    expect([first.cachedPrompts, warmer.cachedPrompts, warmer.prefillTokens]).toEqual([0, 5, 0]);
    expect(flat(await roll(asked, {}, own))).toEqual(flat(first));
    await own.setOptimizer(optimizer());
    await own.trainStep([{ ...prompt(own, 1), response: Int32Array.of(7, 8, 9) }], 'response');
    expect(await roll(asked, {}, own)).toMatchObject({ cachedPrompts: 0, prefillTokens: first.prefillTokens });
    await own.dispose();
  });
});

describe.each(['float32', 'bfloat16'] as const)('determinism in %s, bit for bit', (dtype) => {
  const blockBytes = dtype === 'float32' ? BLOCK_BYTES : BLOCK_BYTES / 2;
  let same: NativeModel;
  beforeAll(async () => {
    same = await open({ dtype });
  });
  afterAll(() => same.dispose());

  test.each([400, 120, 70, 48])(
    'a response does not depend on the memory for keys and values: %s blocks',
    async (blocks) => {
      const asked = [...requests(9, 6), ...forksOf(requests(1, 1)[0] as RawRequest, 12)];
      const wide = await open({ dtype });
      const narrow = await open({ dtype, kvBytes: blocks * blockBytes });
      const long = { maxTokens: 40, stop: new Int32Array(0) };
      const [a, b] = [await roll(asked, long, wide), await roll(asked, long, narrow)];
      expect(flat(b)).toEqual(flat(a));
      expect(a.recomputedTokens).toBe(0);
      expect(b.kvBytes).toBeLessThanOrEqual(blocks * blockBytes);
      if (blocks <= 70) expect(b.recomputedTokens).toBeGreaterThan(0);
      await wide.dispose();
      await narrow.dispose();
    },
  );

  test('memory that is too small for one response is refused, and it is said what to change', async () => {
    const narrow = await open({ dtype, kvBytes: 4 * blockBytes, threads: 1 });
    await expect(roll(requests(1, 2), { maxTokens: 400, stop: new Int32Array(0) }, narrow)).rejects.toThrow(
      /memory for keys and values: .* too little for .*; give kvGib more/,
    );
    await narrow.dispose();
  });

  test('a response does not depend on what else is in the call, nor on the order of requests', async () => {
    const asked = requests(12, 4);
    const together = await roll(asked, {}, same);
    const backwards = await roll([...asked].reverse(), {}, same);
    const alone = await roll([asked[5] as RawRequest], {}, same);
    expect(flat({ ...backwards, responses: [...backwards.responses].reverse() })).toEqual(flat(together));
    expect(flat(alone)).toEqual(flat({ ...together, responses: [together.responses[5] ?? []] }));
  });

  test('a response does not depend on the number of threads', async () => {
    const single = await open({ dtype, threads: 1 });
    expect(flat(await roll(requests(9, 4), {}, single))).toEqual(flat(await roll(requests(9, 4), {}, same)));
    await single.dispose();
  });
});

describe('draws', () => {
  test('another seed, key or sample gives another draw', async () => {
    const [one] = requests(1, 2) as [RawRequest];
    const base = (await roll([one])).responses[0];
    const seed = (await roll([one], { seed: 12 })).responses[0];
    const key = (await roll([{ ...one, key: 'other' }])).responses[0];
    const text = (r: { tokens: Int32Array } | undefined) => r?.tokens.join();
    expect(new Set([text(base?.[0]), text(base?.[1]), text(seed?.[0]), text(key?.[0])]).size).toBe(4);
  });
});

describe('the distribution', () => {
  async function histogram(how: Partial<RawSampling>): Promise<{ seen: Map<number, number>; probabilities: number[] }> {
    const asked = { ...prompt(model, 6), n: 20000, key: 'histogram' };
    const { responses } = await roll([asked], { maxTokens: 1, ...how });
    const seen = new Map<number, number>();
    for (const r of responses[0] ?? []) seen.set(r.tokens[0] ?? -1, (seen.get(r.tokens[0] ?? -1) ?? 0) + 1);
    const { logits } = await addon().checks.inspect(model, { ...asked, response: new Int32Array(0) }, ['logits']);
    const row = [...(logits?.data ?? [])].slice(-64).map((x) => Math.exp(x / (how.temperature ?? 1)));
    const sum = row.reduce((a, b) => a + b, 0);
    return { seen, probabilities: row.map((x) => x / sum) };
  }

  test.each([1, 0.5, 1.6])('frequencies follow softmax(logits / T) at T = %s', async (temperature) => {
    const { seen, probabilities } = await histogram({ temperature });
    probabilities.forEach((p, token) => {
      const spread = Math.sqrt((p * (1 - p)) / 20000);
      expect(Math.abs((seen.get(token) ?? 0) / 20000 - p)).toBeLessThan(5 * spread + 1e-4);
    });
  });

  test('top-k keeps exactly the k most likely tokens', async () => {
    const { seen, probabilities } = await histogram({ topK: 3 });
    const order = probabilities.map((p, i) => [p, i] as const).sort((a, b) => b[0] - a[0]);
    expect([...seen.keys()].sort()).toEqual(
      order
        .slice(0, 3)
        .map(([, i]) => i)
        .sort(),
    );
  });

  test('top-p keeps the smallest set whose mass reaches p, renormalised', async () => {
    const { seen, probabilities } = await histogram({ topP: 0.6 });
    const order = probabilities.map((p, i) => [p, i] as const).sort((a, b) => b[0] - a[0]);
    let mass = 0;
    const kept = order.filter(([p]) => {
      const before = mass;
      mass += p;
      return before < 0.6;
    });
    expect([...seen.keys()].sort()).toEqual(kept.map(([, i]) => i).sort());
    const total = kept.reduce((sum, [p]) => sum + p, 0);
    for (const [p, i] of kept) expect(Math.abs((seen.get(i) ?? 0) / 20000 - p / total)).toBeLessThan(0.02);
  });

  test('a response ends with its first stop id, or at the limit', async () => {
    const { responses } = await roll(requests(6, 8), { stop: Int32Array.of(5, 9), maxTokens: 15 });
    const all = responses.flat();
    expect(new Set(all.map((r) => r.finish))).toEqual(new Set(['stop', 'length']));
    for (const r of all) {
      const at = r.tokens.findIndex((t) => t === 5 || t === 9);
      expect(r.finish === 'stop' ? at : r.tokens.length).toBe(r.finish === 'stop' ? r.tokens.length - 1 : 15);
    }
  });
});
