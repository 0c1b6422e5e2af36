// MiniCPM-Llama3-V-2.5's configs and chat template: numbers, fields that are refused, parts of a prompt.
import { describe, expect, test } from 'vitest';
import { backbone } from '../../../src/backbones/minicpm.js';
import { tinyBackbones } from '../../fakes/backbones.js';

type Json = Record<string, unknown>;
const config = () => structuredClone(tinyBackbones.minicpm?.config) as Json & { vision_config: Json };
const preprocessor = { max_slice_nums: 9, scale_resolution: 42, patch_size: 14 };
const numbers = (changed: Json = config(), pictures: unknown = preprocessor) =>
  backbone.numbers(
    { dir: 'd', config: changed, side: { 'preprocessor_config.json': pictures }, shapes: () => undefined },
    (name) => (name === '<unk>' ? 7 : 1),
  );

test('is told from its relatives by its version, or by its tower where it has none', () => {
  const relatives: readonly (readonly [Json, boolean])[] = [
    [{ model_type: 'minicpmv', version: '2.5' }, true],
    [{ model_type: 'minicpmv', version: 2.5 }, true],
    [{ model_type: 'minicpmv', version: 2.6 }, false],
    [{ model_type: 'minicpmv', vision_config: { model_type: 'idefics2' } }, true],
    [{ model_type: 'minicpmv' }, false],
    [{ model_type: 'llama' }, false],
  ];
  for (const [given, wanted] of relatives) expect([given, backbone.accepts(given)]).toEqual([given, wanted]);
});

describe('config', () => {
  test('becomes flat numbers; pictures are cut by the preprocessor’s file', () => {
    expect(numbers()).toMatchObject({
      position_side: 4,
      v_hidden: 16,
      v_layers: 1,
      queries: 4,
      scale_resolution: 42,
      max_slices: 9,
      l_hidden: 128,
      l_kv_heads: 2,
      vocab: 272,
      image_token_id: 7,
      pad_id: -1,
    });
  });

  test('without a preprocessor’s file the slices are those of config.json, then of the published model', () => {
    const own = { ...config(), slice_config: { max_slice_nums: 4, scale_resolution: 84 } };
    expect(numbers(own, null)).toMatchObject({ scale_resolution: 84, max_slices: 4 });
    expect(numbers(config(), null)).toMatchObject({ scale_resolution: 448, max_slices: 9 });
  });

  const refused: readonly (readonly [string, (given: ReturnType<typeof config>) => void, string])[] = [
    [
      'a width that is not a multiple of the resampler’s heads',
      (c) => (c.hidden_size = 192),
      'd/config.json: hidden_size: 192',
    ],
    ['query heads that do not share key heads evenly', (c) => (c.num_key_value_heads = 3), 'num_attention_heads: 4'],
    ['another head width', (c) => (c.head_dim = 64), 'head_dim: 64'],
    ['a tower without its last layer', (c) => (c.drop_vision_last_layer = true), 'drop_vision_last_layer: true'],
    ['tied embeddings', (c) => (c.tie_word_embeddings = true), 'tie_word_embeddings: true'],
    ['stretched rotation', (c) => (c.rope_scaling = { type: 'linear' }), 'rope_scaling'],
    ['another tower', (c) => (c.vision_config.model_type = 'siglip'), 'vision_config.model_type: "siglip"'],
    ['a picture smaller than a patch', (c) => (c.vision_config.image_size = 7), 'vision_config.image_size: 7'],
    ['a pad token outside the vocabulary', (c) => (c.pad_token_id = 272), 'pad_token_id: 272'],
  ];
  test.each(refused)('%s is refused by the name of the field', (_, change, message) => {
    const given = config();
    change(given);
    expect(() => numbers(given)).toThrow(message);
  });

  test('a preprocessor’s file that disagrees is refused', () => {
    expect(() => numbers(config(), { ...preprocessor, image_feature_size: 5 })).toThrow(
      'd/preprocessor_config.json: image_feature_size: 5, wanted 4',
    );
    expect(() => numbers(config(), { ...preprocessor, norm_mean: [0, 0, 0] })).toThrow('norm_mean');
  });
});

describe('a prompt', () => {
  const written = (text: string, system?: string) =>
    backbone
      .render({ ...(system && { system }), turns: [{ role: 'user', content: [{ text }] }] })
      .map((part) => ('special' in part ? part.special : 'text' in part ? part.text : '[picture]'))
      .join('');

  test('follows the template of Llama 3, contents without blanks at their ends', () => {
    expect(written('\n  two words \t', 'Be short.')).toBe(
      '<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe short.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\ntwo words<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
    );
  });

  test('writes a sliced picture as its overview and rows of cells', () => {
    const cell = [{ special: '<image>' }, { tokens: 4 }, { special: '</image>' }];
    const pieces = backbone.picture({ cols: 2, rows: 2, tiles: 5, tokens: 20 }, 0);
    expect(pieces).toEqual([
      ...cell,
      { special: '<slice>' },
      ...cell,
      ...cell,
      { text: '\n' },
      ...cell,
      ...cell,
      { special: '</slice>' },
    ]);
    expect(backbone.picture({ cols: 1, rows: 1, tiles: 1, tokens: 4 }, 0)).toEqual(cell);
  });
});
