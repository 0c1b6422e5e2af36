// Qwen2.5-VL and Qwen3-VL: their configs in every form that files have, limits of pictures, names of parameters, templates.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Backbone, Content, Conversation } from '../../../src/backbones/backbone.js';
import { endIds } from '../../../src/backbones/fields/generation.js';
import { backbone as qwen25 } from '../../../src/backbones/qwen2_5_vl.js';
import { backbone as qwen3 } from '../../../src/backbones/qwen3_vl.js';
import { findBackbone } from '../../../src/backbones/registry.js';
import { UserError } from '../../../src/core/errors.js';
import { type PublishedName, published } from '../../fakes/published.js';

// biome-ignore lint/suspicious/noExplicitAny: files are changed at places whose type does not matter.
type Json = Record<string, any>;
type Change = (config: Json, preprocessor: Json) => void;
const PREPROCESSOR = 'preprocessor_config.json';

function numbers(name: PublishedName, change: Change = () => {}): Record<string, number> {
  const { config, sideFiles, specials } = published(name);
  const preprocessor = sideFiles[PREPROCESSOR] as Json;
  change(config, preprocessor);
  const files = { dir: 'd', config, side: { [PREPROCESSOR]: preprocessor }, shapes: () => undefined };
  return (name.startsWith('qwen3') ? qwen3 : qwen25).numbers(files, (special) => specials[special] as number);
}

describe('numbers', () => {
  test('Qwen2.5-VL-3B', async () => {
    expect((await findBackbone(published('qwen2.5-vl-3b').config, 'c')).name).toBe('qwen2_5_vl');
    const { ...found } = numbers('qwen2.5-vl-3b');
    const full = Object.keys(found).filter((key) => found[key] === 1 && key.startsWith('full_'));
    expect(full).toEqual(['full_7', 'full_15', 'full_23', 'full_31']);
    const others = Object.entries(found).filter(([key]) => !key.startsWith('full_'));
    expect(Object.keys(found)).toHaveLength(others.length + 32);
    expect(Object.fromEntries(others)).toEqual({
      ...{ patch_size: 14, merge_size: 2, frames: 2, window: 4, min_pixels: 3136, max_pixels: 12845056 },
      ...{ v_hidden: 1280, v_layers: 32, v_heads: 16, v_intermediate: 3420 },
      ...{ l_hidden: 2048, l_layers: 36, l_heads: 16, l_kv_heads: 2, l_head_dim: 128, l_intermediate: 11008 },
      ...{ l_eps: 1e-6, vocab: 151936, rope_theta: 1e6, section_0: 16, section_1: 24, section_2: 24 },
      ...{ max_positions: 128000, tied: 1, image_token_id: 151655 },
    });
  });

  test('Qwen3-VL-4B, whose heads are wider than its hidden states', async () => {
    expect((await findBackbone(published('qwen3-vl-4b').config, 'c')).name).toBe('qwen3_vl');
    expect(numbers('qwen3-vl-4b')).toEqual({
      ...{ patch_size: 16, merge_size: 2, frames: 2, min_pixels: 65536, max_pixels: 16777216, position_side: 48 },
      ...{ v_hidden: 1024, v_layers: 24, v_heads: 16, v_intermediate: 4096 },
      ...{ deep_layers: 3, deep_0: 5, deep_1: 11, deep_2: 17 },
      ...{ l_hidden: 2560, l_layers: 36, l_heads: 32, l_kv_heads: 8, l_head_dim: 128, l_intermediate: 9728 },
      ...{ l_eps: 1e-6, vocab: 151936, rope_theta: 5e6, section_0: 24, section_1: 20, section_2: 20 },
      ...{ max_positions: 262144, tied: 1, image_token_id: 151655 },
    });
  });

  const language = [
    'hidden_size',
    'intermediate_size',
    'num_attention_heads',
    'num_hidden_layers',
    'num_key_value_heads',
    'vocab_size',
    'max_position_embeddings',
    'rms_norm_eps',
    'rope_theta',
    'rope_scaling',
    'hidden_act',
  ];
  const nest = (config: Json, keep: boolean): void => {
    config.text_config = Object.fromEntries(language.map((key) => [key, config[key]]));
    if (!keep) for (const key of language) delete config[key];
  };
  const asParameters = (holder: Json): void => {
    const { rope_scaling: scaling, rope_theta } = holder;
    holder.rope_parameters = { ...scaling, rope_theta, rope_type: 'default' };
    delete holder.rope_scaling;
    delete holder.rope_theta;
  };

  test.each<[string, Change]>([
    ['the language model in text_config alone', (c) => nest(c, false)],
    ['the language model in text_config and outside', (c) => nest(c, true)],
    ['a rotation of the type default', (c) => Object.assign(c.rope_scaling, { type: 'default', rope_type: 'default' })],
    ['rope_parameters', asParameters],
    [
      'rope_parameters in text_config',
      (c) => {
        nest(c, false);
        asParameters(c.text_config);
      },
    ],
    ['in_channels for in_chans', (c) => Object.assign(c.vision_config, { in_chans: undefined, in_channels: 3 })],
    [
      'a vision_config that leaves out what is usual',
      (c) => {
        const { hidden_size, in_chans, out_hidden_size } = c.vision_config;
        c.vision_config = { hidden_size, in_chans, out_hidden_size, spatial_patch_size: 14, tokens_per_second: 2 };
      },
    ],
    [
      'limits as size',
      (_, p) => {
        p.size = { shortest_edge: p.min_pixels, longest_edge: p.max_pixels };
        delete p.min_pixels;
        delete p.max_pixels;
      },
    ],
    ['min_pixels and max_pixels before size', (_, p) => (p.size = { shortest_edge: 1, longest_edge: 2 })],
    ['an image processor of another year', (_, p) => (p.image_processor_type = 'Qwen2_5_VLImageProcessorFast')],
  ])('of Qwen2.5-VL are the same by %s', (_, change) => {
    expect(numbers('qwen2.5-vl-3b', change)).toEqual(numbers('qwen2.5-vl-3b'));
  });

  test.each<[string, Change]>([
    ['rope_parameters', (c) => asParameters(c.text_config)],
    ['another name of the tower', (c) => (c.vision_config.model_type = 'qwen3_vl_vision')],
    ['a tie inside text_config, which means nothing', (c) => (c.text_config.tie_word_embeddings = true)],
    [
      'min_pixels and max_pixels',
      (_, p) => Object.assign(p, { size: undefined, min_pixels: 65536, max_pixels: 16777216 }),
    ],
  ])('of Qwen3-VL are the same by %s', (_, change) => {
    expect(numbers('qwen3-vl-8b', change)).toEqual(numbers('qwen3-vl-8b'));
  });

  test('head and token table are one where the file says so: in Qwen2.5-VL inside text_config too', () => {
    expect(numbers('qwen2.5-vl-7b').tied).toBe(0);
    const inside: Change = (c) => {
      nest(c, false);
      c.text_config.tie_word_embeddings = true;
    };
    expect(numbers('qwen2.5-vl-7b', inside).tied).toBe(1);
    expect(numbers('qwen3-vl-8b').tied).toBe(0);
    expect(numbers('qwen3-vl-8b', (c) => delete c.tie_word_embeddings).tied).toBe(0);
  });

  test.each(['qwen2_5-vl', 'qwen3-vl'])(
    'of the golden folder %s are the same by the config that its reference saves',
    (name) => {
      const dir = fileURLToPath(new URL(`../../../../shared/golden/${name}`, import.meta.url));
      if (!existsSync(dir)) return console.log(`skipped: ${dir} is absent`);
      const read = (file: string): Json => JSON.parse(readFileSync(`${dir}/${file}`, 'utf8'));
      const backbone = name === 'qwen3-vl' ? qwen3 : qwen25;
      const side = { [PREPROCESSOR]: read(PREPROCESSOR) };
      const of = (config: Json) => backbone.numbers({ dir, config, side, shapes: () => undefined }, () => 7);
      expect(of(read('extra/resaved.json').config)).toEqual(of(read('config.json')));
    },
  );
});

