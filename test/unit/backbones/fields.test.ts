// Fields that every family's files may hold: rotations under their several names, ends of an answer, pixels, number types.
import { describe, expect, test } from 'vitest';
import { endIds } from '../../../src/backbones/fields/generation.js';
import { withRope } from '../../../src/backbones/fields/rope.js';
import { backbone as internvl2 } from '../../../src/backbones/internvl2.js';
import { backbone as minicpm } from '../../../src/backbones/minicpm.js';
import { backbone as phi3v } from '../../../src/backbones/phi3v.js';
import { type PublishedName, published } from '../../fakes/published.js';

const models = {
  internvl2: ['internvl2-2b', internvl2],
  minicpm: ['minicpm-llama3-v-2.5', minicpm],
  phi3v: ['phi-3.5-vision', phi3v],
} as const;

// biome-ignore lint/suspicious/noExplicitAny: files are changed at places whose type does not matter.
type Json = Record<string, any>;
type Change = (config: Json, preprocessor: Json) => void;

function numbers(name: keyof typeof models, change: Change = () => {}): Record<string, number> {
  const [full, backbone] = models[name];
  const { config, sideFiles } = published(full as PublishedName);
  const side = { 'preprocessor_config.json': { ...sideFiles['preprocessor_config.json'] } };
  change(config, side['preprocessor_config.json']);
  return backbone.numbers({ dir: 'd', config, side, shapes: () => undefined }, () => 7);
}

describe('the rotation', () => {
  test.each<[string, Change]>([
    ['rope_type for type', (c) => (c.llm_config.rope_scaling = { rope_type: 'dynamic', factor: 2 })],
    ['both, equal', (c) => (c.llm_config.rope_scaling = { rope_type: 'dynamic', type: 'dynamic', factor: 2 })],
    [
      'rope_parameters',
      (c) => {
        const { rope_theta, rope_scaling: _, ...rest } = c.llm_config;
        c.llm_config = { ...rest, rope_parameters: { rope_type: 'dynamic', factor: 2, rope_theta } };
      },
    ],
    [
      'rope_parameters beside the same in the old names',
      (c) => (c.llm_config.rope_parameters = { rope_type: 'dynamic', factor: 2, rope_theta: 1e6 }),
    ],
    ['the length it was trained on', (c) => (c.llm_config.rope_scaling.original_max_position_embeddings = 32768)],
  ])('of InternVL2 is the same by %s', (_, change) => {
    expect(numbers('internvl2', change)).toEqual(numbers('internvl2'));
  });

  test.each<[string, Change]>([
    [
      'rope_type, which calls it longrope',
      (c) => {
        const { type: _, ...factors } = c.rope_scaling;
        c.rope_scaling = { rope_type: 'longrope', ...factors };
      },
    ],
    ['both names', (c) => (c.rope_scaling.rope_type = 'longrope')],
    [
      'rope_parameters with all of it',
      (c) => {
        const { type: _, ...factors } = c.rope_scaling;
        const { rope_theta, original_max_position_embeddings } = c;
        c.rope_parameters = { rope_type: 'longrope', rope_theta, original_max_position_embeddings, ...factors };
        delete c.rope_scaling;
        delete c.rope_theta;
        delete c.original_max_position_embeddings;
      },
    ],
    ['its stretch written out', (c) => (c.rope_scaling.factor = 32)],
  ])('of Phi-3.5-vision is the same by %s', (_, change) => {
    expect(numbers('phi3v', change)).toEqual(numbers('phi3v'));
  });

  test('of MiniCPM may be named and has a base', () => {
    const change: Change = (c) => {
      delete c.rope_theta;
      c.rope_parameters = { rope_type: 'default', rope_theta: 1234, partial_rotary_factor: 1 };
    };
    expect(numbers('minicpm', change)).toEqual({ ...numbers('minicpm'), rope_theta: 1234 });
  });

  test.each<[keyof typeof models, Change, string]>([
    ['internvl2', (c) => (c.llm_config.rope_scaling.type = 'linear'), 'llm_config.rope_scaling.type: "linear", wanted'],
    [
      'internvl2',
      (c) => (c.llm_config.rope_scaling.rope_type = 'yarn'),
      'llm_config.rope_scaling.rope_type: "yarn", wanted "dynamic" (rope_scaling.type)',
    ],
    [
      'internvl2',
      (c) => (c.llm_config.rope_parameters = { rope_theta: 5 }),
      'llm_config.rope_parameters.rope_theta: 5, wanted 1000000 (rope_theta)',
    ],
    [
      'internvl2',
      (c) => (c.llm_config.rope_parameters = { rope_type: 'dynamic', factor: 4 }),
      'llm_config.rope_scaling: {"type":"dynamic","factor":2}, wanted {"type":"dynamic","factor":4} (rope_parameters)',
    ],
    ['internvl2', (c) => (c.llm_config.rope_scaling.beta_fast = 1), 'llm_config.rope_scaling.beta_fast: unknown'],
    [
      'internvl2',
      (c) => (c.llm_config.rope_scaling.original_max_position_embeddings = 8),
      'llm_config.original_max_position_embeddings',
    ],
    ['phi3v', (c) => (c.rope_scaling.factor = 4), 'rope_scaling.factor: 4, wanted 32'],
    ['phi3v', (c) => (c.rope_scaling.attention_factor = 1), 'rope_scaling.attention_factor: unknown'],
    ['minicpm', (c) => (c.rope_scaling = { rope_type: 'llama3', factor: 8 }), 'rope_scaling: {"type":"llama3"'],
    ['minicpm', (c) => (c.rope_scaling = { type: 7 }), 'rope_scaling.type: 7, wanted a value of type string'],
    [
      'minicpm',
      (c) => (c.rope_parameters = { partial_rotary_factor: 0.5 }),
      'rope_parameters.partial_rotary_factor: 0.5, wanted 1',
    ],
  ])('of %s is refused where it is another or contradicts itself: %#', (name, change, message) => {
    expect(() => numbers(name, change)).toThrow(message);
  });

  test('what is no config is left for the backbone to refuse', () => {
    expect(withRope(null, 'f')).toBeNull();
    expect(withRope('x', 'f')).toBe('x');
  });
});

