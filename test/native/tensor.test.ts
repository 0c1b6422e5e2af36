// The executor of GPUs against the packed one and the plain forward, on the CPU.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NativeModel, RawRequest, RawRollout, RawSampling } from '../../src/engine/binding.js';
import {
  image,
  largestDifference,
  never,
  open,
  openTensor,
  optimizer,
  prompt,
  removeTemporary,
  sampling,
} from './tiny-model.js';

let packed: NativeModel;
let tensor: NativeModel;
beforeAll(async () => {
  packed = await open();
  tensor = await openTensor();
});
afterAll(async () => {
  await packed.dispose();
  await tensor.dispose();
  removeTemporary();
});

const roll = (model: NativeModel, requests: RawRequest[], how: Partial<RawSampling> = {}): Promise<RawRollout> =>
  model.rollout(requests, sampling(how), never(), null, null);
const tokens = (result: RawRollout) => result.responses.flat().map((sample) => [...sample.tokens]);
const asked = (count: number, n: number): RawRequest[] =>
  Array.from({ length: count }, (_, i) => ({
    ...prompt(packed, i, i % 3 === 0 ? [] : [image(i), image(i + 1)]),
    n,
    key: `q${i}`,
  }));

/** Two layers, two key heads of width 8, keys and values of 16 tokens in bfloat16. */
const BLOCK_BYTES = 2 * 2 * 2 * 8 * 16 * 2;