describe('refuses', () => {
  test.each<[PublishedName, string, Change]>([
    ['qwen2.5-vl-3b', 'config.json: hidden_size: missing', (c) => delete c.hidden_size],
    ['qwen2.5-vl-3b', 'config.json: rope_scaling.mrope_section', (c) => (c.rope_scaling.mrope_section = [16, 24, 25])],
    ['qwen2.5-vl-3b', 'config.json: rope_scaling', (c) => (c.rope_scaling = { type: 'yarn', factor: 4 })],
    ['qwen2.5-vl-3b', 'config.json: rope_scaling', (c) => delete c.rope_scaling],
    ['qwen2.5-vl-3b', 'config.json: use_sliding_window: true', (c) => (c.use_sliding_window = true)],
    ['qwen2.5-vl-3b', 'config.json: vision_config.window_size: 100', (c) => (c.vision_config.window_size = 100)],
    ['qwen2.5-vl-3b', 'config.json: vision_config.out_hidden_size: 7', (c) => (c.vision_config.out_hidden_size = 7)],
    [
      'qwen2.5-vl-3b',
      'config.json: hidden_size: 2048, wanted a multiple of 2 x num_attention_heads = 24',
      (c) => (c.num_attention_heads = 12),
    ],
    ['qwen2.5-vl-3b', `${PREPROCESSOR}: patch_size: 16, wanted 14`, (_, p) => (p.patch_size = 16)],
    ['qwen2.5-vl-3b', `${PREPROCESSOR}: image_mean.0: 0.5`, (_, p) => (p.image_mean = [0.5, 0.5, 0.5])],
    [
      'qwen2.5-vl-3b',
      `${PREPROCESSOR}: max_pixels: 100, wanted at least min_pixels = 3136`,
      (_, p) => (p.max_pixels = 100),
    ],
    ['qwen2.5-vl-3b', `${PREPROCESSOR}: image_processor_type: "X"`, (_, p) => (p.image_processor_type = 'X')],
    ['qwen3-vl-8b', 'config.json: text_config: missing', (c) => delete c.text_config],
    [
      'qwen3-vl-8b',
      'config.json: text_config.rope_scaling.mrope_interleaved',
      (c) => (c.text_config.rope_scaling.mrope_interleaved = false),
    ],
    [
      'qwen3-vl-8b',
      'config.json: vision_config.deepstack_visual_indexes',
      (c) => (c.vision_config.deepstack_visual_indexes = [5, 27]),
    ],
    [
      'qwen3-vl-8b',
      'config.json: vision_config.num_position_embeddings: 2305',
      (c) => (c.vision_config.num_position_embeddings = 2305),
    ],
    ['qwen3-vl-8b', 'config.json: text_config.attention_bias: true', (c) => (c.text_config.attention_bias = true)],
    [
      'qwen3-vl-8b',
      'config.json: text_config.num_attention_heads: 31',
      (c) => (c.text_config.num_attention_heads = 31),
    ],
  ])('%s: %s', (name, message, change) => {
    expect(() => numbers(name, change)).toThrow(UserError);
    expect(() => numbers(name, change)).toThrow(`d/${message}`);
  });
});

