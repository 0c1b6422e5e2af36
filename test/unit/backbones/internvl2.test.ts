// InternVL2's config and chat template: the numbers that the native side gets, the fields that are refused, the parts of a prompt.

import { describe, expect, test } from 'vitest';
import { backbone } from '../../../src/backbones/internvl2.js';
import { backbones, findBackbone } from '../../../src/backbones/registry.js';
import { initialOf } from '../../../tools/initial.js';
import { tinyConfig } from '../../fakes/model-folder.js';

const numbers = (config: Record<string, unknown>) =>
  backbone.numbers({ dir: '', config, side: {}, shapes: () => undefined }, () => 77);
type Config = ReturnType<typeof tinyConfig>;

describe('the registry', () => {
  test('finds a backbone by model_type or architectures, without a list', async () => {
    expect((await backbones()).map(({ name }) => name)).toContain('internvl2');
    expect((await findBackbone({ model_type: 'internvl_chat' }, 'c')).name).toBe('internvl2');
    expect((await findBackbone({ architectures: ['InternVLChatModel'] }, 'c')).name).toBe('internvl2');
  });

  test('names what there is when none fits', async () => {
    await expect(findBackbone({ model_type: 'gpt2' }, 'd/config.json')).rejects.toThrow(
      /^d\/config\.json: model_type: "gpt2", wanted .*internvl2/,
    );
    await expect(findBackbone({ model_type: 'minicpmv', version: 2.6 }, 'c')).rejects.toThrow(
      'c: model_type: "minicpmv" of version 2.6, wanted',
    );
    await expect(findBackbone({}, 'c')).rejects.toThrow('model_type: missing');
  });
});

describe('config', () => {
  test('becomes flat numbers', () => {
    expect(numbers(tinyConfig())).toMatchObject({
      image_size: 28,
      patch_size: 14,
      v_hidden: 16,
      v_layers: 1,
      v_heads: 2,
      v_eps: 1e-6,
      downsample: 0.5,
      min_tiles: 1,
      max_tiles: 4,
      use_thumbnail: 1,
      l_hidden: 16,
      l_layers: 2,
      l_heads: 2,
      l_kv_heads: 1,
      l_eps: 1e-5,
      rope_theta: 10000,
      rope_factor: 2,
      rope_dynamic: 1,
      max_positions: 512,
      pad_id: 2,
      image_context_id: 77,
    });
  });

  test('no rope scaling, no forced size and unknown keys are fine', () => {
    const config: Config = { ...tinyConfig(), force_image_size: null, anything: { else: 1 } };
    config.llm_config.rope_scaling = null;
    expect(numbers(config)).toMatchObject({ rope_dynamic: 0, rope_factor: 1, image_size: 28 });
  });

  const refused: [string, (config: Config) => void, string][] = [
    [
      'norm_type',
      (c) => (c.vision_config.norm_type = 'rms_norm'),
      'vision_config.norm_type: "rms_norm", wanted "layer_norm"',
    ],
    [
      'qk_normalization',
      (c) => (c.vision_config.qk_normalization = true),
      'vision_config.qk_normalization: true, wanted false',
    ],
    ['qkv_bias', (c) => (c.vision_config.qkv_bias = false), 'vision_config.qkv_bias: false, wanted true'],
    [
      'vision hidden_act',
      (c) => (c.vision_config.hidden_act = 'relu'),
      'vision_config.hidden_act: "relu", wanted "gelu"',
    ],
    ['select_layer', (c) => (c.select_layer = -2), 'select_layer: -2, wanted -1'],
    ['ps_version', (c) => (c.ps_version = 'v1'), 'ps_version: "v1", wanted "v2"'],
    ['template', (c) => (c.template = 'Hermes-2'), 'template: "Hermes-2", wanted "internlm2-chat"'],
    ['bias', (c) => (c.llm_config.bias = true), 'llm_config.bias: true, wanted false'],
    [
      'tied embeddings',
      (c) => (c.llm_config.tie_word_embeddings = true),
      'llm_config.tie_word_embeddings: true, wanted false',
    ],
    [
      'rope type',
      (c) => (c.llm_config.rope_scaling = { type: 'linear', factor: 2 }),
      'llm_config.rope_scaling.type: "linear", wanted "dynamic"',
    ],
    [
      'a missing size',
      (c) => delete c.llm_config.hidden_size,
      'llm_config.hidden_size: missing, wanted a value of type number',
    ],
    ['a size of 0', (c) => (c.vision_config.hidden_size = 0), 'vision_config.hidden_size: 0, wanted at least 1'],
    [
      'a huge size',
      (c) => (c.llm_config.num_hidden_layers = 1e9),
      'llm_config.num_hidden_layers: 1000000000, wanted at most 1024',
    ],
    ['a fraction', (c) => (c.vision_config.patch_size = 3.5), 'vision_config.patch_size: 3.5, wanted'],
    [
      'a text',
      (c) => (c.vision_config.patch_size = '14'),
      'vision_config.patch_size: "14", wanted a value of type number',
    ],
    ['another forced size', (c) => (c.force_image_size = 56), 'force_image_size: 56, wanted 28'],
    [
      'a size that patches do not fill',
      (c) => Object.assign(c, { force_image_size: 30 }, { vision_config: { ...c.vision_config, image_size: 30 } }),
      'vision_config.image_size: 30, wanted a multiple of',
    ],
    [
      'heads that do not divide',
      (c) => (c.llm_config.num_attention_heads = 3),
      'llm_config.hidden_size: 16, wanted a multiple',
    ],
    [
      'kv heads that do not divide',
      (c) => (c.llm_config.num_key_value_heads = 3),
      'llm_config.num_attention_heads: 2, wanted a multiple',
    ],
    ['fewer tiles than the least', (c) => (c.min_dynamic_patch = 9), 'max_dynamic_patch: 4, wanted at least'],
    [
      'no llm_config',
      (c) => Reflect.deleteProperty(c, 'llm_config'),
      'llm_config: missing, wanted a value of type object',
    ],
  ];
  test.each(refused)('%s is refused by field', (_, change, message) => {
    const config = tinyConfig();
    change(config);
    expect(() => numbers(config)).toThrow(`config.json: ${message}`);
  });
});

