// The configs of the published models: the flat numbers that the native side gets, and every field that is refused when it says
// what the network does not have.
import { describe, expect, test } from 'vitest';
import type { Backbone } from '../../../src/backbones/backbone.js';
import { backbone as internvl2 } from '../../../src/backbones/internvl2.js';
import { backbone as minicpm } from '../../../src/backbones/minicpm.js';
import { backbone as phi3v } from '../../../src/backbones/phi3v.js';
import { findBackbone } from '../../../src/backbones/registry.js';
import { UserError } from '../../../src/core/errors.js';
import { type Published, type PublishedName, published } from '../../fakes/published.js';

const PREPROCESSOR = 'preprocessor_config.json';

function numbers(backbone: Backbone, { config, sideFiles, specials }: Published): Record<string, number> {
  const files = { dir: 'd', config, side: sideFiles, shapes: () => undefined };
  return backbone.numbers(files, (name) => {
    const id = specials[name];
    if (id === undefined) throw new Error(`asked for ${name}`);
    return id;
  });
}

/** The model with the value at `path`, below the config or a side file, replaced; undefined takes it away. */
function changed(name: PublishedName, path: string, value: unknown): Published {
  const model = published(name);
  const keys = path.split('.');
  let place: Record<string, unknown> = model.config;
  if (path.startsWith('preprocessor.')) {
    keys.shift();
    place = model.sideFiles[PREPROCESSOR] as Record<string, unknown>;
  }
  for (const key of keys.slice(0, -1)) place = place[key] as Record<string, unknown>;
  if (value === undefined) delete place[keys.at(-1) as string];
  else place[keys.at(-1) as string] = value;
  return model;
}

test.each([
  ['internvl2-2b', internvl2],
  ['minicpm-llama3-v-2.5', minicpm],
  ['phi-3.5-vision', phi3v],
] as const)('%s is found by its config', async (name, backbone) => {
  expect((await findBackbone(published(name).config, 'c')).name).toBe(backbone.name);
});

describe('numbers', () => {
  test('InternVL2-2B', () => {
    expect(numbers(internvl2, published('internvl2-2b'))).toEqual({
      ...{ image_size: 448, patch_size: 14, downsample: 0.5, min_tiles: 1, max_tiles: 12, use_thumbnail: 1 },
      ...{ v_hidden: 1024, v_layers: 24, v_heads: 16, v_intermediate: 4096, v_eps: 1e-6 },
      ...{ l_hidden: 2048, l_layers: 24, l_heads: 16, l_kv_heads: 8, l_intermediate: 8192, l_eps: 1e-5 },
      ...{ rope_theta: 1e6, rope_factor: 2, rope_dynamic: 1, max_positions: 32768 },
      ...{ vocab: 92553, pad_id: 2, image_context_id: 92546 },
    });
  });

  test('MiniCPM-Llama3-V-2.5', () => {
    expect(numbers(minicpm, published('minicpm-llama3-v-2.5'))).toEqual({
      ...{ patch_size: 14, position_side: 70, scale_resolution: 448, max_slices: 9, queries: 96 },
      ...{ v_hidden: 1152, v_layers: 27, v_heads: 16, v_intermediate: 4304, v_eps: 1e-6 },
      ...{ l_hidden: 4096, l_layers: 32, l_heads: 32, l_kv_heads: 8, l_intermediate: 14336, l_eps: 1e-5 },
      ...{ rope_theta: 500_000, max_positions: 8192, vocab: 128_256, pad_id: -1, image_token_id: 128_002 },
    });
  });

  test('Phi-3.5-vision', () => {
    const { config } = published('phi-3.5-vision');
    const { short_factor: short, long_factor: long } = config.rope_scaling as Record<string, number[]>;
    const found = numbers(phi3v, published('phi-3.5-vision'));
    for (let i = 0; i < 48; i++)
      expect([found[`rope_short_${i}`], found[`rope_long_${i}`]]).toEqual([short?.[i], long?.[i]]);
    const others = Object.entries(found).filter(([key]) => !/^rope_(short|long)_/.test(key));
    expect(Object.keys(found)).toHaveLength(others.length + 96);
    expect(Object.fromEntries(others)).toEqual({
      ...{ patch_size: 14, grid: 24, num_crops: 4, v_hidden: 1024, v_layers: 24, v_heads: 16, v_intermediate: 4096 },
      ...{ l_hidden: 3072, l_layers: 32, l_heads: 32, l_kv_heads: 32, l_intermediate: 8192, l_eps: 1e-5 },
      ...{ rope_theta: 10_000, original_positions: 4096, max_positions: 131_072, vocab: 32_064, pad_id: 32_000 },
    });
  });

  test('absent fields have the defaults of the reference', () => {
    const defaults = (backbone: Backbone, name: PublishedName, path: string) =>
      numbers(backbone, changed(name, path, undefined));
    expect(defaults(minicpm, 'minicpm-llama3-v-2.5', 'slice_config').max_slices).toBe(9);
    expect(defaults(minicpm, 'minicpm-llama3-v-2.5', 'rms_norm_eps').l_eps).toBe(1e-6);
    expect(defaults(minicpm, 'minicpm-llama3-v-2.5', 'rope_theta').rope_theta).toBe(10_000);
    expect(defaults(minicpm, 'minicpm-llama3-v-2.5', 'preprocessor.scale_resolution').scale_resolution).toBe(448);
    expect(defaults(phi3v, 'phi-3.5-vision', 'preprocessor.num_crops').num_crops).toBe(4);
    expect(defaults(phi3v, 'phi-3.5-vision', 'rms_norm_eps').l_eps).toBe(1e-5);
    expect(defaults(phi3v, 'phi-3.5-vision', 'pad_token_id').pad_id).toBe(32_000);
    expect(defaults(phi3v, 'phi-3.5-vision', 'sliding_window').l_layers).toBe(32);
  });
});