describe('what changes a result is refused', () => {
  const models = ['internvl2', 'minicpm', 'phi3v'] as const;
  test.each(models)('%s: number types, quantisation, adapters, architectures', (name) => {
    const refused = (change: Change, message: string) => expect(() => numbers(name, change)).toThrow(message);
    refused((c) => (c.torch_dtype = 'float8'), 'd/config.json: torch_dtype: "float8", wanted "float32" or');
    refused((c) => (c.dtype = 'int4'), 'dtype: "int4"');
    refused((c) => (c.quantization_config = { bits: 4 }), 'quantization_config: {"bits":4}');
    refused((c) => (c.use_llm_lora = 16), 'use_llm_lora: 16, wanted 0: merge the adapter (LoRA)');
    refused((c) => (c.architectures = ['LlamaForCausalLM']), 'architectures: ["LlamaForCausalLM"], wanted');
    refused((c) => {
      (c.llm_config ?? c).max_position_embeddings = -1;
    }, 'max_position_embeddings: -1, wanted at least 1');
    expect(numbers(name, (c) => (c.torch_dtype = 'float16'))).toEqual(numbers(name));
  });

  test.each(models)('%s: pixels', (name) => {
    const refused = (change: Change, message: string) => expect(() => numbers(name, change)).toThrow(message);
    const file = 'd/preprocessor_config.json: ';
    refused((_, p) => (p.image_mean = [0, 0, 0]), `${file}image_mean.0: 0, wanted 0.`);
    refused((_, p) => (p.image_std = [1, 1, 1]), `${file}image_std.0: 1, wanted 0.`);
    refused((_, p) => (p.image_std = 1), `${file}image_std: 1, wanted`);
    refused((_, p) => (p.do_normalize = false), `${file}do_normalize: false, wanted true`);
    refused((_, p) => (p.rescale_factor = 1), `${file}rescale_factor: 1, wanted 1 / 255`);
    expect(numbers(name, (_, p) => (p.rescale_factor = 1 / 255))).toEqual(numbers(name));
  });

  test('the side of a tile, in every form', () => {
    const sides = [448, { height: 448, width: 448 }, { shortest_edge: 448 }];
    for (const size of sides) expect(numbers('internvl2', (_, p) => (p.size = size))).toEqual(numbers('internvl2'));
    for (const size of [336, { height: 448, width: 224 }, {}, '448']) {
      expect(() => numbers('internvl2', (_, p) => (p.crop_size = size))).toThrow('wanted 448, the side of a tile');
    }
    expect(() => numbers('phi3v', (_, p) => (p.num_img_tokens = 256))).toThrow('num_img_tokens: 256, wanted 144');
  });

  test.each([
    ['Qwen2ForCausalLM', 'qwen2'],
    ['Phi3ForCausalLM', 'phi3'],
    ['LlamaForCausalLM', 'llama'],
  ])('InternVL2 around %s says which sizes are supported', (architecture, kind) => {
    const sizes = 'of InternVL2 the sizes 2B and 8B are supported, not 1B (Qwen2), 4B (Phi-3), 26B, 40B and 76B';
    const other: Change = (c) => Object.assign(c.llm_config, { architectures: [architecture], model_type: kind });
    expect(() => numbers('internvl2', other)).toThrow(
      `d/config.json: llm_config.architectures: ["${architecture}"], wanted InternLM2ForCausalLM: ${sizes}`,
    );
    expect(() => numbers('internvl2', (c) => (c.vision_config.norm_type = 'rms_norm'))).toThrow(
      `vision_config.norm_type: "rms_norm", wanted "layer_norm": ${sizes}`,
    );
    expect(() => numbers('internvl2', (c) => (c.llm_config.model_type = kind))).toThrow(
      `llm_config.model_type: "${kind}", wanted "internlm2": ${sizes}`,
    );
  });
});