describe('the tensor executor in float32', () => {
  test.each([
    ['plain sampling', {}],
    ['greedy', { temperature: 0 }],
    ['top-k and top-p at another temperature', { temperature: 0.7, topK: 20, topP: 0.9 }],
  ])('draws what the packed executor draws: %s', async (_, how) => {
    const [a, b] = [await roll(packed, asked(6, 4), how), await roll(tensor, asked(6, 4), how)];
    expect(tokens(b)).toEqual(tokens(a));
    a.responses.flat().forEach((sample, i) => {
      expect(largestDifference(sample.logprobs, b.responses.flat()[i]?.logprobs ?? [])).toBeLessThan(1e-4);
    });
    expect(b.decodeTokens).toBe(a.decodeTokens);
  });

  test('computes as many tokens and pictures as the packed executor does for prompts that are new to both', async () => {
    const [fresh, other] = [await open(), await openTensor()];
    const [a, b] = [await roll(fresh, asked(6, 4)), await roll(other, asked(6, 4))];
    expect([b.visionEncodes, b.prefillTokens, b.decodeTokens]).toEqual([
      a.visionEncodes,
      a.prefillTokens,
      a.decodeTokens,
    ]);
    await fresh.dispose();
    await other.dispose();
  });

  test.each(['float32', 'bfloat16'] as const)(
    'in deterministic mode a response in %s does not depend, bit for bit, on what else is in the call',
    async (dtype) => {
      const same = await openTensor({ deterministic: true, dtype });
      const question = prompt(packed, 4, [image(4)]);
      const forks = [0, 5, 11].map((length) => ({
        ...question,
        prefix: Int32Array.from({ length }, (_, i) => 3 + ((i * 11) % 50)),
        n: 3,
        key: `f${length}`,
      }));
      const all = [...asked(7, 5), ...forks];
      const bits = ({ responses }: RawRollout) =>
        responses.map((samples) =>
          samples.map((r) => [[...r.tokens], [...new Uint32Array(Float32Array.from(r.logprobs).buffer)]]),
        );
      const together = bits(await roll(same, all));
      const backwards = bits(await roll(same, [...all].reverse())).reverse();
      expect(backwards).toEqual(together);
      for (const place of [0, 5, 8])
        expect(bits(await roll(same, [all[place] as RawRequest]))).toEqual([together[place]]);
      if (dtype === 'float32')
        expect(tokens(await roll(same, asked(7, 5)))).toEqual(tokens(await roll(packed, asked(7, 5))));
      await same.dispose();
    },
  );

  test('a prompt longer than a piece is prefilled in pieces with the same outcome', async () => {
    const [same, free] = [await openTensor({ deterministic: true }), await openTensor()];
    const tokensOf = (length: number) => Int32Array.from({ length }, (_, i) => 3 + ((i * 13) % 50));
    const long = [{ tokens: tokensOf(700), images: [], prefix: tokensOf(300), n: 4, key: 'long' }];
    const [a, b] = [await roll(same, long), await roll(free, long)];
    expect(tokens(a)).toEqual(tokens(b));
    expect([a.prefillTokens, b.prefillTokens]).toEqual([1000, 1000]);
    await same.dispose();
    await free.dispose();
  });

  test('prompts are kept across calls while the weights stand', async () => {
    const [fresh, other] = [await openTensor(), await openTensor()];
    const first = await roll(fresh, asked(5, 2));
    const again = await roll(fresh, asked(5, 2), { seed: 12 });
    expect([first.cachedPrompts, again.cachedPrompts, again.prefillTokens, again.visionEncodes]).toEqual([0, 5, 0, 0]);
    expect(tokens(again)).toEqual(tokens(await roll(other, asked(5, 2), { seed: 12 })));
    await fresh.setOptimizer(optimizer());
    await fresh.trainStep([{ ...prompt(fresh, 1), response: Int32Array.of(7, 8, 9) }], 'response');
    expect(await roll(fresh, asked(5, 2))).toMatchObject({ cachedPrompts: 0, prefillTokens: first.prefillTokens });
    await fresh.dispose();
    await other.dispose();
  });

  test.each(['float32', 'bfloat16'] as const)(
    'in deterministic mode rows in %s give their memory up and come back with the same bits',
    async (dtype) => {
      const long = { maxTokens: 32, stop: new Int32Array(0) };
      const block = (dtype === 'float32' ? 2 : 1) * BLOCK_BYTES;
      const all = [...asked(3, 3), { ...prompt(packed, 2), prefix: Int32Array.of(9, 8, 7, 6, 5), n: 2, key: 'fork' }];
      const wide = await openTensor({ deterministic: true, dtype });
      const wanted = await roll(wide, all, long);
      expect(wanted.recomputedTokens).toBe(0);
      const narrow = await openTensor({ deterministic: true, dtype, kvBytes: 18 * block });
      const found = await roll(narrow, all, long);
      expect(found.responses).toEqual(wanted.responses);
      expect(found.recomputedTokens).toBeGreaterThan(0);
      expect(found.kvBytes).toBeLessThanOrEqual(18 * block);
      await narrow.dispose();
      await wide.dispose();
    },
  );

  test('memory is held for what rows have drawn, not for what they may draw', async () => {
    const stopping = { maxTokens: 4000, stop: Int32Array.from({ length: 40 }, (_, i) => i) };
    const { kvBytes, responses } = await roll(tensor, asked(4, 4), stopping);
    const longest = Math.max(...responses.flat().map((sample) => sample.tokens.length));
    expect(longest).toBeLessThan(400);
    expect(kvBytes).toBeLessThan(16 * (Math.ceil((longest + 8) / 16) + 4) * 2 * BLOCK_BYTES);
  });

  test('memory that is too small for one response is refused, and it is said what to change', async () => {
    const narrow = await openTensor({ kvBytes: 4 * 2 * BLOCK_BYTES });
    await expect(roll(narrow, asked(1, 2), { maxTokens: 400, stop: new Int32Array(0) })).rejects.toThrow(
      /memory for keys and values: .* MiB are too little for .*; give kvGib more$/,
    );
    await narrow.dispose();
  });

  test('little memory makes calls of fewer rows, with the same responses', async () => {
    const narrow = await openTensor({ kvBytes: 64 * 1024 });
    const long = { maxTokens: 40, stop: new Int32Array(0) };
    const [a, b] = [await roll(tensor, asked(6, 8), long), await roll(narrow, asked(6, 8), long)];
    expect(tokens(b)).toEqual(tokens(a));
    expect(b.kvBytes).toBeLessThan(70 * 1024);
    expect(a.kvBytes).toBeGreaterThan(b.kvBytes);
    await narrow.dispose();
  });

  test('one response of one prompt needs no more places than it fills', async () => {
    const [a, b] = [await roll(packed, asked(1, 1)), await roll(tensor, asked(1, 1))];
    expect(tokens(b)).toEqual(tokens(a));
  });

  test('no sample is lost where more than are decoded together all end with their first token', async () => {
    const many = [{ ...prompt(packed, 1), n: 3000, key: 'many' }];
    const [a, b] = [await roll(packed, many, { maxTokens: 1 }), await roll(tensor, many, { maxTokens: 1 })];
    expect(tokens(b)).toEqual(tokens(a));
    expect(tokens(b).every(({ length }) => length === 1)).toBe(true);
  });

  test('forks of a response continue it as the packed executor does, several lengths in one call', async () => {
    const question = prompt(packed, 3, [image(3)]);
    const whole = await roll(packed, [{ ...question, n: 1, key: 'whole' }], { stop: new Int32Array(0), maxTokens: 30 });
    const response = whole.responses[0]?.[0]?.tokens as Int32Array;
    const forks = [0, 7, 19, 30].map((end) => ({ ...question, prefix: response.slice(0, end), n: 3, key: `f${end}` }));
    const [a, b] = [await roll(packed, forks), await roll(tensor, forks)];
    expect(tokens(b)).toEqual(tokens(a));
    // The prompt was kept from the call before.
    expect(b.prefillTokens).toBe(a.prefillTokens + question.tokens.length);
  });

  test('sequences longer than the table of positions are stretched as by the packed executor', async () => {
    const short = { max_positions: 16 };
    const [a, b] = [await open({}, short), await openTensor({}, short)];
    const requests = asked(2, 2);
    expect(tokens(await roll(b, requests))).toEqual(tokens(await roll(a, requests)));
    await a.dispose();
    await b.dispose();
  });

  test('a cancelled call ends with the code of a cancellation', async () => {
    const flag = never();
    flag.cancel();
    await expect(tensor.rollout(asked(2, 2), sampling(), flag, null, null)).rejects.toMatchObject({
      code: 'ERR_CANCELLED',
    });
  });
});

