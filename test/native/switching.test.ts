// Phi-3.5-vision turns keys otherwise once a sequence outgrows a length: rows and prefixes are then computed anew, in both executors.
import { afterAll, describe, expect, test } from 'vitest';
import { addon, type ModelSpec, type NativeModel, type RawRequest } from '../../src/engine/binding.js';
import { expectSameLogprobs, largestDifference, never, removeTemporary, sampling, spec } from './tiny-model.js';

afterAll(removeTemporary);

const LONGEST = 40;
const sizes = {
  patch_size: 14,
  grid: 4,
  v_hidden: 32,
  v_layers: 1,
  v_heads: 2,
  v_intermediate: 48,
  num_crops: 4,
  l_hidden: 32,
  l_layers: 2,
  l_heads: 4,
  l_kv_heads: 4,
  l_intermediate: 48,
  vocab: 64,
  pad_id: 0,
  original_positions: LONGEST,
  max_positions: 32 * LONGEST,
  l_eps: 1e-5,
  rope_theta: 1e4,
};
const factors = Object.fromEntries(
  [1, 1.5, 2, 3].flatMap((short, i) => [
    [`rope_short_${i}`, short],
    [`rope_long_${i}`, 4 ** i],
  ]),
);

const open = (decode: 'packed' | 'tensor', how: Partial<ModelSpec> = {}): Promise<NativeModel> =>
  addon().checks.loadModel(spec({ threads: 1, ...how }, { ...sizes, ...factors }, 'phi3v'), { decode });

const tokens = (length: number, seed: number) => Int32Array.from({ length }, (_, i) => 3 + ((seed + i * 13) % 50));
/** Rows that cross the length at several steps, one that never does, prefixes on both sides of it. */
const requests: RawRequest[] = [
  ...[5, 14, 30, 39, 60].map((length) => ({
    tokens: tokens(length, length),
    images: [],
    n: 2,
    key: `prompt ${length}`,
  })),
  ...[3, 20, 33, 50].map((length) => ({
    tokens: tokens(12, 1),
    images: [],
    prefix: tokens(length, 7),
    n: 2,
    key: `fork ${length}`,
  })),
];
const whole = sampling({ maxTokens: 30, stop: new Int32Array(0) });
const roll = (model: NativeModel) => model.rollout(requests, whole, never(), null, null);
/** Two layers, four heads of width 8, keys and values of 16 tokens in float32. */
const BLOCK_BYTES = 2 * 2 * 4 * 8 * 16 * 4;

describe('a rotation that switches', () => {
  test('log-probabilities after the switch are those of the plain forward of the whole sequence', async () => {
    const model = await open('packed');
    const { responses } = await roll(model);
    for (const [i, samples] of responses.entries()) {
      const { tokens: prompt, images, prefix = new Int32Array(0) } = requests[i] as RawRequest;
      for (const sample of samples)
        for (const length of [1, 15, 30].filter((count) => prompt.length + prefix.length + count > LONGEST + 1)) {
          // The plain forward turns all of a sequence by its whole length: only what follows its last token is compared.
          const response = Int32Array.from([...prefix, ...sample.tokens.slice(0, length)]);
          const example = { tokens: prompt, images, response: response.slice(0, -1) };
          const { logits } = await addon().checks.inspect(model, example, ['logits']);
          const row = [...(logits?.data ?? [])].slice(-sizes.vocab);
          const total = Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0));
          const wanted = (row[response.at(-1) as number] as number) - total;
          expect(Math.abs((sample.logprobs[length - 1] as number) - wanted)).toBeLessThan(1e-4);
        }
    }
    await model.dispose();
  });

  test('log-probabilities of a sequence that does not cross the length have the bits of training', async () => {
    const model = await open('packed');
    const { responses } = await roll(model);
    const compared: string[] = [];
    for (const [i, samples] of responses.entries()) {
      const { tokens: prompt, images, prefix = new Int32Array(0), key } = requests[i] as RawRequest;
      const before = prompt.length + prefix.length;
      if (before <= LONGEST && before + 30 > LONGEST) continue;
      compared.push(key);
      for (const sample of samples) {
        const response = Int32Array.from([...prefix, ...sample.tokens]);
        const [rated] = await model.logprobs([{ tokens: prompt, images, response }]);
        expectSameLogprobs(sample.logprobs, rated?.slice(prefix.length) ?? []);
      }
    }
    expect(compared).toEqual(['prompt 5', 'prompt 60', 'fork 33', 'fork 50']);
    await model.dispose();
  });

  test('the tensor executor draws what the packed one draws', async () => {
    const [packed, tensor] = [await open('packed'), await open('tensor')];
    const [a, b] = [await roll(packed), await roll(tensor)];
    a.responses.flat().forEach((sample, i) => {
      const other = b.responses.flat()[i];
      expect(other?.tokens).toEqual(sample.tokens);
      expect(largestDifference(sample.logprobs, other?.logprobs ?? [])).toBeLessThan(1e-4);
    });
    expect(b.prefillTokens).toBe(a.prefillTokens);
    await packed.dispose();
    await tensor.dispose();
  });

  test.each([
    ['packed', 40],
    ['tensor', 26],
  ] as const)('by the %s executor a response has the same bits in memory of %i blocks', async (decode, blocks) => {
    const wide = await open(decode, { deterministic: true });
    const narrow = await open(decode, { deterministic: true, kvBytes: blocks * BLOCK_BYTES });
    const [a, b] = [await roll(wide), await roll(narrow)];
    expect(b.responses).toEqual(a.responses);
    expect([a.recomputedTokens, b.recomputedTokens > 0]).toEqual([0, true]);
    expect(b.kvBytes).toBeLessThanOrEqual(blocks * BLOCK_BYTES);
    await wide.dispose();
    await narrow.dispose();
  });
});
