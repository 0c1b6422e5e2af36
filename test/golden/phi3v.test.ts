// The layout of Phi-3.5-vision folders, on folders written here: samples of stages, padded pictures, numbered image ids.
import { afterAll, describe, expect, test } from 'vitest';
import type { Backbone } from '../../src/backbones/backbone.js';
import { layout } from '../../tools/golden/layouts/phi3v.js';
import type { Numbers } from '../../tools/golden/numbers.js';
import { Report } from '../../tools/golden/report.js';
import { checkPrm, checkSft } from '../../tools/golden/training.js';
import { removeTemporary } from '../fakes/model-folder.js';
import { pngFile, solidPng } from '../fakes/png.js';
import {
  bumped,
  differing,
  type FakeModel,
  fakeModel,
  folderOf,
  linesOf,
  ramp,
  type Tensors,
  writeGolden,
} from './fakes.js';

afterAll(removeTemporary);

const BEGIN = 1000;
const END = 1002;
const SIDE = 12;
const code = (text: string): number[] => Array.from(text, (character) => character.codePointAt(0) as number);

/** A begin mark after every picture; a picture of `rows` tiles has `rows` tokens. */
const backbone: FakeModel['backbone'] = {
  begin: '<s>',
  endOfTurn: '<|end|>',
  imageToken: { id: -1, shown: '<|image|>' },
  picture: ({ tokens }) => [{ tokens }, { special: '<s>' }],
  ask: (question, images) => [
    ...Array.from({ length: images }, (_, image) => [{ image }, { text: '\n' }]).flat(),
    { text: question },
  ],
  render: ({ turns }) => [{ special: '<s>' }, ...turns.flatMap(({ content }) => content)],
};
const specials = { '<s>': BEGIN, '<|end|>': END };

const colors = [
  [10, 20, 30],
  [200, 100, 50],
] as const;
const mean = [0.5, 0.25, 0.125];
const std = [0.5, 0.25, 0.5];
const normalised = (tile: number, channel: number): number =>
  (colors[tile]![channel]! / 255 - mean[channel]!) / std[channel]!;

/** Global view, then one tile of each colour: [1 + 2, 3, SIDE, SIDE]. */
function tiles(): Numbers {
  const plane = SIDE * SIDE;
  const data = new Float32Array(9 * plane);
  data.set(ramp([3 * plane]).data);
  for (const tile of [0, 1])
    for (const channel of [0, 1, 2])
      data.fill(normalised(tile, channel), ((tile + 1) * 3 + channel) * plane, ((tile + 1) * 3 + channel + 1) * plane);
  return { shape: [3, 3, SIDE, SIDE], data };
}

const pixels = tiles();
const stages: Tensors = {
  'pixel_values.0': pixels,
  'vision_tower_output.0': ramp([3, 8, 2]),
  'image_embeds.0': ramp([2, 4]),
  embeddings: ramp([7, 4]),
  hidden: ramp([7, 4], 9),
  logits: ramp([7, 5]),
};
const at = (tensor: Numbers, index: number): number => tensor.data[index]!;

/** Sums over a plane of the picture's pixels. */
function stats(tile: number) {
  const values = (channel: number) =>
    Array.from(pixels.data).slice((tile * 3 + channel) * 144, (tile * 3 + channel + 1) * 144);
  const total = (channel: number, power: number) => values(channel).reduce((sum, value) => sum + value ** power, 0);
  return { sum: [0, 1, 2].map((channel) => total(channel, 1)), sumsq: [0, 1, 2].map((channel) => total(channel, 2)) };
}