describe('bfloat16', () => {
  test.each(['packed', 'tensor'] as const)(
    'log-probabilities of a rollout by the %s executor are those of the plain forward, within the rounding of the type',
    async (decode) => {
      const model = await (decode === 'packed' ? open : openTensor)({ dtype: 'bfloat16' });
      const requests = asked(3, 3);
      const { responses } = await roll(model, requests);
      let total = 0;
      let count = 0;
      for (const [i, samples] of responses.entries()) {
        const { tokens, images } = requests[i] as RawRequest;
        const plain = await model.logprobs(samples.map((s) => ({ tokens, images, response: s.tokens })));
        samples.forEach((sample, j) => {
          sample.logprobs.forEach((value, k) => {
            total += Math.abs(value - (plain[j]?.[k] ?? Number.NaN));
          });
          count += sample.logprobs.length;
        });
      }
      expect(total / count).toBeLessThan(0.05);
      await model.dispose();
    },
  );

  test('is near float32 and not equal to it', async () => {
    const model = await open({ dtype: 'bfloat16' });
    const example = { ...prompt(packed, 1, [image(1)]), response: Int32Array.of(7, 8, 9, 10) };
    const [[a], [b]] = [await packed.logprobs([example]), await model.logprobs([example])];
    const difference = largestDifference(a ?? [], b ?? []);
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(0.3);
    await model.dispose();
  });
});
