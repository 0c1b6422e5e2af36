// MiniCPM-Llama3-V-2.5 (SigLIP + perceiver resampler + Llama-3): config.json, preprocessor_config.json, the Llama-3
// template, special tokens. Flags of the family that the network does not have are refused by name.
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { checked } from '../core/schema.js';
import type { PicturePiece, PromptPart } from '../text/prompt.js';
import type { Backbone, ConfigFiles, Content, Conversation, Initial } from './backbone.js';
import { architectures, configFields, pixelFields } from './fields/common.js';
import { withRope } from './fields/rope.js';

const size = (most: number) => z.number().int().min(1).max(most);
const width = size(65_536);
const layers = size(1024);
const eps = z.number().min(0).max(1);
const RESAMPLER_HEAD = 128;

// Keys that are absent have the defaults of the reference's configuration classes; keys not named here do not matter.
const visionSchema = z.object({
  model_type: z.literal('idefics2').default('idefics2'),
  hidden_size: width,
  num_hidden_layers: layers,
  num_attention_heads: width,
  intermediate_size: width,
  image_size: size(4096),
  patch_size: size(256),
  layer_norm_eps: eps.default(1e-6),
  num_channels: z.literal(3).default(3),
  hidden_act: z.literal('gelu_pytorch_tanh').default('gelu_pytorch_tanh'),
});
const sliceSchema = z.object({
  max_slice_nums: size(128).optional(),
  scale_resolution: size(4096).optional(),
  patch_size: size(256).optional(),
});
const versionSchema = z.union([z.literal('2.5'), z.literal(2.5)]);
const schema = z
  .object({
    ...configFields,
    architectures: architectures('MiniCPMV'),
    version: versionSchema.default('2.5'),
    vision_config: visionSchema,
    slice_config: sliceSchema.nullable().default(null),
    // In a class default of the reference the last layer is left out; the released model has all.
    drop_vision_last_layer: z.literal(false),
    batch_vision_input: z.literal(true).default(true),
    slice_mode: z.literal(true).default(true),
    query_num: size(4096),
    hidden_size: width,
    num_hidden_layers: layers,
    num_attention_heads: width,
    num_key_value_heads: width,
    head_dim: width.optional(),
    intermediate_size: size(1_000_000),
    vocab_size: size(2 ** 24),
    rms_norm_eps: eps.default(1e-6),
    rope_theta: z.number().gt(1).max(1e12).default(10_000),
    max_position_embeddings: size(2 ** 31).default(2048),
    rope_scaling: z.null().default(null),
    hidden_act: z.literal('silu').default('silu'),
    attention_bias: z.literal(false).default(false),
    mlp_bias: z.literal(false).default(false),
    tie_word_embeddings: z.literal(false).default(false),
    pad_token_id: z.number().int().min(0).nullable().default(null),
  })
  .superRefine((config, context) => {
    const refuse = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
    const { vision_config: vision, hidden_size: hidden, num_attention_heads: heads } = config;
    if (hidden % RESAMPLER_HEAD !== 0) refuse(['hidden_size'], `a multiple of ${RESAMPLER_HEAD} (resampler heads)`);
    if (hidden % (2 * heads) !== 0) refuse(['hidden_size'], `a multiple of 2 x num_attention_heads = ${2 * heads}`);
    if ((config.head_dim ?? hidden / heads) !== hidden / heads) {
      refuse(['head_dim'], `hidden_size / num_attention_heads = ${hidden / heads}`);
    }
    if (heads % config.num_key_value_heads !== 0) {
      refuse(['num_attention_heads'], `a multiple of num_key_value_heads = ${config.num_key_value_heads}`);
    }
    if (vision.hidden_size % vision.num_attention_heads !== 0) {
      refuse(['vision_config', 'hidden_size'], `a multiple of num_attention_heads = ${vision.num_attention_heads}`);
    }
    if (vision.image_size < vision.patch_size) {
      refuse(['vision_config', 'image_size'], `at least patch_size = ${vision.patch_size}`);
    }
    if ((config.slice_config?.patch_size ?? vision.patch_size) !== vision.patch_size) {
      refuse(['slice_config', 'patch_size'], `${vision.patch_size} (vision_config.patch_size)`);
    }
    if (config.pad_token_id !== null && config.pad_token_id >= config.vocab_size) {
      refuse(['pad_token_id'], `below vocab_size = ${config.vocab_size}`);
    }
  });