const lastOf = (name: string, width: number) => Array.from(stages[name]!.data).slice(-width);
const expected: Tensors = {
  'pixel_values.0.global_s7': {
    shape: [3, 2, 2],
    data: Float32Array.from([0, 1, 2].flatMap((c) => [0, 7, 84, 91].map((i) => at(pixels, c * 144 + i)))),
  },
  'pixel_values.0.global_row3': {
    shape: [3, SIDE],
    data: Float32Array.from(
      [0, 1, 2].flatMap((c) => Array.from({ length: SIDE }, (_, i) => at(pixels, c * 144 + 36 + i))),
    ),
  },
  'pixel_values.0.local_s16': {
    shape: [2, 3, 1, 1],
    data: Float32Array.from([0, 1].flatMap((tile) => [0, 1, 2].map((channel) => normalised(tile, channel)))),
  },
  'vision_tower_output_s4.0': {
    shape: [3, 2, 2],
    data: Float32Array.from(
      [0, 1, 2].flatMap((t) => [0, 1, 8, 9].map((i) => at(stages['vision_tower_output.0']!, t * 16 + i))),
    ),
  },
  'image_embeds.0': stages['image_embeds.0']!,
  hidden_last: {
    shape: [3, 4],
    data: Float32Array.from([...lastOf('embeddings', 4), 0, 0, 0, 0, ...lastOf('hidden', 4)]),
  },
  prompt_logits: {
    shape: [2, 5],
    data: Float32Array.from([...Array.from(stages.logits!.data).slice(0, 5), ...lastOf('logits', 5)]),
  },
  prompt_max: { shape: [7], data: Float32Array.from({ length: 7 }, (_, row) => (row * 5 + 4) / 16) },
  prompt_lse: {
    shape: [7],
    data: Float32Array.from({ length: 7 }, (_, row) =>
      Math.log([0, 1, 2, 3, 4].reduce((sum, i) => sum + Math.exp((row * 5 + i) / 16), 0)),
    ),
  },
  response_logprobs: { shape: [2], data: Float32Array.from([-1.5, -2.5]) },
};
const prompt = {
  messages: [{ role: 'user', content: '<|image_1|>\nhi', images: ['one.jpg.png'] }],
  prompt_text: '<|image_1|>\nhi',
  input_ids: [BEGIN, -1, -1, BEGIN, ...code('\nhi')],
  image_token_spans: [[1, 3]],
  image_sizes_hw: [[SIDE, 2 * SIDE]],
  num_img_tokens: [2],
  pixel_values_shape: [1, 5, 3, SIDE, SIDE],
  pixel_stats: [[stats(0), stats(1), stats(2)]],
  prompt_logit_positions: [0, 6],
  prompt_argmax: [4, 4, 4, 4, 4, 4, 4],
  response_ids: [5, 6],
};
const row = [...Array.from({ length: SIDE }, () => colors[0]), ...Array.from({ length: SIDE }, () => colors[1])].flat();
const padded = pngFile({ width: 2 * SIDE, height: SIDE, rows: Array.from({ length: SIDE }, () => row) });
const picture = solidPng(3, 2, [1, 2, 3]);

function golden(files: Readonly<Record<string, unknown>> = {}) {
  const inCase = {
    'case.json': prompt,
    'expected.safetensors': expected,
    'one.jpg.png': picture,
    'hd_one.jpg.png': padded,
    ...files,
  };
  const named = Object.entries(inCase).map(([name, content]) => [`cases/one/${name}`, content]);
  const side = { 'preprocessor_config.json': { image_mean: mean, image_std: std } };
  const dir = writeGolden({ ...Object.fromEntries(named), ...side });
  return layout.read(folderOf(dir, {}, Object.keys(side)), backbone as Backbone);
}

function model(fake: Partial<FakeModel> = {}) {
  const cut = () => ({ cols: 2, rows: 1, tiles: 3, tokens: 2 });
  return fakeModel({ backbone, specials, layout: cut, stages, logprobs: [-1.5, -2.5], ...fake });
}

async function differingWith(name: string, changed: Numbers): Promise<string[]> {
  return differing(await linesOf(await golden(), model({ stages: { ...stages, [name]: changed } })));
}

