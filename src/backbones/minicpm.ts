// MiniCPM-Llama3-V-2.5 (SigLIP + perceiver resampler + Llama-3): config.json, preprocessor_config.json, the Llama-3
// template, special tokens. Flags of the family that the network does not have are refused by name.
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { checked } from '../core/schema.js';
import type { PicturePiece, PromptPart } from '../text/prompt.js';
import type { Backbone, Content } from './backbone.js';
import {
  architectures,
  configFields,
  languageFields,
  languageNumbers,
  picturesInFront,
  pixelFields,
  refusals,
  refuseHeads,
  size,
  visionFields,
  visionNumbers,
  width,
} from './fields/common.js';
import { withRope } from './fields/rope.js';

const RESAMPLER_HEAD = 128;

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
    vision_config: z.object({
      model_type: z.literal('idefics2').default('idefics2'),
      ...visionFields,
      hidden_act: z.literal('gelu_pytorch_tanh').default('gelu_pytorch_tanh'),
    }),
    slice_config: sliceSchema.nullable().default(null),
    // In a class default of the reference the last layer is left out; the released model has all.
    drop_vision_last_layer: z.literal(false),
    batch_vision_input: z.literal(true).default(true),
    slice_mode: z.literal(true).default(true),
    query_num: size(4096),
    ...languageFields,
    head_dim: width.optional(),
    rope_scaling: z.null().default(null),
    attention_bias: z.literal(false).default(false),
    mlp_bias: z.literal(false).default(false),
    pad_token_id: z.int().min(0).nullable().default(null),
  })
  .superRefine((config, context) => {
    const { vision_config: vision, hidden_size: hidden, num_attention_heads: heads, vocab_size: vocabulary } = config;
    const refuse = refusals(context);
    refuse(hidden % RESAMPLER_HEAD !== 0, 'hidden_size', `a multiple of ${RESAMPLER_HEAD} (resampler heads)`);
    refuseHeads(config, '', refuse);
    const head = hidden / heads;
    refuse((config.head_dim ?? head) !== head, 'head_dim', `hidden_size / num_attention_heads = ${head}`);
    refuse(
      vision.hidden_size % vision.num_attention_heads !== 0,
      'vision_config.hidden_size',
      `a multiple of num_attention_heads = ${vision.num_attention_heads}`,
    );
    const patch = vision.patch_size;
    refuse(vision.image_size < patch, 'vision_config.image_size', `at least patch_size = ${patch}`);
    const slicePatch = config.slice_config?.patch_size ?? patch;
    refuse(slicePatch !== patch, 'slice_config.patch_size', `${patch} (vision_config.patch_size)`);
    refuse((config.pad_token_id ?? -1) >= vocabulary, 'pad_token_id', `below vocab_size = ${vocabulary}`);
  });

const TOKEN = {
  begin: '<|begin_of_text|>',
  endOfText: '<|end_of_text|>',
  unknown: '<unk>',
  header: '<|start_header_id|>',
  endOfHeader: '<|end_header_id|>',
  endOfTurn: '<|eot_id|>',
  image: '<image>',
  endOfImage: '</image>',
  slice: '<slice>',
  endOfSlice: '</slice>',
} as const;