const BEGIN = '<|begin_of_text|>';
const END_OF_TEXT = '<|end_of_text|>';
const HEADER = '<|start_header_id|>';
const HEADER_END = '<|end_header_id|>';
const END_OF_TURN = '<|eot_id|>';
const UNKNOWN = '<unk>';
const IMAGE_BEGIN = '<image>';
const IMAGE_END = '</image>';
const SLICE_BEGIN = '<slice>';
const SLICE_END = '</slice>';

const half = z.tuple([z.literal(0.5), z.literal(0.5), z.literal(0.5)]);
const PREPROCESSOR = 'preprocessor_config.json';
const preprocessorSchema = sliceSchema.extend({
  version: versionSchema.default(2.5),
  slice_mode: z.literal(true).default(true),
  image_feature_size: size(4096).optional(),
  use_image_id: z.literal(false).default(false),
  im_start: z.literal(IMAGE_BEGIN).default(IMAGE_BEGIN),
  im_end: z.literal(IMAGE_END).default(IMAGE_END),
  slice_start: z.literal(SLICE_BEGIN).default(SLICE_BEGIN),
  slice_end: z.literal(SLICE_END).default(SLICE_END),
  unk: z.literal(UNKNOWN).default(UNKNOWN),
  ...pixelFields([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
  resample: z.literal(3).optional(),
  norm_mean: half.default([0.5, 0.5, 0.5]),
  norm_std: half.default([0.5, 0.5, 0.5]),
});

export const backbone: Backbone = {
  name: 'minicpm',
  accepts,
  configFiles: [PREPROCESSOR],
  numbers,
  widthName: 'l_hidden',
  vocabularyName: 'vocab',
  positionsName: 'max_positions',
  prefixes: { vision: ['vpm.'], projector: ['resampler.'], language: ['llm.'] },
  aliases: {},
  tokenizerFile: 'tokenizer.json',
  tokenizerConfig: {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: BEGIN,
    eos_token: END_OF_TEXT,
    pad_token: '!',
    unk_token: UNKNOWN,
  },
  specials: [
    BEGIN,
    END_OF_TEXT,
    UNKNOWN,
    HEADER,
    HEADER_END,
    END_OF_TURN,
    IMAGE_BEGIN,
    IMAGE_END,
    SLICE_BEGIN,
    SLICE_END,
  ],
  begin: BEGIN,
  imageToken: { special: UNKNOWN },
  picture,
  placeholder: '(<image>./</image>)',
  render,
  ask: (question, images) => [
    ...Array.from({ length: images }, (_, image) => [{ image }, { text: '\n' }]).flat(),
    { text: question },
  ],
  endOfTurn: END_OF_TURN,
  stops: [END_OF_TURN, END_OF_TEXT],
  initial,
};

/** Versions 2.0 and 2.6 have the same model_type and are other networks; early copies of 2.5 do not say their version. */
function accepts(config: Readonly<Record<string, unknown>>): boolean {
  if (config.model_type !== 'minicpmv') return false;
  if (config.version !== undefined) return versionSchema.safeParse(config.version).success;
  const vision = config.vision_config as { readonly model_type?: unknown } | null | undefined;
  return vision?.model_type === 'idefics2';
}

function numbers({ dir, config, side }: ConfigFiles, idOf: (special: string) => number): Record<string, number> {
  const configFile = join(dir, 'config.json');
  const { vision_config: vision, ...model } = checked(schema, withRope(config, configFile), configFile);
  const file = join(dir, PREPROCESSOR);
  const pictures = checked(preprocessorSchema, side[PREPROCESSOR] ?? {}, file);
  const same = (field: string, found: number | undefined, wanted: number, where: string): void => {
    if (found !== undefined && found !== wanted) {
      throw new UserError(`${file}: ${field}: ${found}, wanted ${wanted} (config.json: ${where})`);
    }
  };
  same('image_feature_size', pictures.image_feature_size, model.query_num, 'query_num');
  same('patch_size', pictures.patch_size, vision.patch_size, 'vision_config.patch_size');
  return {
    patch_size: vision.patch_size,
    position_side: Math.floor(vision.image_size / vision.patch_size),
    v_hidden: vision.hidden_size,
    v_layers: vision.num_hidden_layers,
    v_heads: vision.num_attention_heads,
    v_intermediate: vision.intermediate_size,
    v_eps: vision.layer_norm_eps,
    // The reference cuts pictures by the preprocessor's file.
    scale_resolution: pictures.scale_resolution ?? model.slice_config?.scale_resolution ?? 448,
    max_slices: pictures.max_slice_nums ?? model.slice_config?.max_slice_nums ?? 9,
    queries: model.query_num,
    l_hidden: model.hidden_size,
    l_layers: model.num_hidden_layers,
    l_heads: model.num_attention_heads,
    l_kv_heads: model.num_key_value_heads,
    l_intermediate: model.intermediate_size,
    l_eps: model.rms_norm_eps,
    vocab: model.vocab_size,
    rope_theta: model.rope_theta,
    max_positions: model.max_position_embeddings,
    pad_id: model.pad_token_id ?? -1,
    image_token_id: idOf(UNKNOWN),
  };
}

/** The overview, then the cells row by row; every one with the same number of tokens. */
function picture({ cols, rows, tiles, tokens }: Parameters<Backbone['picture']>[0]): PicturePiece[] {
  const block: PicturePiece[] = [{ special: IMAGE_BEGIN }, { tokens: tokens / tiles }, { special: IMAGE_END }];
  if (tiles === 1) return block;
  const pieces: PicturePiece[] = [...block, { special: SLICE_BEGIN }];
  for (let row = 0; row < rows; row++) {
    if (row > 0) pieces.push({ text: '\n' });
    for (let col = 0; col < cols; col++) pieces.push(...block);
  }
  return [...pieces, { special: SLICE_END }];
}

/** No system message of its own. */
function render({ system, turns }: Conversation): PromptPart[] {
  const message = (role: string, content: Content): PromptPart[] => [
    { special: HEADER },
    { text: role },
    { special: HEADER_END },
    { text: '\n\n' },
    ...trimmed(content),
    { special: END_OF_TURN },
  ];
  return [
    { special: BEGIN },
    ...(system === undefined ? [] : message('system', [{ text: system }])),
    ...turns.flatMap(({ role, content }) => message(role, content)),
    { special: HEADER },
    { text: 'assistant' },
    { special: HEADER_END },
    { text: '\n\n' },
  ];
}

/** What Python's str.strip() takes away; JavaScript's trim() differs in a few characters. */
const BLANKS = new Set(
  '\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000',
);

/** `content` without the blanks at both ends; a picture is none. */
function trimmed(content: Content): Content {
  const parts = [...content];
  const bare = (part: Content[number] | undefined): boolean =>
    part !== undefined && 'text' in part && strip(part.text, true, true) === '';
  while (bare(parts[0])) parts.shift();
  while (bare(parts.at(-1))) parts.pop();
  return parts.map((part, i) => ('text' in part ? { text: strip(part.text, i === 0, i === parts.length - 1) } : part));
}

function strip(text: string, atStart: boolean, atEnd: boolean): string {
  let [start, end] = [0, text.length];
  if (atStart) while (start < end && BLANKS.has(text[start] as string)) start++;
  if (atEnd) while (end > start && BLANKS.has(text[end - 1] as string)) end--;
  return text.slice(start, end);
}

/** Deviation 0.02 at a width of 2048, larger for narrower layers; what is added to the residual stream is made smaller with depth. */
function initial(name: string, shape: readonly number[], config: Readonly<Record<string, number>>): Initial {
  if (shape.length === 1) return { constant: name.endsWith('bias') ? 0 : 1 };
  const table = /(embed_tokens\.weight|position_embedding\.weight|query)$/.test(name);
  const inputs = table
    ? (shape.at(-1) as number)
    : shape.slice(1).reduce((product, dimension) => product * dimension, 1);
  const residual = /\.(self_attn\.(o_proj|out_proj)|mlp\.(down_proj|fc2))\.weight$/.test(name);
  const depth = (name.startsWith('vpm.') ? config.v_layers : config.l_layers) as number;
  return { normal: (0.02 * Math.sqrt(2048 / inputs)) / (residual ? Math.sqrt(2 * depth) : 1) };
}