describe('cases', () => {
  test('a model that agrees passes every stage, in the order of computation', async () => {
    const lines = await linesOf(await golden(), model());
    expect(lines.filter(({ ok }) => !ok)).toEqual([]);
    expect(lines.map(({ stage }) => stage)).toEqual([
      'prompt_text',
      'image_sizes_hw',
      'num_img_tokens',
      'input_ids',
      'image_token_spans',
      'hd_one.jpg.png',
      'pixel_stats.0',
      'pixel_values.0.global_s7',
      'pixel_values.0.global_row3',
      'pixel_values.0.local_s16',
      'vision_tower_output_s4.0',
      'image_embeds.0',
      'hidden_last.0',
      'hidden_last.2',
      'prompt_logits',
      'prompt_lse',
      'prompt_max',
      'prompt_argmax',
      'response_logprobs',
    ]);
  });

  test('one grey level in one pixel is seen in the padded picture', async () => {
    const data = Float32Array.from(pixels.data);
    data[3 * 144 + 77] = (colors[0][0] + 1) / 255 / std[0]! - mean[0]! / std[0]!;
    const found = await differingWith('pixel_values.0', { shape: pixels.shape, data });
    expect(found[0]).toBe('hd_one.jpg.png');
    expect(found).toContain('pixel_stats.0');
  });

  test('a difference between the stored samples of the global view is seen in its sums', async () => {
    expect(await differingWith('pixel_values.0', bumped(pixels, 1))).toEqual(['pixel_stats.0']);
    expect(await differingWith('pixel_values.0', bumped(pixels, 7))).toEqual([
      'pixel_stats.0',
      'pixel_values.0.global_s7',
    ]);
  });

  test('the first stage that differs is named', async () => {
    expect(await differingWith('vision_tower_output.0', bumped(stages['vision_tower_output.0']!, 8))).toEqual([
      'vision_tower_output_s4.0',
    ]);
    expect(await differingWith('image_embeds.0', bumped(stages['image_embeds.0']!))).toEqual(['image_embeds.0']);
    expect(await differingWith('embeddings', bumped(stages.embeddings!, 27))).toEqual(['hidden_last.0']);
    expect(await differingWith('hidden', bumped(stages.hidden!, 27))).toEqual(['hidden_last.2']);
    // Position 3 has no stored logits, but its sums and its largest one are.
    expect(await differingWith('logits', bumped(stages.logits!, 15))).toEqual([
      'prompt_lse',
      'prompt_max',
      'prompt_argmax',
    ]);
  });

  test('ids that number the pictures are compared by place', async () => {
    const ids = [BEGIN, -2, -2, BEGIN, ...code('\nhi')];
    expect(differing(await linesOf(await golden({ 'case.json': { ...prompt, input_ids: ids } }), model()))).toEqual([]);
    ids[4] = 7;
    expect(differing(await linesOf(await golden({ 'case.json': { ...prompt, input_ids: ids } }), model()))).toEqual([
      'input_ids',
    ]);
  });

  test('white space that a special string takes is not wanted in the text', async () => {
    const marks = { 7: { content: '|', rstrip: true }, 8: { content: '/' } };
    const side = { 'tokenizer_config.json': { added_tokens_decoder: marks } };
    const dir = writeGolden({
      ...side,
      'cases/a/case.json': { ...prompt, messages: [], prompt_text: 'a |\n b/ c |' },
      'cases/a/expected.safetensors': {},
    });
    const { cases } = await layout.read(folderOf(dir, {}, Object.keys(side)), backbone as Backbone);
    expect(cases[0]!.prompts[0]!.text.wanted).toBe('<s>a |b/ c |');
  });

  test('a tag places its picture anywhere in a conversation', async () => {
    const messages = [
      { role: 'user', content: 'a<|image_1|>b', images: ['one.jpg.png'] },
      { role: 'assistant', content: 'c' },
    ];
    const { cases } = await golden({ 'case.json': { ...prompt, messages } });
    expect(cases[0]!.prompts[0]!.conversation.turns.map(({ content }) => content)).toEqual([
      [{ text: 'a' }, { image: 0 }, { text: 'b' }],
      [{ text: 'c' }],
    ]);
  });

  test('rows of a batch have their own tensors', async () => {
    const plain = { ...prompt, pixel_stats: undefined, prompt_argmax: undefined };
    const logits = expected.prompt_logits!;
    const files = {
      'case.json': { rows: [plain, plain] },
      'expected.safetensors': { 'row0.prompt_logits': logits, 'row1.prompt_logits': bumped(logits) },
    };
    const lines = await linesOf(await golden(files), model({ logprobs: [] }));
    expect(lines.filter(({ ok }) => !ok)).toMatchObject([{ place: 'cases/one 1', stage: 'prompt_logits' }]);
  });
});

