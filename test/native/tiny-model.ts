// A small random InternVL2 in a temporary file, opened through the raw native surface, for the tests of native verbs.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import {
  addon,
  type ModelSpec,
  type NativeModel,
  type RawExample,
  type RawOptimizer,
  type RawSampling,
} from '../../src/engine/binding.js';
import type { Picture } from '../../src/images/decode.js';

export const IMAGE = 60;

/** MSTAR_TEST_DEVICE=cuda runs the same tests on the card. */
export const testDevice = process.env.MSTAR_TEST_DEVICE === 'cuda' ? 'cuda' : 'cpu';

export const config: Record<string, number> = {
  image_size: 28,
  patch_size: 7,
  v_hidden: 16,
  v_layers: 2,
  v_heads: 2,
  v_intermediate: 32,
  v_eps: 1e-6,
  downsample: 0.5,
  min_tiles: 1,
  max_tiles: 4,
  use_thumbnail: 1,
  l_hidden: 32,
  l_layers: 2,
  l_heads: 4,
  l_kv_heads: 2,
  l_intermediate: 48,
  l_eps: 1e-5,
  vocab: 64,
  rope_theta: 1e6,
  rope_factor: 2,
  rope_dynamic: 1,
  max_positions: 32768,
  pad_id: 2,
  image_context_id: IMAGE,
};

/** A cheap reproducible stream in [0, 1). */
export function stream(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const folders: string[] = [];
export function temporary(): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'mstar-native-'));
  folders.push(dir);
  return dir;
}
export function removeTemporary(): void {
  for (const dir of folders.splice(0)) rmSync(dir, { recursive: true, force: true });
}

/** Weights in one raw file; logits are spread enough that sampling is not uniform. */
export function spec(
  overrides: Partial<ModelSpec> = {},
  configOverrides: Record<string, number> = {},
  backbone = 'internvl2',
): ModelSpec {
  const numbers = backbone === 'internvl2' ? { ...config, ...configOverrides } : configOverrides;
  const file = path.join(temporary(), 'weights.bin');
  const random = stream(7);
  let at = 0;
  const tensors = addon()
    .parameterShapes(backbone, numbers)
    .map(({ name, shape }) => {
      const begin = at;
      at += 4 * shape.reduce((a, b) => a * b, 1);
      return { name, dtype: 'F32' as const, shape, begin, end: at };
    });
  const values = new Float32Array(at / 4);
  for (const { name, shape, begin, end } of tensors) {
    const scale = shape.length < 2 ? 0.1 : 2.5 / Math.sqrt(shape.at(-1) ?? 1);
    const centre = /norm.*weight$|mlp1\.0\.weight$|\.ls[12]$/.test(name) ? 1 : 0;
    for (let i = begin / 4; i < end / 4; i++) values[i] = centre + scale * (random() - 0.5);
  }
  writeFileSync(file, Buffer.from(values.buffer));
  return {
    backbone,
    config: numbers,
    weights: [{ path: file, tensors }],
    device: testDevice,
    dtype: 'float32',
    threads: 2,
    head: 'none',
    tokenBudget: 8192,
    ...overrides,
  };
}

export function open(
  overrides: Partial<ModelSpec> = {},
  configOverrides: Record<string, number> = {},
): Promise<NativeModel> {
  return addon().loadModel(spec(overrides, configOverrides));
}

/** The same model, decoding by the tensor executor. */
export function openTensor(
  overrides: Partial<ModelSpec> = {},
  configOverrides: Record<string, number> = {},
): Promise<NativeModel> {
  return addon().checks.loadModel(spec(overrides, configOverrides), { decode: 'tensor' });
}

export function image(seed: number, width = 28, height = 28): Picture {
  const random = stream(seed);
  const rgb = Uint8Array.from({ length: width * height * 3 }, () => Math.floor(random() * 256));
  return { width, height, rgb, key: `picture ${seed} ${width}x${height}` };
}

/** A prompt of some text around `images`, each with the image tokens its tiles make. */
export function prompt(
  model: NativeModel,
  seed: number,
  images: readonly Picture[] = [],
): Pick<RawExample, 'tokens' | 'images'> {
  const random = stream(seed + 100);
  const word = () => 3 + Math.floor(random() * 50);
  const tokens = [1, word(), word()];
  for (const { width, height } of images) {
    tokens.push(...new Array<number>(model.imageLayout(width, height).tokens).fill(IMAGE), word());
  }
  for (let i = 0; i < 4 + (seed % 5); i++) tokens.push(word());
  return { tokens: Int32Array.from(tokens), images };
}

export function sampling(overrides: Partial<RawSampling> = {}): RawSampling {
  return { temperature: 1, topK: 0, topP: 1, maxTokens: 24, seed: 11, stop: Int32Array.of(5), ...overrides };
}

export function optimizer(overrides: Partial<RawOptimizer> = {}): RawOptimizer {
  return {
    lr: 1e-3,
    warmupSteps: 0,
    beta1: 0.9,
    beta2: 0.95,
    eps: 1e-8,
    weightDecay: 0.1,
    clip: 0,
    frozen: [],
    ...overrides,
  };
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs((a[i] ?? 0) - (b[i] ?? 0)));
  return worst;
}

/** Log-probabilities of the sampler are those of the trainer: on a CPU, in float32, to the bit. */
export function expectSameLogprobs(sampled: ArrayLike<number>, trained: ArrayLike<number>): void {
  if (testDevice === 'cpu') expect(Array.from(sampled)).toEqual(Array.from(trained));
  else expect(largestDifference(sampled, trained)).toBeLessThan(1e-4);
}

export const never = () => new (addon().CancelFlag)();