describe('chat template', () => {
  const text = (parts: ReturnType<typeof backbone.render>) =>
    parts.map((part) => ('special' in part ? part.special : 'text' in part ? part.text : `{${part.image}}`)).join('');

  test('has no newline after the end mark and ends where the answer begins', () => {
    const parts = backbone.render({
      system: 'S',
      turns: [
        { role: 'user', content: [{ image: 0 }, { text: '\nQ1' }] },
        { role: 'assistant', content: [{ text: 'A1' }] },
        { role: 'user', content: [{ text: 'Q2' }] },
      ],
    });
    expect(text(parts)).toBe(
      '<s><|im_start|>system\nS<|im_end|><|im_start|>user\n{0}\nQ1<|im_end|><|im_start|>assistant\nA1<|im_end|>' +
        '<|im_start|>user\nQ2<|im_end|><|im_start|>assistant\n',
    );
  });

  test('has a system message of its own', () => {
    expect(text(backbone.render({ turns: [] }))).toMatch(/^<s><\|im_start\|>system\n你是由.*InternVL.*<\|im_end\|>/);
  });

  test('one picture goes in front of the question, several are numbered', () => {
    expect(text([...backbone.ask('Q', 0)])).toBe('Q');
    expect(text([...backbone.ask('Q', 1)])).toBe('{0}\nQ');
    expect(text([...backbone.ask('Q', 2)])).toBe('Image-1: {0}\nImage-2: {1}\nQ');
  });

  test('a mark of a picture in a question stays text', () => {
    expect(backbone.ask('what is <image>?', 1)).toContainEqual({ text: 'what is <image>?' });
  });
});

test('new weights: biases 0, norms and scales 1, matrices normal and smaller where layers add up', () => {
  const config = numbers(tinyConfig());
  const initial = (name: string, shape: number[]) => initialOf(backbone, name, shape, config);
  expect(initial('mlp1.0.bias', [8])).toEqual({ constant: 0 });
  expect(initial('vision_model.encoder.layers.0.ls1', [8])).toEqual({ constant: 1 });
  expect(initial('language_model.model.norm.weight', [8])).toEqual({ constant: 1 });
  const wide = initial('language_model.model.layers.0.feed_forward.w1.weight', [8, 2048]);
  expect(wide).toEqual({ normal: 0.02 });
  const added = initial('language_model.model.layers.0.feed_forward.w2.weight', [8, 2048]);
  expect(added).toEqual({ normal: 0.01 });
  expect(initial('language_model.model.tok_embeddings.weight', [100, 2048])).toEqual({ normal: 0.02 });
});
