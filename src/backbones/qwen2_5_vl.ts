// Qwen2.5-VL (a tower that attends within windows, a merger, Qwen2.5): config.json flat or with its language model in
// text_config, the chat template, names of parameters.
import { join } from 'node:path';
import { z } from 'zod';
import { checked } from '../core/schema.js';
import type { Backbone } from './backbone.js';
import {
  cellBackbone,
  cellFields,
  cellNumbers,
  chat,
  PREPROCESSOR,
  refuseCells,
  sectionedFields,
  TOKEN,
} from './fields/cells.js';
import { architectures, configFields, pixelFields, refusals, size } from './fields/common.js';
import { withRope } from './fields/rope.js';

const language = { ...configFields, ...sectionedFields };
const model = {
  ...configFields,
  architectures: architectures('Qwen2_5_VLForConditionalGeneration'),
  tie_word_embeddings: z.boolean().default(false),
  // What a file leaves out is the default of the reference's configuration class.
  vision_config: z.object({
    ...cellFields,
    depth: cellFields.depth.default(32),
    num_heads: cellFields.num_heads.default(16),
    intermediate_size: cellFields.intermediate_size.default(3420),
    patch_size: cellFields.patch_size.default(14),
    in_chans: z.literal(3).optional(),
    hidden_act: z.literal('silu').default('silu'),
    window_size: size(4096).default(112),
    fullatt_block_indexes: z.array(z.int().min(0)).default([7, 15, 23, 31]),
  }),
};
type Vision = z.output<typeof model.vision_config>;
type Language = z.output<z.ZodObject<typeof language>>;

const headOf = ({ hidden_size: hidden, num_attention_heads: heads }: Language): number => hidden / heads;
const cellOf = ({ patch_size: patch, spatial_merge_size: merge }: Vision): number => patch * merge;

function refine(vision: Vision, language: Language, at: string, context: z.RefinementCtx): void {
  const refuse = refusals(context);
  const [heads, cell] = [2 * language.num_attention_heads, cellOf(vision)];
  const { hidden_size: hidden } = language;
  refuse(hidden % heads !== 0, `${at}hidden_size`, `a multiple of 2 x num_attention_heads = ${heads}`);
  refuseCells(vision, language, headOf(language), at, refuse);
  const wanted = `a multiple of patch_size x spatial_merge_size = ${cell}`;
  refuse(vision.window_size % cell !== 0, 'vision_config.window_size', wanted);
}

/** As published, and as newer versions of the reference write it. */
const flat = z
  .object({ ...model, ...language })
  .superRefine((config, context) => refine(config.vision_config, config, '', context));
const nested = z
  .object({ ...model, text_config: z.object(language) })
  .superRefine((config, context) => refine(config.vision_config, config.text_config, 'text_config.', context));

const SYSTEM = 'You are a helpful assistant.';

export const backbone: Backbone = {
  name: 'qwen2_5_vl',
  ...cellBackbone,
  accepts: ({ model_type: type }) => type === 'qwen2_5_vl',
  prefixes: {
    vision: ['visual.patch_embed.', 'visual.blocks.'],
    projector: ['visual.merger.'],
    language: ['model.', 'lm_head.'],
  },

  /** As the reference names them in memory, and some tools in files. */
  alias(name, { tied }) {
    if (tied && name === 'lm_head.weight') return 'model.embed_tokens.weight';
    if (name.startsWith('model.visual.')) return name.slice('model.'.length);
    return name.startsWith('model.language_model.') ? name.replace('language_model.', '') : undefined;
  },

  moduleName: (name) => name.replace(/^model\./, 'model.language_model.'),

  numbers({ dir, config, side }, idOf) {
    const file = join(dir, 'config.json');
    const {
      vision_config: vision,
      tie_word_embeddings: tied,
      ...rest
    } = 'text_config' in config
      ? checked(nested, { ...config, text_config: withRope(config.text_config, file, 'text_config') }, file)
      : checked(flat, withRope(config, file), file);
    const language = 'text_config' in rest ? rest.text_config : { ...rest, tie_word_embeddings: tied };
    const full = new Set(vision.fullatt_block_indexes);
    const pixels = pixelFields([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]);
    return {
      ...cellNumbers(
        vision,
        language,
        headOf(language),
        tied || language.tie_word_embeddings,
        { contents: side[PREPROCESSOR], file: join(dir, PREPROCESSOR) },
        pixels,
      ),
      window: vision.window_size / cellOf(vision),
      ...Object.fromEntries(
        Array.from({ length: vision.depth }, (_, block) => [`full_${block}`, Number(full.has(block))]),
      ),
      image_token_id: idOf(TOKEN.image),
    };
  },

  render: ({ system = SYSTEM, turns }) => chat({ system, turns }),
};