describe('training', () => {
  const weights = { 'a.weight': ramp([2, 2], 1), 'unused.weight': ramp([2], 1), 'noisy.bias': ramp([2], 1) };
  const stepped = { ...weights, 'a.weight': bumped(weights['a.weight']), 'noisy.bias': bumped(weights['noisy.bias']) };
  const gradient = (value: number, count: number): Numbers => ({
    shape: [count],
    data: new Float32Array(count).fill(value),
  });
  const gradients = { 'a.weight': gradient(2, 4), 'noisy.bias': gradient(1e-8, 1) };
  const sft = {
    ...prompt,
    response_ids: [...code('ok'), END],
    response_text: 'ok',
    loss: 2,
    new_loss: 4 / 3,
    optimizer: {
      name: 'AdamW',
      lr: 1e-3,
      betas: [0.9, 0.95],
      eps: 1e-8,
      weight_decay: 0.1,
      weight_decay_on: 'ndim>=2',
      clip: null,
      step: 1,
    },
    grad_norm: { 'a.weight': 4, 'unused.weight': 0, 'noisy.bias': 5e-9 },
    delta_norm: { 'a.weight': 1, 'unused.weight': 0, 'noisy.bias': 0.1 },
    no_grad_params: ['unused.weight'],
    rounding_noise_params: ['noisy.bias'],
  };

  async function linesOfSft(document: object, fake: Partial<FakeModel> = {}) {
    const dir = writeGolden({ 'sft/expected.json': document, 'sft/one.jpg.png': picture });
    const { sft: input } = await layout.read(folderOf(dir), backbone as Backbone);
    const report = new Report(() => {});
    await checkSft(report, model({ weights, stepped, gradients, loss: 2, ...fake }), input!);
    return report.lines;
  }

  test('a parameter without a gradient has none and is not decayed', async () => {
    expect(differing(await linesOfSft(sft))).toEqual([]);
    const decayed = { ...stepped, 'unused.weight': bumped(weights['unused.weight']) };
    expect(differing(await linesOfSft(sft, { stepped: decayed }))).toEqual(['delta_norm']);
    const reached = { ...gradients, 'unused.weight': gradient(0, 1) };
    expect(differing(await linesOfSft(sft, { gradients: reached }))).toEqual(['grad_norm', 'no gradient']);
  });

  test('the ids of the answer follow from its text', async () => {
    expect(differing(await linesOfSft({ ...sft, response_text: 'no' }))).toEqual(['response_ids']);
  });

  test('head and prefix of the reward model have their own names', async () => {
    const prm = {
      ...prompt,
      token_labels: [1, 0],
      scores: [0.5, 0.25],
      loss: 2,
      grad_norm: { 'a.weight': 4, 'head.bias': 3 },
      frozen_prefix: 'noisy.',
    };
    const dir = writeGolden({
      'prm/expected.json': prm,
      'prm/head.safetensors': { 'score_head.bias': ramp([1]) },
      'prm/one.jpg.png': picture,
    });
    const { prm: input } = await layout.read(folderOf(dir), backbone as Backbone);
    const lines = async (bias: Numbers) => {
      const report = new Report(() => {});
      const fake = { weights: { ...weights, 'reward_head.bias': bias }, loss: 2, scores: [0.5, 0.25] };
      await checkPrm(
        report,
        model({ ...fake, gradients: { ...gradients, 'reward_head.bias': gradient(3, 1) } }),
        input!,
      );
      return report.lines;
    };
    expect(differing(await lines(ramp([1])))).toEqual([]);
    expect(differing(await lines(ramp([1], 1)))).toEqual(['reward_head.bias']);
  });
});