type Refusal = readonly [path: string, value: unknown, message: string];

const sizes = (names: readonly string[]): Refusal[] =>
  names.flatMap((path): Refusal[] => [
    [path, undefined, `${path}: missing`],
    [path, 0, `${path}: 0, wanted`],
    [path, 1.5, `${path}: 1.5, wanted`],
    [path, '16', `${path}: "16", wanted`],
    [path, 1e12, `${path}: 1000000000000, wanted`],
  ]);

describe.each<[PublishedName, Backbone, readonly Refusal[]]>([
  [
    'internvl2-2b',
    internvl2,
    [
      ...sizes(['vision_config.num_hidden_layers', 'vision_config.intermediate_size', 'llm_config.vocab_size']),
      ['vision_config.num_channels', 1, 'vision_config.num_channels: 1, wanted 3'],
      ['vision_config.hidden_size', 1000, 'vision_config.hidden_size: 1000, wanted a multiple of num_attention_heads'],
      ['vision_config.layer_norm_eps', -1, 'vision_config.layer_norm_eps: -1'],
      ['llm_config.hidden_act', 'gelu', 'llm_config.hidden_act: "gelu", wanted "silu"'],
      ['llm_config.rope_theta', 1, 'llm_config.rope_theta: 1, wanted'],
      ['llm_config.rope_scaling.factor', 0.5, 'llm_config.rope_scaling.factor: 0.5, wanted at least 1'],
      ['llm_config.pad_token_id', 92553, 'llm_config.pad_token_id: 92553, wanted below vocab_size = 92553'],
      ['downsample_ratio', 0.3, 'downsample_ratio: 0.3, wanted 1 over a whole number'],
      ['dynamic_image_size', false, 'dynamic_image_size: false, wanted true'],
    ],
  ],
  [
    'minicpm-llama3-v-2.5',
    minicpm,
    [
      ...sizes(['query_num', 'num_hidden_layers', 'intermediate_size', 'vocab_size']),
      ...sizes(['vision_config.image_size', 'vision_config.patch_size', 'vision_config.num_hidden_layers']),
      ['version', '2.6', 'version: "2.6", wanted'],
      ['batch_vision_input', false, 'batch_vision_input: false, wanted true'],
      ['slice_mode', false, 'slice_mode: false, wanted true'],
      ['drop_vision_last_layer', undefined, 'drop_vision_last_layer: missing'],
      ['hidden_size', 4097, 'hidden_size: 4097, wanted a multiple of 128'],
      ['num_attention_heads', 3, 'hidden_size: 4096, wanted a multiple of 2 x num_attention_heads = 6'],
      ['hidden_act', 'gelu', 'hidden_act: "gelu", wanted "silu"'],
      ['attention_bias', true, 'attention_bias: true, wanted false'],
      ['mlp_bias', true, 'mlp_bias: true, wanted false'],
      ['rope_theta', 0, 'rope_theta: 0, wanted'],
      ['vision_config.num_channels', 4, 'vision_config.num_channels: 4, wanted 3'],
      ['vision_config.hidden_act', 'gelu', 'vision_config.hidden_act: "gelu", wanted "gelu_pytorch_tanh"'],
      ['vision_config.num_attention_heads', 7, 'vision_config.hidden_size: 1152, wanted a multiple of'],
      ['slice_config.patch_size', 16, 'slice_config.patch_size: 16, wanted 14 (vision_config.patch_size)'],
      ['slice_config.max_slice_nums', 0, 'slice_config.max_slice_nums: 0, wanted'],
      ['preprocessor.patch_size', 16, `${PREPROCESSOR}: patch_size: 16, wanted 14 (config.json`],
      ['preprocessor.image_feature_size', 64, `${PREPROCESSOR}: image_feature_size: 64, wanted 96 (config.json`],
      ['preprocessor.version', 2.6, `${PREPROCESSOR}: version: 2.6`],
      ['preprocessor.slice_mode', false, `${PREPROCESSOR}: slice_mode: false, wanted true`],
      ['preprocessor.use_image_id', true, `${PREPROCESSOR}: use_image_id: true, wanted false`],
      ['preprocessor.im_start', '<img>', `${PREPROCESSOR}: im_start: "<img>", wanted "<image>"`],
      ['preprocessor.im_end', '</img>', `${PREPROCESSOR}: im_end: "</img>", wanted "</image>"`],
      ['preprocessor.slice_start', '<s>', `${PREPROCESSOR}: slice_start: "<s>", wanted "<slice>"`],
      ['preprocessor.slice_end', '</s>', `${PREPROCESSOR}: slice_end: "</s>", wanted "</slice>"`],
      ['preprocessor.unk', '<x>', `${PREPROCESSOR}: unk: "<x>", wanted "<unk>"`],
      ['preprocessor.norm_std', [0.5, 0.5, 0.25], `${PREPROCESSOR}: norm_std.2: 0.25, wanted 0.5`],
      ['preprocessor.max_slice_nums', 1000, `${PREPROCESSOR}: max_slice_nums: 1000, wanted`],
    ],
  ],
  [
    'phi-3.5-vision',
    phi3v,
    [
      ...sizes(['hidden_size', 'num_hidden_layers', 'intermediate_size', 'vocab_size']),
      ...sizes(['img_processor.image_dim_out']),
      ['embd_layer.embedding_cls', 'audio', 'embd_layer.embedding_cls: "audio", wanted "image"'],
      ['embd_layer.projection_cls', 'linear', 'embd_layer.projection_cls: "linear", wanted "mlp"'],
      ['embd_layer.use_hd_transform', false, 'embd_layer.use_hd_transform: false, wanted true'],
      ['embd_layer.with_learnable_separator', false, 'embd_layer.with_learnable_separator: false, wanted true'],
      ['img_processor.name', 'siglip', 'img_processor.name: "siglip", wanted "clip_vision_model"'],
      ['img_processor.layer_idx', -1, 'img_processor.layer_idx: -1, wanted -2'],
      ['img_processor.type_feature', 'cls_patch', 'img_processor.type_feature: "cls_patch", wanted "patch"'],
      ['hidden_act', 'gelu', 'hidden_act: "gelu", wanted "silu"'],
      ['tie_word_embeddings', true, 'tie_word_embeddings: true, wanted false'],
      ['embd_pdrop', 0.1, 'embd_pdrop: 0.1, wanted 0'],
      ['attention_dropout', 0.1, 'attention_dropout: 0.1, wanted 0'],
      ['num_attention_heads', 7, 'hidden_size: 3072, wanted a multiple of 2 x num_attention_heads = 14'],
      ['num_key_value_heads', 7, 'num_attention_heads: 32, wanted a multiple of num_key_value_heads = 7'],
      ['rope_scaling', null, 'rope_scaling: null'],
      ['rope_scaling.short_factor', [1, 2], 'rope_scaling.short_factor: [1,2], wanted 48 factors'],
      ['rope_scaling.long_factor.7', 0, 'rope_scaling.long_factor.7: 0, wanted'],
      ['original_max_position_embeddings', 1, 'original_max_position_embeddings: 1, wanted at least 2'],
      ['preprocessor.num_crops', 0, `${PREPROCESSOR}: num_crops: 0, wanted at least 1`],
      ['preprocessor.image_std', [1, 1, 1], `${PREPROCESSOR}: image_std.0: 1, wanted 0.26862954`],
    ],
  ],
])('%s refuses', (name, backbone, refusals) => {
  test.each(refusals)('%s: %j', (path, value, message) => {
    const open = () => numbers(backbone, changed(name, path, value));
    expect(open).toThrow(UserError);
    expect(open).toThrow(/^d\/(config|preprocessor_config)\.json: [^\n]+$/);
    expect(open).toThrow(message);
  });
});
