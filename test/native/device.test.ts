// The decode path of GPUs against the packed path and the plain forward, on the CPU.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NativeModel, RawRequest, RawRollout, RawSampling } from '../../src/engine/binding.js';
import { image, largestDifference, never, open, prompt, removeTemporary, sampling } from './tiny-model.js';

let packed: NativeModel;
let device: NativeModel;
beforeAll(async () => {
  packed = await open();
  device = await open({ decode: 'device' });
});
afterAll(async () => {
  await packed.dispose();
  await device.dispose();
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

describe('the device path in float32', () => {
  test.each([
    ['plain sampling', {}],
    ['greedy', { temperature: 0 }],
    ['top-k and top-p at another temperature', { temperature: 0.7, topK: 20, topP: 0.9 }],
  ])('draws what the packed path draws: %s', async (_, how) => {
    const [a, b] = [await roll(packed, asked(6, 4), how), await roll(device, asked(6, 4), how)];
    expect(tokens(b)).toEqual(tokens(a));
    a.responses.flat().forEach((sample, i) => {
      expect(largestDifference(sample.logprobs, b.responses.flat()[i]?.logprobs ?? [])).toBeLessThan(1e-4);
    });
    expect(b.decodeTokens).toBe(a.decodeTokens);
  });

  test('computes as many tokens and pictures as the packed path does for prompts that are new to both', async () => {
    const fresh = await open();
    const [a, b] = [await roll(fresh, asked(6, 4)), await roll(device, asked(6, 4))];
    expect([b.visionEncodes, b.prefillTokens, b.decodeTokens]).toEqual([
      a.visionEncodes,
      a.prefillTokens,
      a.decodeTokens,
    ]);
    await fresh.dispose();
  });

  test.each(['float32', 'bfloat16'] as const)(
    'in deterministic mode a response in %s does not depend, bit for bit, on what else is in the call',
    async (dtype) => {
      const same = await open({ decode: 'device', deterministic: true, dtype });
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
    const [same, free] = [await open({ decode: 'device', deterministic: true }), await open({ decode: 'device' })];
    const tokensOf = (length: number) => Int32Array.from({ length }, (_, i) => 3 + ((i * 13) % 50));
    const long = [{ tokens: tokensOf(700), images: [], prefix: tokensOf(300), n: 4, key: 'long' }];
    const [a, b] = [await roll(same, long), await roll(free, long)];
    expect(tokens(a)).toEqual(tokens(b));
    expect([a.prefillTokens, b.prefillTokens]).toEqual([1000, 1000]);
    await same.dispose();
    await free.dispose();
  });

  test('little memory makes calls of fewer rows, with the same responses', async () => {
    const narrow = await open({ decode: 'device', kvBytes: 64 * 1024 });
    const long = { maxTokens: 40, stop: new Int32Array(0) };
    const [a, b] = [await roll(device, asked(6, 8), long), await roll(narrow, asked(6, 8), long)];
    expect(tokens(b)).toEqual(tokens(a));
    expect(b.kvBytes).toBeLessThan(70 * 1024);
    expect(a.kvBytes).toBeGreaterThan(b.kvBytes);
    await narrow.dispose();
  });

  test('one response of one prompt needs no more places than it fills', async () => {
    const [a, b] = [await roll(packed, asked(1, 1)), await roll(device, asked(1, 1))];
    expect(tokens(b)).toEqual(tokens(a));
  });

  test('no sample is lost where more than are decoded together all end with their first token', async () => {
    const many = [{ ...prompt(packed, 1), n: 3000, key: 'many' }];
    const [a, b] = [await roll(packed, many, { maxTokens: 1 }), await roll(device, many, { maxTokens: 1 })];
    expect(tokens(b)).toEqual(tokens(a));
    expect(tokens(b).every(({ length }) => length === 1)).toBe(true);
  });

  test('forks of a response continue it as the packed path does, several lengths in one call', async () => {
    const question = prompt(packed, 3, [image(3)]);
    const whole = await roll(packed, [{ ...question, n: 1, key: 'whole' }], { stop: new Int32Array(0), maxTokens: 30 });
    const response = whole.responses[0]?.[0]?.tokens as Int32Array;
    const forks = [0, 7, 19, 30].map((end) => ({ ...question, prefix: response.slice(0, end), n: 3, key: `f${end}` }));
    const [a, b] = [await roll(packed, forks), await roll(device, forks)];
    expect(tokens(b)).toEqual(tokens(a));
    // The prompt was kept from the call before.
    expect(b.prefillTokens).toBe(a.prefillTokens + question.tokens.length);
  });

  test('sequences longer than the table of positions are stretched as in the packed path', async () => {
    const short = { max_positions: 16 };
    const [a, b] = [await open({}, short), await open({ decode: 'device' }, short)];
    const requests = asked(2, 2);
    expect(tokens(await roll(b, requests))).toEqual(tokens(await roll(a, requests)));
    await a.dispose();
    await b.dispose();
  });

  test('a cancelled call ends with the code of a cancellation', async () => {
    const flag = never();
    flag.cancel();
    await expect(device.rollout(asked(2, 2), sampling(), flag, null, null)).rejects.toMatchObject({
      code: 'ERR_CANCELLED',
    });
  });
});

describe('bfloat16', () => {
  test.each(['packed', 'device'] as const)(
    'log-probabilities of a rollout on the %s path are those of its plain forward, within the rounding of the type',
    async (decode) => {
      const model = await open({ dtype: 'bfloat16', decode });
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
