// What the families of Qwen's pictures have in common: pictures keep their shape and become cells of patches, and the
// decoder's positions have three parts. The files of each say what differs.
import { z } from 'zod';
import { UserError } from '../../core/errors.js';
import { checked } from '../../core/schema.js';
import type { PromptPart } from '../../text/prompt.js';
import type { Backbone, Content, Conversation } from '../backbone.js';
import { languageFields, languageNumbers, type pixelFields, type refusals, size, width } from './common.js';

export const PREPROCESSOR = 'preprocessor_config.json';
export const TOKEN = {
  endOfText: '<|endoftext|>',
  turn: '<|im_start|>',
  endOfTurn: '<|im_end|>',
  picture: '<|vision_start|>',
  endOfPicture: '<|vision_end|>',
  image: '<|image_pad|>',
} as const;

/** Of the tower, besides its blocks. */
export const cellFields = {
  hidden_size: width,
  depth: size(1024),
  num_heads: width,
  intermediate_size: size(1_000_000),
  patch_size: size(256),
  spatial_merge_size: size(16).default(2),
  temporal_patch_size: z.literal(2).default(2),
  out_hidden_size: width.optional(),
  in_channels: z.literal(3).default(3),
};

/** Of the decoder. */
export const sectionedFields = {
  ...languageFields,
  tie_word_embeddings: z.boolean().default(false),
  rope_scaling: z.object({
    type: z.literal('mrope'),
    mrope_section: z.tuple([size(1024), size(1024), size(1024)]),
    mrope_interleaved: z.boolean().default(false),
  }),
  use_sliding_window: z.literal(false).default(false),
};

type Vision = z.output<z.ZodObject<typeof cellFields>>;
type Language = z.output<z.ZodObject<typeof sectionedFields>>;

/** Refuses sizes that do not fit each other. `head`: width of the decoder's; `at`: where its fields stand, with a dot behind. */
export function refuseCells(
  vision: Vision,
  language: Language,
  head: number,
  at: string,
  refuse: ReturnType<typeof refusals>,
): void {
  const { hidden_size: hidden, num_attention_heads: heads, num_key_value_heads: keyHeads } = language;
  refuse(heads % keyHeads !== 0, `${at}num_attention_heads`, `a multiple of num_key_value_heads = ${keyHeads}`);
  const angles = language.rope_scaling.mrope_section.reduce((sum, section) => sum + section, 0);
  const sections = `${head / 2} in all, half of a head's width`;
  refuse(angles !== head / 2, `${at}rope_scaling.mrope_section`, sections);
  const wide = 4 * vision.num_heads;
  refuse(vision.hidden_size % wide !== 0, 'vision_config.hidden_size', `a multiple of 4 x num_heads = ${wide}`);
  const out = vision.out_hidden_size ?? hidden;
  refuse(out !== hidden, 'vision_config.out_hidden_size', `${hidden} (${at}hidden_size)`);
}

/** Areas of pictures, in pixels. */
const area = size(2 ** 31);
const processors = ['Qwen2VLImageProcessor', 'Qwen2_5_VLImageProcessor'].flatMap((name) => [name, `${name}Fast`]);

/**
 * Areas that pictures are resized into, by preprocessor_config.json. Where both forms stand, `min_pixels` and `max_pixels`
 * have the say.
 * @throws UserError on what would make other patches than config.json says
 */
function limits(contents: unknown, file: string, vision: Vision, pixels: ReturnType<typeof pixelFields>) {
  const same = (wanted: number) => z.literal(wanted).optional();
  const schema = z.object({
    ...pixels,
    resample: z.literal(3).optional(),
    image_processor_type: z.enum(processors).optional(),
    patch_size: same(vision.patch_size),
    merge_size: same(vision.spatial_merge_size),
    temporal_patch_size: same(vision.temporal_patch_size),
    min_pixels: area.nullish(),
    max_pixels: area.nullish(),
    size: z.object({ shortest_edge: area.optional(), longest_edge: area.optional() }).nullish(),
  });
  const { min_pixels: min, max_pixels: max, size: edges } = checked(schema, contents ?? {}, file);
  // The defaults of the reference's image processor.
  const least = min ?? edges?.shortest_edge ?? 56 * 56;
  const most = max ?? edges?.longest_edge ?? 28 * 28 * 1280;
  if (most < least) throw new UserError(`${file}: max_pixels: ${most}, wanted at least min_pixels = ${least}`);
  return { min_pixels: least, max_pixels: most };
}

/** The numbers of pictures and decoder. */
export function cellNumbers(
  vision: Vision,
  language: Language,
  head: number,
  tied: boolean,
  preprocessor: { readonly contents: unknown; readonly file: string },
  pixels: ReturnType<typeof pixelFields>,
) {
  const [time, rows, columns] = language.rope_scaling.mrope_section;
  return {
    patch_size: vision.patch_size,
    merge_size: vision.spatial_merge_size,
    // A patch has the same picture for each of its frames.
    frames: vision.temporal_patch_size,
    ...limits(preprocessor.contents, preprocessor.file, vision, pixels),
    v_hidden: vision.hidden_size,
    v_layers: vision.depth,
    v_heads: vision.num_heads,
    v_intermediate: vision.intermediate_size,
    ...languageNumbers(language),
    l_head_dim: head,
    section_0: time,
    section_1: rows,
    section_2: columns,
    tied: Number(tied),
  };
}

/** What the backbones of these families share. */
export const cellBackbone = {
  configFiles: [PREPROCESSOR],
  languageField: 'text_config',
  // Greedy and sampled answers are the model's own; the factor is a taste of the reference's sampling.
  ownSampling: ['repetition_penalty'],
  tokenizerFile: 'tokenizer.json',
  tokenizerConfig: {
    tokenizer_class: 'Qwen2Tokenizer',
    add_bos_token: false,
    bos_token: null,
    eos_token: TOKEN.endOfTurn,
    pad_token: TOKEN.endOfText,
    unk_token: null,
  },
  specials: Object.values(TOKEN),
  begin: TOKEN.turn,
  imageToken: { special: TOKEN.image },
  picture: ({ tokens }) => [{ special: TOKEN.picture }, { tokens }, { special: TOKEN.endOfPicture }],
  placeholder: `${TOKEN.picture}${TOKEN.image}${TOKEN.endOfPicture}`,
  endOfTurn: TOKEN.endOfTurn,
  stops: [TOKEN.endOfTurn, TOKEN.endOfText],
  initial: {
    width: 2048,
    table: /(embed_tokens|pos_embed)\.weight$/,
    residual: /\.(attn\.proj|mlp\.(down_proj|linear_fc2)|self_attn\.o_proj)\.weight$/,
  },

  /** Pictures in front, nothing between. */
  ask(question, images) {
    return [...Array.from({ length: images }, (_, image) => ({ image })), { text: question }];
  },
} satisfies Partial<Backbone>;

/** A newline after every end mark. */
export function chat({ system, turns }: Conversation): PromptPart[] {
  const turn = (role: string, content: Content): PromptPart[] => [
    { special: TOKEN.turn },
    { text: `${role}\n` },
    ...content,
    { special: TOKEN.endOfTurn },
    { text: '\n' },
  ];
  return [
    ...(system === undefined ? [] : turn('system', [{ text: system }])),
    ...turns.flatMap(({ role, content }) => turn(role, content)),
    { special: TOKEN.turn },
    { text: 'assistant\n' },
  ];
}
