// The layout of MiniCPM-Llama3-V-2.5 folders, on folders written here: what passes, and which stage is named when it differs.
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Backbone } from '../../src/backbones/backbone.js';
import { layout } from '../../tools/golden/layouts/minicpm.js';
import { readExtras } from '../../tools/golden/layouts/minicpm-extras.js';
import { fill, readResampler } from '../../tools/golden/layouts/minicpm-resampler.js';
import type { Numbers } from '../../tools/golden/numbers.js';
import { Report } from '../../tools/golden/report.js';
import { checkPrm, checkSft } from '../../tools/golden/training.js';
import { removeTemporary } from '../fakes/model-folder.js';
import { solidPng } from '../fakes/png.js';
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
const IMAGE = 1001;
const END = 1002;
const code = (text: string): number[] => Array.from(text, (character) => character.codePointAt(0) as number);

/** Pictures of two tokens, each on a line before the question. */
const backbone: FakeModel['backbone'] = {
  begin: '<b>',
  endOfTurn: '<e>',
  imageToken: { special: '<unk>' },
  picture: ({ tokens }) => [{ text: '[' }, { tokens }, { text: ']' }],
  ask: (question, images) => [
    ...Array.from({ length: images }, (_, image) => [{ image }, { text: '\n' }]).flat(),
    { text: question },
  ],
  render: ({ turns }) => [{ special: '<b>' }, ...turns.flatMap(({ content }) => content)],
};
const specials = { '<b>': BEGIN, '<unk>': IMAGE, '<e>': END };

const messages = [{ role: 'user', content: 'hi', images: ['one.png', 'two.png'] }];
const prompt = {
  messages,
  prompt_text: '<b>[<unk><unk>]\n[<unk><unk>]\nhi',
  input_ids: [BEGIN, ...code('['), IMAGE, IMAGE, ...code(']\n['), IMAGE, IMAGE, ...code(']\nhi')],
  image_token_spans: [
    [2, 4],
    [7, 9],
  ],
  response_ids: [5, 6],
  response_logprobs: [-1.5, -2.5],
};
const stages: Tensors = {
  'pixel_values.0': ramp([3, 2, 4]),
  'pixel_values.1': ramp([3, 2, 12], 5),
  vision_position_ids: { shape: [2, 6], data: [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2] },
  vision_tower_output: ramp([2, 6, 2]),
  resampler_output: ramp([2, 2, 3]),
  logits: ramp([14, 5]),
};
const expected: Tensors = {
  ...stages,
  tgt_sizes: { shape: [2, 2], data: [1, 2, 2, 3] },
  diagnostic_resampler_output_each_slice_alone: ramp([2, 2, 3], 100),
};
const pictures = { 'one.png': solidPng(4, 2, [9, 9, 9]), 'two.png': solidPng(6, 4, [7, 7, 7]) };

function golden(files: Readonly<Record<string, unknown>> = {}) {
  const inCase = { 'case.json': prompt, 'expected.safetensors': expected, ...pictures, ...files };
  const named = Object.entries(inCase).map(([name, content]) => [`cases/both/${name}`, content]);
  return layout.read(folderOf(writeGolden(Object.fromEntries(named))), backbone as Backbone);
}

function model(fake: Partial<FakeModel> = {}) {
  const cut = () => ({ cols: 1, rows: 1, tiles: 1, tokens: 2 });
  return fakeModel({ backbone, specials, layout: cut, stages, logprobs: [-1.5, -2.5], ...fake });
}

