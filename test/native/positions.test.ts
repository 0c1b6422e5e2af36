// Pictures that take rows and columns of positions (Qwen2.5-VL, Qwen3-VL): what follows a picture goes on behind its longer side,
// in prompts, forks, kept prompts and rows that were computed again, in both executors as in the plain forward.
import { afterAll, describe, expect, test } from 'vitest';
import { addon, type ModelSpec, type NativeModel, type RawRequest } from '../../src/engine/binding.js';
import { expectSameLogprobs, image, largestDifference, never, removeTemporary, sampling, spec } from './tiny-model.js';

afterAll(removeTemporary);

const IMAGE = 60;
const sizes = {
  ...{ patch_size: 4, merge_size: 2, min_pixels: 64, max_pixels: 4096 },
  ...{ v_hidden: 16, v_layers: 3, v_heads: 2, v_intermediate: 24 },
  ...{ l_hidden: 24, l_layers: 3, l_heads: 4, l_kv_heads: 2, l_head_dim: 12, l_intermediate: 48 },
  ...{ l_eps: 1e-6, vocab: 64, rope_theta: 1e4, section_0: 2, section_1: 2, section_2: 2 },
  ...{ max_positions: 4096, image_token_id: IMAGE },
};
const models = {
  qwen2_5_vl: { ...sizes, tied: 1, window: 2, full_0: 0, full_1: 1, full_2: 0 },
  qwen3_vl: { ...sizes, tied: 0, position_side: 5, deep_layers: 2, deep_0: 2, deep_1: 0 },
};
const open = (
  name: keyof typeof models,
  decode: 'packed' | 'tensor',
  how: Partial<ModelSpec> = {},
): Promise<NativeModel> => addon().checks.loadModel(spec({ threads: 1, ...how }, models[name], name), { decode });

/** 40 x 16 pixels are 5 x 2 image tokens, 16 x 24 are 2 x 3. */
const [wide, high] = [image(1, 40, 16), image(2, 16, 24)];
const text = (length: number, seed: number) => Array.from({ length }, (_, i) => 3 + ((seed + i * 13) % 50));
const pad = (count: number) => new Array<number>(count).fill(IMAGE);
const first = Int32Array.from([...text(3, 1), ...pad(10), ...text(2, 5), ...pad(6), ...text(4, 9)]);
const second = Int32Array.from([...pad(6), ...text(2, 4)]);
/** Two prompts with pictures, one without, and forks of the first; one of them went on with the token of images. */
const requests: RawRequest[] = [
  { tokens: first, images: [wide, high], n: 3, key: 'first' },
  { tokens: second, images: [high], n: 2, key: 'second' },
  { tokens: Int32Array.from(text(7, 2)), images: [], n: 2, key: 'text' },
  ...[text(5, 7), [...text(5, 7), IMAGE, ...text(3, 8)]].map((prefix) => ({
    ...{ tokens: first, images: [wide, high], prefix: Int32Array.from(prefix) },
    ...{ n: 2, key: `fork ${prefix.length}` },
  })),
];
const how = sampling({ maxTokens: 20, stop: new Int32Array(0) });
const roll = (model: NativeModel) => model.rollout(requests, how, never(), null, null);

describe.each(['qwen2_5_vl', 'qwen3_vl'] as const)('%s', (name) => {
  test('a picture is placed by row and column, and the text after it goes on behind its longer side', async () => {
    const model = await open(name, 'packed');
    expect(model.imageLayout(40, 16)).toEqual({ cols: 5, rows: 2, tiles: 1, tokens: 10 });
    const found = await addon().checks.inspect(model, { tokens: second, images: [high], response: new Int32Array(0) }, [
      'position_ids',
    ]);
    expect([...(found.position_ids?.data ?? [])]).toEqual([
      ...[0, 0, 0, 0, 0, 0, 3, 4],
      ...[0, 0, 1, 1, 2, 2, 3, 4],
      ...[0, 1, 0, 1, 0, 1, 3, 4],
    ]);
    await model.dispose();
  });

  test('answers and forks are rated as the plain forward rates them, though one holds the token of images', async () => {
    const model = await open(name, 'packed');
    const { responses } = await roll(model);
    for (const [i, samples] of responses.entries()) {
      const { tokens, images, prefix = new Int32Array(0) } = requests[i] as RawRequest;
      for (const sample of samples) {
        const response = Int32Array.from([...prefix, ...sample.tokens]);
        const [plain = new Float32Array(0)] = await model.logprobs([{ tokens, images, response }]);
        expectSameLogprobs(sample.logprobs, plain.slice(prefix.length));
      }
    }
    await model.dispose();
  });

  test('a prompt is computed once for its samples and forks, and kept for the next call', async () => {
    const model = await open(name, 'packed');
    const [a, b] = [await roll(model), await roll(model)];
    // Three prompts and the longer fork, of which the shorter is the start.
    expect([a.visionEncodes, a.prefillTokens]).toEqual([3, first.length + second.length + 7 + 9]);
    expect([b.visionEncodes, b.prefillTokens, b.cachedPrompts]).toEqual([0, 9, 3]);
    expect(b.responses).toEqual(a.responses);
    await model.dispose();
  });

  test('the tensor executor draws what the packed one draws, also with batches of one size', async () => {
    const packed = await open(name, 'packed');
    const a = await roll(packed);
    for (const deterministic of [false, true]) {
      const tensor = await open(name, 'tensor', { deterministic });
      const b = await roll(tensor);
      a.responses.flat().forEach((sample, i) => {
        const other = b.responses.flat()[i];
        expect(other?.tokens).toEqual(sample.tokens);
        expect(largestDifference(sample.logprobs, other?.logprobs ?? [])).toBeLessThan(1e-4);
      });
      expect([b.visionEncodes, b.prefillTokens]).toEqual([a.visionEncodes, a.prefillTokens]);
      await tensor.dispose();
    }
    await packed.dispose();
  });

  test('rows that gave up their memory go on to the same bits', async () => {
    const [roomy, tight] = [await open(name, 'packed'), await open(name, 'packed', { kvBytes: 13 * BLOCK_BYTES })];
    const [a, b] = [await roll(roomy), await roll(tight)];
    expect(b.recomputedTokens).toBeGreaterThan(0);
    expect(b.responses).toEqual(a.responses);
    await roomy.dispose();
    await tight.dispose();
  });

  test('gradients of forks that share their prompt are those of each by itself', async () => {
    const model = await open(name, 'packed');
    const example = (seed: number) => ({
      ...{ tokens: first, images: [wide, high], response: Int32Array.from(text(4, seed)) },
    });
    const of = async (batch: ReturnType<typeof example>[]) => addon().checks.gradients(model, batch, 'response');
    const [both, one, other] = [await of([example(1), example(2)]), await of([example(1)]), await of([example(2)])];
    for (const [key, { data }] of Object.entries(both.gradients)) {
      const mean = data.map(
        (_, i) => ((one.gradients[key]?.data[i] as number) + (other.gradients[key]?.data[i] as number)) / 2,
      );
      const scale = Math.max(1, ...mean.map(Math.abs));
      expect([key, largestDifference(data, mean) / scale < 1e-4]).toEqual([key, true]);
    }
    await model.dispose();
  });
});

/** Three layers, two key heads of width 12, keys and values of 16 tokens in float32. */
const BLOCK_BYTES = 2 * 3 * 2 * 12 * 16 * 4;
