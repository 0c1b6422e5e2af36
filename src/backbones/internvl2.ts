// InternVL2 (InternViT + pixel shuffle + MLP + InternLM2): config.json, the internlm2-chat template, special tokens.
// Flags of the family that the network does not have are refused by name.
import { join } from 'node:path';
import { z } from 'zod';
import { checked } from '../core/schema.js';
import type { PromptPart } from '../text/prompt.js';
import type { Backbone, Content } from './backbone.js';
import {
  architectures,
  configFields,
  languageFields,
  languageNumbers,
  pixelFields,
  refusals,
  refuseHeads,
  size,
  visionFields,
  visionNumbers,
} from './fields/common.js';
import { withRope } from './fields/rope.js';

const SIZES = ': of InternVL2 the sizes 2B and 8B are supported, not 1B (Qwen2), 4B (Phi-3), 26B, 40B and 76B';

const schema = z
  .object({
    ...configFields,
    architectures: architectures('InternVLChatModel'),
    vision_config: z.object({
      ...configFields,
      ...visionFields,
      architectures: architectures('InternVisionModel'),
      hidden_act: z.literal('gelu').default('gelu'),
      norm_type: z.string().refine((name) => name === 'layer_norm', `"layer_norm"${SIZES}`),
      qk_normalization: z.literal(false),
      qkv_bias: z.literal(true),
    }),
    llm_config: z.object({
      ...configFields,
      architectures: architectures('InternLM2ForCausalLM', SIZES),
      model_type: z
        .string()
        .refine((name) => name === 'internlm2', `"internlm2"${SIZES}`)
        .optional(),
      ...languageFields,
      rope_scaling: z
        .strictObject({ type: z.literal('dynamic'), factor: z.number().min(1).max(1e6) })
        .nullable()
        .default(null),
      original_max_position_embeddings: size(2 ** 31).optional(),
      pad_token_id: z
        .int()
        .min(0)
        .max(2 ** 24)
        .default(2),
      bias: z.literal(false),
    }),
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
    const { vision_config: vision, llm_config: language, min_dynamic_patch: fewest } = config;
    const { image_size: side, num_attention_heads: heads } = vision;
    const { max_position_embeddings: positions, vocab_size: vocabulary } = language;
    const refuse = refusals(context);
    const merge = 1 / config.downsample_ratio;
    const cell = vision.patch_size * merge;
    refuse(!Number.isInteger(merge), 'downsample_ratio', '1 over a whole number');
    refuse((config.force_image_size ?? side) !== side, 'force_image_size', `${side} (vision_config.image_size)`);
    refuse(side % cell !== 0, 'vision_config.image_size', `a multiple of patch_size / downsample_ratio = ${cell}`);
    refuse(
      vision.hidden_size % heads !== 0,
      'vision_config.hidden_size',
      `a multiple of num_attention_heads = ${heads}`,
    );
    refuseHeads(language, 'llm_config.', refuse);
    refuse(config.max_dynamic_patch < fewest, 'max_dynamic_patch', `at least min_dynamic_patch = ${fewest}`);
    refuse(
      (language.original_max_position_embeddings ?? positions) !== positions,
      'llm_config.original_max_position_embeddings',
      `${positions} (llm_config.max_position_embeddings)`,
    );
    refuse(language.pad_token_id >= vocabulary, 'llm_config.pad_token_id', `below vocab_size = ${vocabulary}`);
  });

const PREPROCESSOR = 'preprocessor_config.json';
const TOKEN = {
  begin: '<s>',
  endOfText: '</s>',
  turn: '<|im_start|>',
  endOfTurn: '<|im_end|>',
  image: '<img>',
  imagePart: '<IMG_CONTEXT>',
  endOfImage: '</img>',
};
const SYSTEM =
  '你是由上海人工智能实验室联合商汤科技开发的书生多模态大模型，英文名叫InternVL, 是一个有用无害的人工智能助手。';

export const backbone: Backbone = {
  name: 'internvl2',
  accepts: (config) =>
    config.model_type === 'internvl_chat' ||
    (Array.isArray(config.architectures) && config.architectures.includes('InternVLChatModel')),
  configFiles: [PREPROCESSOR],
  languageField: 'llm_config',
  prefixes: { vision: ['vision_model.'], projector: ['mlp1.'], language: ['language_model.'] },
  tokenizerFile: 'tokenizer.model',
  tokenizerConfig: {
    tokenizer_class: 'InternLM2Tokenizer',
    bos_token: TOKEN.begin,
    eos_token: TOKEN.endOfText,
    pad_token: TOKEN.endOfText,
    unk_token: '<unk>',
  },
  specials: Object.values(TOKEN),
  begin: TOKEN.begin,
  imageToken: { special: TOKEN.imagePart },
  picture: ({ tokens }) => [{ special: TOKEN.image }, { tokens }, { special: TOKEN.endOfImage }],
  placeholder: '<image>',
  endOfTurn: TOKEN.endOfTurn,
  stops: [TOKEN.endOfTurn, TOKEN.endOfText, TOKEN.turn],
  initial: {
    width: 2048,
    table: /(tok_embeddings\.weight|_embedding)$/,
    residual: /\.(attn\.proj|mlp\.fc2|attention\.wo|feed_forward\.w2)\.weight$/,
  },

  numbers({ dir, config, side }, idOf) {
    const file = join(dir, 'config.json');
    const named = { ...config, llm_config: withRope(config.llm_config, file, 'llm_config') };
    const { vision_config: vision, llm_config: language, ...model } = checked(schema, named, file);
    const pixels = z.literal(vision.image_size);
    const tile = z
      .union(
        [pixels, z.object({ height: pixels, width: pixels }), z.object({ shortest_edge: pixels })],
        `${vision.image_size}, the side of a tile`,
      )
      .optional();
    const preprocessor = z.object({
      ...pixelFields([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
      resample: z.literal(3).optional(),
      size: tile,
      crop_size: tile,
    });
    // The reference's own chat reads no such file; one that says otherwise belongs to another network.
    checked(preprocessor, side[PREPROCESSOR] ?? {}, join(dir, PREPROCESSOR));
    return {
      image_size: vision.image_size,
      patch_size: vision.patch_size,
      ...visionNumbers(vision),
      downsample: model.downsample_ratio,
      min_tiles: model.min_dynamic_patch,
      max_tiles: model.max_dynamic_patch,
      use_thumbnail: Number(model.use_thumbnail),
      ...languageNumbers(language),
      rope_factor: language.rope_scaling?.factor ?? 1,
      rope_dynamic: Number(language.rope_scaling !== null),
      pad_id: language.pad_token_id,
      image_context_id: idOf(TOKEN.imagePart),
    };
  },

  /** No newline after the end mark: what the reference's own chat uses, not the jinja template of tokenizer_config.json. */
  render({ system = SYSTEM, turns }) {
    const turn = (role: string, content: Content): PromptPart[] => [
      { special: TOKEN.turn },
      { text: `${role}\n` },
      ...content,
      { special: TOKEN.endOfTurn },
    ];
    return [
      { special: TOKEN.begin },
      ...turn('system', [{ text: system }]),
      ...turns.flatMap(({ role, content }) => turn(role, content)),
      { special: TOKEN.turn },
      { text: 'assistant\n' },
    ];
  },

  /** One picture goes in front; several are numbered, as in the reference's examples. */
  ask(question, images) {
    const places = Array.from({ length: images }, (_, image) => [
      { text: images > 1 ? `Image-${image + 1}: ` : '' },
      { image },
      { text: '\n' },
    ]);
    return [...places.flat(), { text: question }];
  },
};