describe('cases', () => {
  test('a model that agrees passes every stage, in the order of computation', async () => {
    const lines = await linesOf(await golden(), model());
    expect(differing(lines)).toEqual([]);
    expect(lines.map(({ stage }) => stage)).toEqual([
      'prompt_text',
      'input_ids',
      'image_token_spans',
      'tgt_sizes',
      'pixel_values.0',
      'pixel_values.1',
      'vision_position_ids',
      'vision_tower_output',
      'resampler_output',
      'logits',
      'response_logprobs',
    ]);
  });

  test.each(['pixel_values.1', 'vision_position_ids', 'vision_tower_output', 'resampler_output', 'logits'])(
    'a wrong %s is the stage that is named',
    async (stage) => {
      const wrong = { ...stages, [stage]: bumped(stages[stage] as Numbers, 3) };
      expect(differing(await linesOf(await golden(), model({ stages: wrong })))).toEqual([stage]);
    },
  );

  test('a wrong id, span or text is named', async () => {
    const ids = [...prompt.input_ids];
    ids[1] = 7;
    expect(differing(await linesOf(await golden({ 'case.json': { ...prompt, input_ids: ids } }), model()))).toEqual([
      'input_ids',
    ]);
    const spans = { ...prompt, image_token_spans: [[2, 4]] };
    expect(differing(await linesOf(await golden({ 'case.json': spans }), model()))).toEqual(['image_token_spans']);
    const text = { ...prompt, prompt_text: '[]' };
    expect(differing(await linesOf(await golden({ 'case.json': text }), model()))).toEqual(['prompt_text']);
  });

  test('a slice with another number of patches is seen before its pixels are', async () => {
    const wrong = { ...stages, 'pixel_values.0': ramp([3, 2, 6]) };
    expect(differing(await linesOf(await golden(), model({ stages: wrong })))).toEqual(['tgt_sizes', 'pixel_values.0']);
  });

  test('slices that went through the tower alone are recognised', async () => {
    const alone = { ...stages, resampler_output: ramp([2, 2, 3], 100) };
    const lines = await linesOf(await golden(), model({ stages: alone }));
    expect(lines.find(({ ok }) => !ok)?.note).toContain('as if each slice went through the tower alone');
  });

  test('a stage that the engine does not give fails by name', async () => {
    const { vision_tower_output: _, ...rest } = stages;
    const lines = await linesOf(await golden(), model({ stages: rest }));
    expect(lines.filter(({ ok }) => !ok)).toMatchObject([
      { stage: 'vision_tower_output', note: 'the engine does not give it' },
    ]);
  });

  test('a batch keeps the logits of the last position', async () => {
    const { response_logprobs: _, response_ids: __, ...plain } = prompt;
    const last = { shape: [1, 5], data: Float32Array.from(stages.logits?.data ?? []).slice(-5) };
    const files = {
      'case.json': { batch: [plain, plain] },
      'expected.safetensors': { 'logits.0': last, 'logits.1': last },
    };
    expect(differing(await linesOf(await golden(files), model()))).toEqual([]);
    const wrong = { ...files, 'expected.safetensors': { 'logits.0': last, 'logits.1': ramp([1, 5]) } };
    const lines = await linesOf(await golden(wrong), model());
    expect(lines.filter(({ ok }) => !ok)).toMatchObject([{ place: 'cases/both 1', stage: 'logits' }]);
  });
});

describe('training', () => {
  const weights = { 'a.weight': ramp([2, 2], 1), 'a.bias': ramp([2], 1), 'vpm.k.bias': ramp([2], 1) };
  const stepped = {
    'a.weight': bumped(weights['a.weight']),
    'a.bias': bumped(weights['a.bias']),
    'vpm.k.bias': bumped(weights['vpm.k.bias']),
  };
  const gradient = (value: number, count: number): Numbers => ({
    shape: [count],
    data: new Float32Array(count).fill(value),
  });
  const gradients = { 'a.weight': gradient(2, 4), 'a.bias': gradient(3, 1), 'vpm.k.bias': gradient(1e-8, 1) };
  const sft = {
    ...prompt,
    loss: 2,
    loss_after_step: 2,
    optimizer: {
      name: 'AdamW',
      lr: 1e-3,
      betas: [0.9, 0.95],
      eps: 1e-8,
      weight_decay: 0.1,
      decay_rule: 'tensors with ndim >= 2 only',
      clipping: null,
    },
    grad_norm: { 'a.weight': 4, 'a.bias': 3, 'vpm.k.bias': 5e-9 },
    update_norm: { 'a.weight': 1, 'a.bias': 1, 'vpm.k.bias': 0.1 },
    rounding_noise_tensors: ['vpm.k.bias'],
  };
  const trained = (fake: Partial<FakeModel> = {}) => model({ weights, stepped, gradients, loss: 2, ...fake });

  async function linesOfSft(document: object, fake: Partial<FakeModel> = {}) {
    const dir = writeGolden({
      'sft/sft.json': document,
      'sft/one.png': pictures['one.png'],
      'sft/two.png': pictures['two.png'],
    });
    const { sft: input } = await layout.read(folderOf(dir), backbone as Backbone);
    const report = new Report(() => {});
    await checkSft(report, trained(fake), input!);
    return report.lines;
  }

  test('rounding noise is compared neither as gradient nor as update', async () => {
    expect(differing(await linesOfSft(sft))).toEqual([]);
  });

  test('a gradient, an update or a loss beyond its tolerance is named', async () => {
    expect(differing(await linesOfSft({ ...sft, update_norm: { ...sft.update_norm, 'a.bias': 1.002 } }))).toEqual([
      'update_norm',
    ]);
    expect(differing(await linesOfSft({ ...sft, loss: 2.00005 }))).toEqual(['loss']);
    expect(differing(await linesOfSft({ ...sft, loss_after_step: 2.0003 }))).toEqual(['new_loss']);
    const large = { ...gradients, 'a.bias': gradient(3.001, 1) };
    expect(differing(await linesOfSft(sft, { gradients: large }))).toContain('grad_norm');
    const loud = { ...gradients, 'vpm.k.bias': gradient(1e-3, 1) };
    expect(differing(await linesOfSft(sft, { gradients: loud }))).toEqual(['grad_norm']);
  });

  test('a tensor of which a part is noise has a loose bound', async () => {
    const document = { ...sft, update_norm: { ...sft.update_norm, 'a.bias': 1.1 }, noise_prone_tensors: ['a.bias'] };
    expect(differing(await linesOfSft(document))).toEqual([]);
    expect(differing(await linesOfSft({ ...document, update_norm: { ...sft.update_norm, 'a.bias': 2 } }))).toEqual([
      'update_norm',
    ]);
  });

  test('scores and head of the reward model are compared; the tower is frozen', async () => {
    const prm = {
      ...prompt,
      token_labels: [1, 0],
      scores: [0.5, 0.25],
      loss: 2,
      grad_norm: { 'a.weight': 4, 'a.bias': 3 },
    };
    const dir = writeGolden({
      'prm/prm.json': prm,
      'prm/expected.safetensors': { 'reward_head.weight': ramp([1, 2]) },
      'prm/one.png': pictures['one.png'],
      'prm/two.png': pictures['two.png'],
    });
    const tower = { ...backbone, prefixes: { vision: ['vpm.'], projector: [], language: [] } } as unknown as Backbone;
    const { prm: input } = await layout.read(folderOf(dir), tower);
    const headed = { ...weights, 'reward_head.weight': ramp([1, 2]) };
    const lines = async (scores: number[]) => {
      const report = new Report(() => {});
      await checkPrm(report, trained({ weights: headed, scores }), input!);
      return report.lines;
    };
    expect(differing(await lines([0.5, 0.25]))).toEqual([]);
    expect(differing(await lines([0.5, 0.26]))).toEqual(['scores']);
  });
});

