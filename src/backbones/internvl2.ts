// InternVL2 (InternViT + pixel shuffle + MLP + InternLM2): config.json, the internlm2-chat template, special tokens.
// Flags of the family that the network does not have are refused by name.
import { join } from 'node:path';
import { z } from 'zod';
import { checked } from '../core/schema.js';
import type { PromptPart } from '../text/prompt.js';
import type { Backbone, ConfigFiles, Content, Conversation, Initial } from './backbone.js';
import { architectures, configFields, side as pictureSide, pixelFields } from './fields/common.js';
import { withRope } from './fields/rope.js';

const size = (most: number) => z.number().int().min(1).max(most);
const width = size(65_536);
const layers = size(1024);
const eps = z.number().min(0).max(1);
const token = z
  .number()
  .int()
  .min(0)
  .max(2 ** 24);

const SIZES = ': of InternVL2 the sizes 2B and 8B are supported, not 1B (Qwen2), 4B (Phi-3), 26B, 40B and 76B';

// Keys that are absent have the defaults of the reference's configuration classes; keys not named here do not matter.
const visionSchema = z.object({
  ...configFields,
  architectures: architectures('InternVisionModel'),
  hidden_size: width,
  num_hidden_layers: layers,
  num_attention_heads: width,
  intermediate_size: width,
  image_size: size(4096),
  patch_size: size(256),
  layer_norm_eps: eps.default(1e-6),
  num_channels: z.literal(3).default(3),
  hidden_act: z.literal('gelu').default('gelu'),
  norm_type: z.string().refine((name) => name === 'layer_norm', `"layer_norm"${SIZES}`),
  qk_normalization: z.literal(false),
  qkv_bias: z.literal(true),
});
const ropeSchema = z.strictObject({ type: z.literal('dynamic'), factor: z.number().min(1).max(1e6) });
const languageSchema = z.object({
  ...configFields,
  architectures: architectures('InternLM2ForCausalLM', SIZES),
  model_type: z
    .string()
    .refine((name) => name === 'internlm2', `"internlm2"${SIZES}`)
    .optional(),
  hidden_size: width,
  num_hidden_layers: layers,
  num_attention_heads: width,
  num_key_value_heads: width,
  intermediate_size: size(1_000_000),
  vocab_size: size(2 ** 24),
  rms_norm_eps: eps.default(1e-6),
  rope_theta: z.number().gt(1).max(1e12).default(10_000),
  rope_scaling: ropeSchema.nullable().default(null),
  max_position_embeddings: size(2 ** 31).default(2048),
  original_max_position_embeddings: size(2 ** 31).optional(),
  pad_token_id: token.default(2),
  hidden_act: z.literal('silu').default('silu'),
  bias: z.literal(false),
  tie_word_embeddings: z.literal(false).default(false),
});
const schema = z
  .object({
    ...configFields,
    architectures: architectures('InternVLChatModel'),
    vision_config: visionSchema,
    llm_config: languageSchema,
    force_image_size: size(4096).nullable().optional(),
    downsample_ratio: z.number().gt(0).max(1).default(0.5),
    min_dynamic_patch: size(128).default(1),
    max_dynamic_patch: size(128).default(6),
    use_thumbnail: z.boolean().default(false),
    dynamic_image_size: z.literal(true),
    select_layer: z.literal(-1).default(-1),
    ps_version: z.literal('v2'),
    template: z.literal('internlm2-chat'),
    tie_word_embeddings: z.literal(false).default(false),
    pad2square: z.literal(false).default(false),
  })
  .superRefine((config, context) => {
    const { vision_config: vision, llm_config: language } = config;
    const refuse = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
    const merge = 1 / config.downsample_ratio;
    if (!Number.isInteger(merge)) refuse(['downsample_ratio'], '1 over a whole number');
    if ((config.force_image_size ?? vision.image_size) !== vision.image_size) {
      refuse(['force_image_size'], `${vision.image_size} (vision_config.image_size)`);
    }
    if (vision.image_size % (vision.patch_size * merge) !== 0) {
      refuse(
        ['vision_config', 'image_size'],
        `a multiple of patch_size / downsample_ratio = ${vision.patch_size * merge}`,
      );
    }
    if (vision.hidden_size % vision.num_attention_heads !== 0) {
      refuse(['vision_config', 'hidden_size'], `a multiple of num_attention_heads = ${vision.num_attention_heads}`);
    }
    if (language.hidden_size % (2 * language.num_attention_heads) !== 0) {
      refuse(
        ['llm_config', 'hidden_size'],
        `a multiple of 2 x num_attention_heads = ${2 * language.num_attention_heads}`,
      );
    }
    if (language.num_attention_heads % language.num_key_value_heads !== 0) {
      refuse(
        ['llm_config', 'num_attention_heads'],
        `a multiple of num_key_value_heads = ${language.num_key_value_heads}`,
      );
    }
    if (config.max_dynamic_patch < config.min_dynamic_patch) {
      refuse(['max_dynamic_patch'], `at least min_dynamic_patch = ${config.min_dynamic_patch}`);
    }
    if (
      (language.original_max_position_embeddings ?? language.max_position_embeddings) !==
      language.max_position_embeddings
    ) {
      refuse(
        ['llm_config', 'original_max_position_embeddings'],
        `${language.max_position_embeddings} (llm_config.max_position_embeddings)`,
      );
    }
    if (language.pad_token_id >= language.vocab_size)
      refuse(['llm_config', 'pad_token_id'], `below vocab_size = ${language.vocab_size}`);
  });

