// Phi-3.5-vision's configs and chat template: numbers, sizes that only the weights say, fields that are refused, parts of a prompt.
import { describe, expect, test } from 'vitest';
import { backbone } from '../../../src/backbones/phi3v.js';
import { tinyBackbones } from '../../fakes/backbones.js';

type Json = Record<string, unknown>;
const config = () =>
  structuredClone(tinyBackbones.phi3v?.config) as Json & Record<'img_processor' | 'rope_scaling' | 'embd_layer', Json>;
const sized = new Map((tinyBackbones.phi3v?.sized ?? []).map(({ name, shape }) => [name, shape]));
const numbers = (
  changed: Json = config(),
  pictures: unknown = { num_crops: 4 },
  shapes: ReadonlyMap<string, readonly number[]> = sized,
) =>
  backbone.numbers(
    { dir: 'd', config: changed, side: { 'preprocessor_config.json': pictures }, shapes: (name) => shapes.get(name) },
    () => 1,
  );

describe('config', () => {
  test('becomes flat numbers; the tower’s sizes are those of its weights', () => {
    expect(numbers()).toMatchObject({
      grid: 4,
      patch_size: 14,
      v_hidden: 32,
      v_layers: 1,
      v_heads: 16,
      v_intermediate: 48,
      num_crops: 4,
      l_hidden: 32,
      l_heads: 4,
      rope_short_1: 1.5,
      rope_long_3: 64,
      original_positions: 4096,
      vocab: 288,
    });
  });

  test('without weights the tower is that of the published model', () => {
    const given = config();
    given.img_processor.num_img_tokens = 144;
    expect(numbers(given, undefined, new Map())).toMatchObject({
      grid: 24,
      v_layers: 24,
      v_intermediate: 128,
      num_crops: 4,
    });
  });

  const refused: readonly (readonly [string, (given: ReturnType<typeof config>) => void, string])[] = [
    [
      'another number of tokens a crop',
      (c) => (c.img_processor.num_img_tokens = 9),
      'img_processor.num_img_tokens: 9, wanted 4',
    ],
    [
      'a tower width that its heads do not divide',
      (c) => (c.img_processor.image_dim_out = 24),
      'img_processor.image_dim_out: 24',
    ],
    [
      'another order of crops',
      (c) => (c.embd_layer.hd_transform_order = 'glb_sub'),
      'embd_layer.hd_transform_order: "glb_sub"',
    ],
    ['factors of another number', (c) => (c.rope_scaling.long_factor = [1]), 'rope_scaling.long_factor'],
    ['another rotation', (c) => (c.rope_scaling.type = 'yarn'), 'rope_scaling.type: "yarn"'],
    ['a sliding window that is used', (c) => (c.sliding_window = 2047), 'sliding_window: 2047'],
    ['a pad token outside the vocabulary', (c) => (c.pad_token_id = 288), 'pad_token_id: 288'],
    ['dropout', (c) => (c.resid_pdrop = 0.1), 'resid_pdrop: 0.1'],
  ];
  test.each(refused)('%s is refused by the name of the field', (_, change, message) => {
    const given = config();
    change(given);
    expect(() => numbers(given)).toThrow(message);
  });

  test('a table of positions that is not an even square is refused', () => {
    const shapes = new Map(sized);
    for (const name of shapes.keys()) if (name.includes('position_embedding')) shapes.set(name, [18, 32]);
    expect(() => numbers(config(), undefined, shapes)).toThrow('position_embedding.weight: shape [18,32]');
  });

  test('other colours than the published ones are refused', () => {
    expect(() => numbers(config(), { image_mean: [0.5, 0.5, 0.5] })).toThrow('d/preprocessor_config.json: image_mean');
  });
});

describe('a prompt', () => {
  const written = (parts: readonly Parameters<typeof backbone.render>[0]['turns'][number]['content'][number][]) =>
    backbone
      .render({ turns: [{ role: 'user', content: parts }] })
      .map((part) => ('special' in part ? part.special : 'text' in part ? part.text : '[picture]'))
      .join('');

  test('puts pictures in front, each on a line of its own', () => {
    expect(written(backbone.ask('How many?', 2))).toBe(
      '<s><|user|>\n[picture]\n[picture]\nHow many?<|end|>\n<|assistant|>',
    );
  });

  test('marks the beginning again after each picture, as the reference does', () => {
    expect(backbone.picture({ cols: 1, rows: 1, tiles: 2, tokens: 9 }, 0)).toEqual([{ tokens: 9 }, { special: '<s>' }]);
    expect(backbone.imageToken).toMatchObject({ id: -1 });
  });
});