describe('extras', () => {
  test('position tables become rows of bucket numbers, one model for each scale', async () => {
    const dir = writeGolden({
      'extras/vision_positions_70.json': {
        S: 4,
        N_rounding_sensitive: [5],
        tables: [
          { N: 5, starts: [0, 2, -1, 4] },
          { N: 9, starts: [0, 3, 5, 7] },
        ],
      },
    });
    const extras = await readExtras(folderOf(dir, { patch_size: 2 }));
    expect(extras.map(({ change }) => change.json['preprocessor_config.json'])).toEqual([
      { scale_resolution: 5 },
      { scale_resolution: 6 },
    ]);
    const [stage] = extras[0]!.examples[0]!.stages;
    expect([...Array.from(stage!.wanted.data)]).toEqual([0, 0, 1, 1, 3]);
    expect(stage!.tolerance).toBe(1);
    expect(extras[1]!.examples[0]!.stages[0]!.tolerance).toBe(0);
    expect(extras[1]!.examples[0]!.pictures()[0]).toMatchObject({ width: 18, height: 2 });
  });

  test('slices are checked by their patches and by sums over their 8-bit values', async () => {
    const slice = { sum: 0, weighted: 0, first12: [0] };
    const rows = [
      { width: 6, height: 4, grid_cols_rows: null, overview_size: [6, 4], slice_size: null, checksums: [slice] },
      { width: 8, height: 4, grid_cols_rows: [2, 1], overview_size: [4, 2], slice_size: [4, 4] },
    ];
    const read = async () => {
      const dir = writeGolden({
        'extras/slicing_448.json': {
          max_slice_nums: 9,
          scale_resolution: 5,
          patch_size: 2,
          image_rule:
            'pixel value of channel c at (x,y): (x*7 + y*13 + c*29 + (x*y)%31 + ((x/17 + y/11)%2)*90) % 256 with integer divisions',
          checksum_rule:
            'over the 8-bit RGB values of a resized slice in row-major HWC order, index j from 0: sum = sum v[j]; weighted = sum v[j]*((j mod 65521)+1) mod 2^32; order: overview, then slices row by row',
          rows,
        },
      });
      const [extra] = await readExtras(folderOf(dir, { patch_size: 2 }));
      return extra!;
    };
    const [picture] = (await read()).examples[0]!.pictures();
    const rgb = Array.from(picture!.rgb);
    // Column 5, row 3, blue: 35 + 39 + 58 + 15.
    expect(rgb[(3 * 6 + 5) * 3 + 2]).toBe(147);
    slice.sum = rgb.reduce((sum, value) => sum + value, 0);
    slice.weighted = rgb.reduce((sum, value, j) => sum + value * (j + 1), 0);
    slice.first12 = rgb.slice(0, 12);

    // [3, 2, 2 x 6]: the six patches of the picture side by side.
    const pixels = { shape: [3, 2, 12], data: new Float32Array(72) };
    for (let y = 0; y < 4; y++)
      for (let x = 0; x < 6; x++)
        for (let channel = 0; channel < 3; channel++) {
          const column = (Math.floor(y / 2) * 3 + Math.floor(x / 2)) * 2 + (x % 2);
          pixels.data[(channel * 2 + (y % 2)) * 12 + column] = rgb[(y * 6 + x) * 3 + channel]! / 127.5 - 1;
        }
    const { grids, examples } = await read();
    expect(grids?.rows.map(({ cols, rows: down }) => [cols, down])).toEqual([
      [1, 1],
      [2, 1],
    ]);
    const [patches, sums] = examples[0]!.stages;
    expect(patches!.pick!(pixels)).toEqual({ shape: [1], data: [6] });
    expect(sums!.pick!(pixels)).toEqual(sums!.wanted);
    pixels.data[40]! -= 1 / 127.5;
    expect(sums!.pick!(pixels)).not.toEqual(sums!.wanted);
    expect(examples[1]!.stages[0]).toMatchObject({
      from: ['pixel_values.0', 'pixel_values.1', 'pixel_values.2'],
      wanted: { data: [2, 4, 4] },
    });
  });

  test('the marked pictures make a tower give the vectors that the resampler is fed', async () => {
    const patch = 2;
    // The largest of these numbers is fed and its square, rounded to float32, is less than it was: no root of that may be NaN.
    const input = { shape: [2, 3, 2], t: 53, base: 0, amp: 1.5 };
    const dir = writeGolden({
      'resampler.json': {
        embed_dim: 4,
        num_heads: 2,
        num_queries: 1,
        kv_dim: 2,
        tgt_sizes: [
          [1, 3],
          [2, 1],
        ],
        parameters: [{ name: 'resampler.kv_proj.weight', shape: [4, 2], t: 1, base: 0, amp: 1 }],
        input,
        fill_rule:
          'element i (row-major, from 0) of a tensor with number t: x = uint32(i + 1 + 1000003*t); x ^= x<<13; x ^= x>>17; x ^= x<<5; x *= 2654435769; x ^= x>>16 (all modulo 2^32); value = float32(base + (x/4294967296.0 - 0.5)*2*amp), computed in double',
      },
      'resampler.safetensors': { output: ramp([2, 1, 4]) },
    });
    const [extra] = await readResampler(join(dir, 'resampler.json'), join(dir, 'resampler.safetensors'), patch);
    const weights = (name: string, shape: number[]) => extra!.change.weights?.(name, shape) as Float32Array;
    const width = 8;
    const filter = weights('vpm.embeddings.patch_embedding.weight', [width, 3, patch, patch]);
    const bias = weights('vpm.embeddings.patch_embedding.bias', [width]);
    const gain = weights('vpm.post_layernorm.weight', [width]);
    const vectors = fill(input);
    expect(filter.every(Number.isFinite)).toBe(true);
    const slots = [3, 2];
    for (const [slice, { width: across, rgb }] of extra!.examples[0]!.pictures().entries()) {
      for (let k = 0; k < slots[slice]!; k++) {
        const cols = across / patch;
        const embedded = Array.from({ length: width }, (_, out) => {
          let sum = bias[out]!;
          for (let i = 0; i < 3 * patch * patch; i++) {
            const [channel, y, x] = [Math.floor(i / 4), Math.floor(i / 2) % 2, i % 2];
            const at = ((Math.floor(k / cols) * patch + y) * across + (k % cols) * patch + x) * 3 + channel;
            sum += filter[out * 12 + i]! * (rgb[at]! / 127.5 - 1);
          }
          return sum;
        });
        const mean = embedded.reduce((sum, value) => sum + value, 0) / width;
        const variance = embedded.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
        const normed = embedded.map((value, i) => ((value - mean) / Math.sqrt(variance + 1e-6)) * gain[i]!);
        const start = (slice * 3 + k) * 2;
        expect(normed[0]).toBeCloseTo(vectors[start]!, 5);
        expect(normed[1]).toBeCloseTo(vectors[start + 1]!, 5);
      }
    }
    const projection = weights('resampler.kv_proj.weight', [4, width]);
    expect([...projection.subarray(0, 2)]).toEqual([...fill({ shape: [4, 2], t: 1, base: 0, amp: 1 }).subarray(0, 2)]);
    expect([...projection.subarray(2, width)]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