const PREPROCESSOR = 'preprocessor_config.json';
const preprocessorSchema = (pixels: number) =>
  z.object({
    ...pixelFields([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    resample: z.literal(3).optional(),
    size: pictureSide(pixels),
    crop_size: pictureSide(pixels),
  });

const BEGIN = '<s>';
const START = '<|im_start|>';
const END = '<|im_end|>';
const IMAGE_BEGIN = '<img>';
const IMAGE_TOKEN = '<IMG_CONTEXT>';
const IMAGE_END = '</img>';
const PLACEHOLDER = '<image>';
const SYSTEM =
  '你是由上海人工智能实验室联合商汤科技开发的书生多模态大模型，英文名叫InternVL, 是一个有用无害的人工智能助手。';

export const backbone: Backbone = {
  name: 'internvl2',
  accepts: (config) =>
    config.model_type === 'internvl_chat' ||
    (Array.isArray(config.architectures) && config.architectures.includes('InternVLChatModel')),
  configFiles: [PREPROCESSOR],
  numbers,
  widthName: 'l_hidden',
  vocabularyName: 'vocab',
  languageField: 'llm_config',
  positionsName: 'max_positions',
  prefixes: { vision: ['vision_model.'], projector: ['mlp1.'], language: ['language_model.'] },
  aliases: {},
  tokenizerFile: 'tokenizer.model',
  tokenizerConfig: {
    tokenizer_class: 'InternLM2Tokenizer',
    bos_token: BEGIN,
    eos_token: '</s>',
    pad_token: '</s>',
    unk_token: '<unk>',
  },
  specials: [BEGIN, '</s>', START, END, IMAGE_BEGIN, IMAGE_TOKEN, IMAGE_END],
  begin: BEGIN,
  imageToken: { special: IMAGE_TOKEN },
  picture: ({ tokens }) => [{ special: IMAGE_BEGIN }, { tokens }, { special: IMAGE_END }],
  placeholder: PLACEHOLDER,
  render,
  ask,
  endOfTurn: END,
  stops: [END, '</s>', START],
  initial,
};

function numbers({ dir, config, side }: ConfigFiles, idOf: (special: string) => number): Record<string, number> {
  const file = join(dir, 'config.json');
  const named = { ...config, llm_config: withRope(config.llm_config, file, 'llm_config') };
  const { vision_config: vision, llm_config: language, ...model } = checked(schema, named, file);
  // The reference's own chat reads no such file; one that says otherwise belongs to another network.
  checked(preprocessorSchema(vision.image_size), side[PREPROCESSOR] ?? {}, join(dir, PREPROCESSOR));
  return {
    image_size: vision.image_size,
    patch_size: vision.patch_size,
    v_hidden: vision.hidden_size,
    v_layers: vision.num_hidden_layers,
    v_heads: vision.num_attention_heads,
    v_intermediate: vision.intermediate_size,
    v_eps: vision.layer_norm_eps,
    downsample: model.downsample_ratio,
    min_tiles: model.min_dynamic_patch,
    max_tiles: model.max_dynamic_patch,
    use_thumbnail: Number(model.use_thumbnail),
    l_hidden: language.hidden_size,
    l_layers: language.num_hidden_layers,
    l_heads: language.num_attention_heads,
    l_kv_heads: language.num_key_value_heads,
    l_intermediate: language.intermediate_size,
    l_eps: language.rms_norm_eps,
    vocab: language.vocab_size,
    rope_theta: language.rope_theta,
    rope_factor: language.rope_scaling?.factor ?? 1,
    rope_dynamic: Number(language.rope_scaling !== null),
    max_positions: language.max_position_embeddings,
    pad_id: language.pad_token_id,
    image_context_id: idOf(IMAGE_TOKEN),
  };
}

/** No newline after the end mark: what the reference's own chat uses, not the jinja template of tokenizer_config.json. */
function render({ system = SYSTEM, turns }: Conversation): PromptPart[] {
  const turn = (role: string, content: Content): PromptPart[] => [
    { special: START },
    { text: `${role}\n` },
    ...content,
    { special: END },
  ];
  return [
    { special: BEGIN },
    ...turn('system', [{ text: system }]),
    ...turns.flatMap(({ role, content }) => turn(role, content)),
    { special: START },
    { text: 'assistant\n' },
  ];
}

/** One picture goes in front; several are numbered, as in the reference's examples. */
function ask(question: string, images: number): Content {
  const places = Array.from({ length: images }, (_, image) => [
    { text: images > 1 ? `Image-${image + 1}: ` : '' },
    { image },
    { text: '\n' },
  ]);
  return [...places.flat(), { text: question }];
}

/** Deviation 0.02 at the real width of 2048, larger for narrower layers; what is added to the residual stream is made smaller with depth. */
function initial(name: string, shape: readonly number[], config: Readonly<Record<string, number>>): Initial {
  if (shape.length === 1) return { constant: name.endsWith('.bias') ? 0 : 1 };
  const table = name.endsWith('tok_embeddings.weight') || name.endsWith('_embedding');
  const inputs = table
    ? (shape.at(-1) as number)
    : shape.slice(1).reduce((product, dimension) => product * dimension, 1);
  const residual = /\.(attn\.proj|mlp\.fc2|attention\.wo|feed_forward\.w2)\.weight$/.test(name);
  const depth = (name.startsWith('vision_model.') ? config.v_layers : config.l_layers) as number;
  return { normal: (0.02 * Math.sqrt(2048 / inputs)) / (residual ? Math.sqrt(2 * depth) : 1) };
}