describe('what ends an answer', () => {
  const ends = (language: unknown, generation: unknown) =>
    endIds({ file: 'c', contents: language }, { file: 'g', contents: generation }, 100);

  test('stands where config.json describes the language model', () => {
    const config = (eos: number) => ({
      file: 'c',
      contents: { eos_token_id: 500, llm: { eos_token_id: eos } },
      key: 'llm',
    });
    expect(endIds(config(7), { file: 'g', contents: undefined }, 100)).toEqual([7]);
    expect(() => endIds(config(100), { file: 'g', contents: undefined }, 100)).toThrow(
      'c: llm.eos_token_id: 100, wanted at most 99',
    );
  });

  test('is said by generation_config.json, else by config.json', () => {
    expect(ends({ eos_token_id: 2 }, { eos_token_id: [5, 6] })).toEqual([5, 6]);
    expect(ends({ eos_token_id: [2, 3] }, undefined)).toEqual([2, 3]);
    expect(ends({ eos_token_id: 2 }, { temperature: 0.6, top_p: 0.9, repetition_penalty: 1 })).toEqual([2]);
    expect(ends({}, {})).toEqual([]);
  });

  test.each([
    [{ eos_token_id: 100 }, {}, 'c: eos_token_id: 100, wanted at most 99'],
    [{ bos_token_id: -1 }, {}, 'c: bos_token_id: -1, wanted at least 0'],
    [{ pad_token_id: 1e9 }, {}, 'c: pad_token_id: 1000000000, wanted at most 99'],
    [{}, { eos_token_id: [1, 100] }, 'g: eos_token_id.1: 100, wanted at most 99'],
    [{}, { eos_token_id: 'x' }, 'g: eos_token_id: "x", wanted an id below 100'],
    [{}, [], 'g: document: [], wanted a value of type object'],
    [{}, { temperature: -1 }, 'g: temperature: -1, wanted at least 0'],
    [{}, { top_p: 2 }, 'g: top_p: 2, wanted at most 1'],
    [{}, { repetition_penalty: 1.2 }, 'g: repetition_penalty: 1.2, wanted 1'],
    [{}, { num_beams: 4 }, 'g: num_beams: 4, wanted 1'],
    [{}, { bad_words_ids: [[1]] }, 'g: bad_words_ids: [[1]], wanted none'],
    [{}, { max_length: 0 }, 'g: max_length: 0, wanted at least 1'],
  ])('of no meaning: %j %j', (language, generation, message) => {
    expect(() => ends(language, generation)).toThrow(message);
  });
});
