// Qwen3-VL (a tower with learnt positions, mergers for the first decoder layers too, Qwen3): config.json, the chat
// template, names of parameters.
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
import { architectures, configFields, pixelFields, refusals, size, width } from './fields/common.js';
import { withRope } from './fields/rope.js';

const schema = z
  .object({
    ...configFields,
    architectures: architectures('Qwen3VLForConditionalGeneration'),
    // That of text_config means nothing.
    tie_word_embeddings: z.boolean().default(false),
    vision_config: z.object({
      ...cellFields,
      hidden_act: z.literal('gelu_pytorch_tanh').default('gelu_pytorch_tanh'),
      num_position_embeddings: size(2 ** 24).default(2304),
      deepstack_visual_indexes: z.array(z.int().min(0)).default([8, 16, 24]),
    }),
    text_config: z.object({
      ...configFields,
      ...sectionedFields,
      head_dim: width.default(128),
      attention_bias: z.literal(false).default(false),
    }),
  })
  .superRefine(({ vision_config: vision, text_config: language }, context) => {
    const refuse = refusals(context);
    refuse(language.head_dim % 2 !== 0, 'text_config.head_dim', 'an even number');
    refuseCells(vision, language, language.head_dim, 'text_config.', refuse);
    const inTurns = 'text_config.rope_scaling.mrope_interleaved';
    refuse(!language.rope_scaling.mrope_interleaved, inTurns, 'true');
    const { num_position_embeddings: table, deepstack_visual_indexes: deep, depth } = vision;
    refuse(!Number.isInteger(Math.sqrt(table)), 'vision_config.num_position_embeddings', 'a square number');
    const layers = Math.min(depth, language.num_hidden_layers);
    const blocks = `at most ${layers} different blocks below depth = ${depth}`;
    const fits = new Set(deep).size === deep.length && deep.length <= layers && deep.every((block) => block < depth);
    refuse(!fits, 'vision_config.deepstack_visual_indexes', blocks);
  });

export const backbone: Backbone = {
  name: 'qwen3_vl',
  ...cellBackbone,
  accepts: ({ model_type: type }) => type === 'qwen3_vl',
  prefixes: {
    vision: ['model.visual.patch_embed.', 'model.visual.pos_embed.', 'model.visual.blocks.'],
    projector: ['model.visual.merger.', 'model.visual.deepstack_merger_list.'],
    language: ['model.language_model.', 'lm_head.'],
  },
  alias: (name, { tied }) =>
    tied && name === 'lm_head.weight' ? 'model.language_model.embed_tokens.weight' : undefined,

  numbers({ dir, config, side }, idOf) {
    const file = join(dir, 'config.json');
    const named = { ...config, text_config: withRope(config.text_config, file, 'text_config') };
    const { vision_config: vision, text_config: language, tie_word_embeddings: tied } = checked(schema, named, file);
    const preprocessor = { contents: side[PREPROCESSOR], file: join(dir, PREPROCESSOR) };
    const deep = vision.deepstack_visual_indexes;
    return {
      ...cellNumbers(
        vision,
        language,
        language.head_dim,
        tied,
        preprocessor,
        pixelFields([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
      ),
      position_side: Math.sqrt(vision.num_position_embeddings),
      deep_layers: deep.length,
      ...Object.fromEntries(deep.map((block, index) => [`deep_${index}`, block])),
      image_token_id: idOf(TOKEN.image),
    };
  },

  render: chat,
};