const half = z.tuple([z.literal(0.5), z.literal(0.5), z.literal(0.5)]).default([0.5, 0.5, 0.5]);
const PREPROCESSOR = 'preprocessor_config.json';
const preprocessorSchema = sliceSchema.extend({
  version: versionSchema.default(2.5),
  slice_mode: z.literal(true).default(true),
  image_feature_size: size(4096).optional(),
  use_image_id: z.literal(false).default(false),
  im_start: z.literal(TOKEN.image).default(TOKEN.image),
  im_end: z.literal(TOKEN.endOfImage).default(TOKEN.endOfImage),
  slice_start: z.literal(TOKEN.slice).default(TOKEN.slice),
  slice_end: z.literal(TOKEN.endOfSlice).default(TOKEN.endOfSlice),
  unk: z.literal(TOKEN.unknown).default(TOKEN.unknown),
  ...pixelFields([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
  resample: z.literal(3).optional(),
  norm_mean: half,
  norm_std: half,
});

export const backbone: Backbone = {
  name: 'minicpm',
  configFiles: [PREPROCESSOR],
  prefixes: { vision: ['vpm.'], projector: ['resampler.'], language: ['llm.'] },
  tokenizerFile: 'tokenizer.json',
  tokenizerConfig: {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: TOKEN.begin,
    eos_token: TOKEN.endOfText,
    pad_token: '!',
    unk_token: TOKEN.unknown,
  },
  specials: Object.values(TOKEN),
  begin: TOKEN.begin,
  imageToken: { special: TOKEN.unknown },
  placeholder: '(<image>./</image>)',
  ask: picturesInFront,
  endOfTurn: TOKEN.endOfTurn,
  stops: [TOKEN.endOfTurn, TOKEN.endOfText],
  initial: {
    width: 2048,
    table: /(embed_tokens\.weight|position_embedding\.weight|query)$/,
    residual: /\.(self_attn\.(o_proj|out_proj)|mlp\.(down_proj|fc2))\.weight$/,
  },

  /** Versions 2.0 and 2.6 have the same model_type and are other networks; early copies of 2.5 do not say their version. */
  accepts(config) {
    if (config.model_type !== 'minicpmv') return false;
    if (config.version !== undefined) return versionSchema.safeParse(config.version).success;
    const vision = config.vision_config as { readonly model_type?: unknown } | null | undefined;
    return vision?.model_type === 'idefics2';
  },

  numbers({ dir, config, side }, idOf) {
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
      ...visionNumbers(vision),
      // The reference cuts pictures by the preprocessor's file.
      scale_resolution: pictures.scale_resolution ?? model.slice_config?.scale_resolution ?? 448,
      max_slices: pictures.max_slice_nums ?? model.slice_config?.max_slice_nums ?? 9,
      queries: model.query_num,
      ...languageNumbers(model),
      pad_id: model.pad_token_id ?? -1,
      image_token_id: idOf(TOKEN.unknown),
    };
  },

  /** The overview, then the cells row by row; every one with the same number of tokens. */
  picture({ cols, rows, tiles, tokens }) {
    const block: PicturePiece[] = [{ special: TOKEN.image }, { tokens: tokens / tiles }, { special: TOKEN.endOfImage }];
    if (tiles === 1) return block;
    const pieces: PicturePiece[] = [...block, { special: TOKEN.slice }];
    for (let row = 0; row < rows; row++) {
      if (row > 0) pieces.push({ text: '\n' });
      for (let col = 0; col < cols; col++) pieces.push(...block);
    }
    return [...pieces, { special: TOKEN.endOfSlice }];
  },

  /** No system message of its own. */
  render({ system, turns }) {
    const header = (role: string): PromptPart[] => [
      { special: TOKEN.header },
      { text: role },
      { special: TOKEN.endOfHeader },
      { text: '\n\n' },
    ];
    const message = (role: string, content: Content): PromptPart[] => [
      ...header(role),
      ...trimmed(content),
      { special: TOKEN.endOfTurn },
    ];
    return [
      { special: TOKEN.begin },
      ...(system === undefined ? [] : message('system', [{ text: system }])),
      ...turns.flatMap(({ role, content }) => message(role, content)),
      ...header('assistant'),
    ];
  },
};

/** What Python's str.strip() takes away; JavaScript's trim() differs in a few characters. */
const BLANKS = new Set(
  '\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000',
);

/** `content` without the blanks at both ends; a picture is none. */
function trimmed(content: Content): Content {
  const strip = (text: string, atStart: boolean, atEnd: boolean): string => {
    let [start, end] = [0, text.length];
    if (atStart) while (start < end && BLANKS.has(text[start] as string)) start++;
    if (atEnd) while (end > start && BLANKS.has(text[end - 1] as string)) end--;
    return text.slice(start, end);
  };
  const isBare = (part: Content[number] | undefined): boolean =>
    part !== undefined && 'text' in part && strip(part.text, true, true) === '';
  const parts = [...content];
  while (isBare(parts[0])) parts.shift();
  while (isBare(parts.at(-1))) parts.pop();
  return parts.map((part, i) => ('text' in part ? { text: strip(part.text, i === 0, i === parts.length - 1) } : part));
}
