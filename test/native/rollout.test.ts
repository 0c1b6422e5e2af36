// The decode path against its plain twin, and what a rollout promises: sharing, independence of the batch, exact distributions.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NativeModel, RawRequest, RawRollout, RawSampling } from '../../src/engine/binding.js';
import { image, largestDifference, never, open, prompt, removeTemporary, sampling } from './tiny-model.js';

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
        expect(largestDifference(s.logprobs, plain[j] ?? [])).toBeLessThan(1e-4);
      });
    }
  });

  test('head widths that are no multiple of 8, one kv head and odd sizes work as well', async () => {
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
        expect(largestDifference(s.logprobs, plain[j] ?? [])).toBeLessThan(1e-4);
      });
      await odd.dispose();
    }
  });

  test('greedy decoding takes the most likely token of the plain forward at every position', async () => {
    const asked = { ...prompt(model, 4, [image(4)]), n: 1, key: 'g' };
    const { responses } = await roll([asked], { temperature: 0, stop: new Int32Array(0), maxTokens: 12 });
    const greedy = [...(responses[0]?.[0]?.tokens ?? [])];
    for (let at = 0; at < greedy.length; at++) {
      const { logits } = await model.inspect(
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
    const { logits } = await short.inspect({ ...asked, response: new Int32Array(0) }, ['logits']);
    const row = [...(logits?.data ?? [])].slice(-64);
    const total = Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0));
    for (const { tokens, logprobs } of responses[0] ?? []) {
      expect(Math.abs((logprobs[0] ?? 0) - ((row[tokens[0] ?? 0] ?? 0) - total))).toBeLessThan(1e-4);
    }
    expect(asked.tokens.length).toBeGreaterThan(16);
    await short.dispose();
  });
});

describe('sharing', () => {
  test('one prompt is prefilled once and its picture encoded once for all samples', async () => {
    const asked = { ...prompt(model, 1, [image(1)]), n: 16, key: 'a' };
    const result = await roll([asked]);
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
    expect(result.prefillTokens).toBe(asked.tokens.length + 30);
    for (const [i, samples] of result.responses.entries()) {
      const prefix = [...(forks[i]?.prefix ?? [])];
      const plain = await model.logprobs(
        samples.map((s) => ({ ...asked, response: Int32Array.from([...prefix, ...s.tokens]) })),
      );
      samples.forEach((s, j) => {
        expect(largestDifference(s.logprobs, plain[j]?.slice(prefix.length) ?? [])).toBeLessThan(1e-4);
      });
    }
  });
});

describe('determinism, bit for bit', () => {
  test('a response does not depend on what else is in the call, nor on the order of requests', async () => {
    const asked = requests(12, 4);
    const together = await roll(asked);
    const backwards = await roll([...asked].reverse());
    const alone = await roll([asked[5] as RawRequest]);
    expect(flat({ ...backwards, responses: [...backwards.responses].reverse() })).toEqual(flat(together));
    expect(flat(alone)).toEqual(flat({ ...together, responses: [together.responses[5] ?? []] }));
  });

  test('a response does not depend on the number of threads', async () => {
    const single = await open({ threads: 1 });
    expect(flat(await roll(requests(9, 4), {}, single))).toEqual(flat(await roll(requests(9, 4))));
    await single.dispose();
  });

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
    const { logits } = await model.inspect({ ...asked, response: new Int32Array(0) }, ['logits']);
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