describe('files', () => {
  test('both names of a parameter are known, and the head of a tied model is its table', () => {
    const tied = { tied: 1 } as never;
    const untied = { tied: 0 } as never;
    expect(qwen25.alias?.('model.visual.merger.ln_q.weight', tied)).toBe('visual.merger.ln_q.weight');
    expect(qwen25.alias?.('model.language_model.layers.0.mlp.up_proj.weight', tied)).toBe(
      'model.layers.0.mlp.up_proj.weight',
    );
    expect(qwen25.alias?.('model.layers.0.mlp.up_proj.weight', tied)).toBeUndefined();
    expect(qwen25.alias?.('lm_head.weight', tied)).toBe('model.embed_tokens.weight');
    expect(qwen25.alias?.('lm_head.weight', untied)).toBeUndefined();
    expect(qwen3.alias?.('lm_head.weight', tied)).toBe('model.language_model.embed_tokens.weight');
    expect(qwen3.alias?.('lm_head.weight', untied)).toBeUndefined();
  });

  test("the reference's own penalty of repetitions changes nothing, and every end mark counts", () => {
    const contents = { eos_token_id: [3, 4], repetition_penalty: 1.05, temperature: 1e-6 };
    const ends = (ignored?: readonly string[]) =>
      endIds({ file: 'c', contents: {} }, { file: 'g', contents }, 10, ignored);
    expect(ends(qwen25.ownSampling)).toEqual([3, 4]);
    expect(() => ends()).toThrow('g: repetition_penalty: 1.05');
  });
});

describe('templates', () => {
  const written = ({ render }: Backbone, conversation: Conversation) =>
    render(conversation)
      .map((part) => ('special' in part ? part.special : 'text' in part ? part.text : `{${part.image}}`))
      .join('');
  const user = (...content: Content) => ({ role: 'user', content }) as const;
  const turn = (role: string, text: string) => `<|im_start|>${role}\n${text}<|im_end|>\n`;
  const turns = [
    user({ image: 0 }, { text: ' Q1' }),
    { role: 'assistant', content: [{ text: 'A1' }] } as const,
    user({ text: 'Q2' }),
  ];
  const spoken = `${turn('user', '{0} Q1')}${turn('assistant', 'A1')}${turn('user', 'Q2')}<|im_start|>assistant\n`;

  test('Qwen2.5-VL has a system message of its own, Qwen3-VL has none', () => {
    expect(written(qwen25, { turns })).toBe(turn('system', 'You are a helpful assistant.') + spoken);
    expect(written(qwen3, { turns })).toBe(spoken);
    for (const backbone of [qwen25, qwen3])
      expect(written(backbone, { system: ' S', turns })).toBe(turn('system', ' S') + spoken);
  });

  test('a question has its pictures before it, with nothing between', () => {
    expect(qwen3.ask('Q', 2)).toEqual([{ image: 0 }, { image: 1 }, { text: 'Q' }]);
    expect(qwen3.picture({ cols: 3, rows: 2, tiles: 1, tokens: 6 }, 0)).toEqual([
      { special: '<|vision_start|>' },
      { tokens: 6 },
      { special: '<|vision_end|>' },
    ]);
  });
});
