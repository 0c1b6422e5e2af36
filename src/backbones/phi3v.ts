// Phi-3.5-vision (CLIP + 2 x 2 merge + MLP + Phi-3.5-mini): config.json, preprocessor_config.json, chat template,
// special tokens. What the network does not have is refused by the name of its field.
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { checked } from '../core/schema.js';
import type { PromptPart } from '../text/prompt.js';
import type { Backbone, ConfigFiles, Content } from './backbone.js';
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
  width,
} from './fields/common.js';
import { withRope } from './fields/rope.js';

const dropout = z.literal(0).default(0);
const factors = z.array(z.number().gt(0).max(1e6));

const schema = z
  .object({
    ...configFields,
    architectures: architectures('Phi3VForCausalLM'),
    embd_layer: z.object({
      embedding_cls: z.literal('image'),
      projection_cls: z.literal('mlp'),
      use_hd_transform: z.literal(true),
      with_learnable_separator: z.literal(true),
      hd_transform_order: z.literal('sub_glb'),
    }),
    img_processor: z.object({
      name: z.literal('clip_vision_model'),
      image_dim_out: width,
      num_img_tokens: size(65_536),
      layer_idx: z.literal(-2).default(-2),
      type_feature: z.literal('patch').default('patch'),
    }),
    ...languageFields,
    rms_norm_eps: z.number().min(0).max(1).default(1e-5),
    rope_scaling: z.strictObject({
      type: z.literal('longrope'),
      short_factor: factors,
      long_factor: factors,
      factor: z.number().optional(),
    }),
    original_max_position_embeddings: size(2 ** 31)
      .min(2)
      .default(4096),
    max_position_embeddings: size(2 ** 31).default(4096),
    sliding_window: size(2 ** 31)
      .nullable()
      .default(null),
    pad_token_id: z.int().min(0).default(32_000),
    embd_pdrop: dropout,
    resid_pdrop: dropout,
    attention_dropout: dropout,
  })
  .superRefine((config, context) => {
    const { rope_scaling: rope, max_position_embeddings: positions, vocab_size: vocabulary } = config;
    const refuse = refusals(context);
    refuseHeads(config, '', refuse);
    const pairs = config.hidden_size / config.num_attention_heads / 2;
    for (const key of ['short_factor', 'long_factor'] as const)
      refuse(rope[key].length !== pairs, `rope_scaling.${key}`, `${pairs} factors, half the width of a head`);
    const stretch = positions / config.original_max_position_embeddings;
    refuse((rope.factor ?? stretch) !== stretch, 'rope_scaling.factor', `${stretch}, as the positions are`);
    const window = config.sliding_window ?? positions;
    refuse(window < positions, 'sliding_window', `at least max_position_embeddings = ${positions}`);
    refuse(config.pad_token_id >= vocabulary, 'pad_token_id', `below vocab_size = ${vocabulary}`);
  });

const PREPROCESSOR = 'preprocessor_config.json';
const preprocessorSchema = z.object({
  num_crops: size(256).default(4),
  ...pixelFields([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]),
  num_img_tokens: size(65_536).optional(),
});

const TOWER = 'model.vision_embed_tokens.img_processor.vision_model.';
/** CLIP ViT-L/14-336. Neither its heads nor its other sizes are in config.json; the reference's code has them. */
const CLIP = { heads: 16, layers: 24, patchSize: 14, grid: 24, mlpRatio: 4 } as const;

const TOKEN = {
  begin: '<s>',
  endOfText: '<|endoftext|>',
  assistant: '<|assistant|>',
  system: '<|system|>',
  end: '<|end|>',
  user: '<|user|>',
};

export const backbone: Backbone = {
  name: 'phi3v',
  accepts: (config) =>
    config.model_type === 'phi3_v' ||
    (Array.isArray(config.architectures) && config.architectures.includes('Phi3VForCausalLM')),
  configFiles: [PREPROCESSOR],
  prefixes: {
    vision: ['model.vision_embed_tokens.img_processor.'],
    projector: [
      'model.vision_embed_tokens.img_projection.',
      'model.vision_embed_tokens.glb_GN',
      'model.vision_embed_tokens.sub_GN',
    ],
    language: ['model.embed_tokens.', 'model.layers.', 'model.norm.', 'lm_head.'],
  },
  alias: (name) => (name === 'model.vision_embed_tokens.wte.weight' ? 'model.embed_tokens.weight' : undefined),
  tokenizerFile: 'tokenizer.json',
  tokenizerConfig: {
    tokenizer_class: 'LlamaTokenizer',
    add_bos_token: true,
    add_eos_token: false,
    bos_token: TOKEN.begin,
    eos_token: TOKEN.endOfText,
    pad_token: TOKEN.endOfText,
    unk_token: '<unk>',
  },
  specials: Object.values(TOKEN),
  begin: TOKEN.begin,
  imageToken: { id: -1, shown: '<|image|>' },
  // The reference tokenises the texts around pictures one by one, and each gets its begin mark.
  picture: ({ tokens }) => [{ tokens }, { special: TOKEN.begin }],
  placeholder: '<|image_1|>',
  ask: picturesInFront,
  endOfTurn: TOKEN.end,
  stops: [TOKEN.end, TOKEN.assistant, TOKEN.endOfText],
  initial: {
    width: 3072,
    table: /embed_tokens\.weight$|(class|position)_embedding/,
    residual: /\.(out_proj|fc2|o_proj|down_proj)\.weight$/,
  },

  numbers(files) {
    const { dir, config, side } = files;
    const [configFile, file] = [join(dir, 'config.json'), join(dir, PREPROCESSOR)];
    const model = checked(schema, withRope(config, configFile), configFile);
    const { num_crops, num_img_tokens } = checked(preprocessorSchema, side[PREPROCESSOR] ?? {}, file);
    const { image_dim_out: towerWidth, num_img_tokens: cropTokens } = model.img_processor;
    const tower = towerSizes(files, towerWidth);
    const { grid } = tower;
    const refuse = (at: string, found: number | undefined, wanted: string): never => {
      throw new UserError(`${at}: ${found}, wanted ${wanted}`);
    };
    if (cropTokens !== (grid / 2) ** 2) {
      const wanted = `${(grid / 2) ** 2} for ${grid} x ${grid} patches`;
      refuse(`${configFile}: img_processor.num_img_tokens`, cropTokens, wanted);
    }
    if ((num_img_tokens ?? cropTokens) !== cropTokens) {
      const wanted = `${cropTokens} (config.json: img_processor.num_img_tokens)`;
      refuse(`${file}: num_img_tokens`, num_img_tokens, wanted);
    }
    const { short_factor: short, long_factor: long } = model.rope_scaling;
    return {
      ...Object.fromEntries(short.map((factor, i) => [`rope_short_${i}`, factor])),
      ...Object.fromEntries(long.map((factor, i) => [`rope_long_${i}`, factor])),
      patch_size: tower.patchSize,
      grid,
      v_hidden: towerWidth,
      v_layers: tower.layers,
      v_heads: CLIP.heads,
      v_intermediate: tower.intermediate,
      num_crops,
      ...languageNumbers(model),
      pad_id: model.pad_token_id,
      original_positions: model.original_max_position_embeddings,
    };
  },

  /** No newline after the mark of the assistant: the reference's tokenizer swallows white space there. */
  render({ system, turns }) {
    const turn = (role: string, content: readonly PromptPart[]): PromptPart[] => [
      { special: role },
      ...content,
      { special: TOKEN.end },
      { text: '\n' },
    ];
    return [
      { special: TOKEN.begin },
      ...(system === undefined ? [] : turn(TOKEN.system, [{ text: '\n' }, { text: system }])),
      ...turns.flatMap(({ role, content }) =>
        role === 'user'
          ? turn(TOKEN.user, [{ text: '\n' }, ...content])
          : turn(TOKEN.assistant, withoutLeadingSpace(content)),
      ),
      { special: TOKEN.assistant },
    ];
  },
};

/** Sizes of the tower by its weights (`grid`: patches a side), those of CLIP ViT-L/14-336 where there are none. Throws UserError. */
function towerSizes({ dir, shapes }: ConfigFiles, towerWidth: number) {
  const inRange = (most: number) => (found: number) => found >= 1 && found <= most;
  const config = join(dir, 'config.json');
  if (towerWidth % CLIP.heads !== 0)
    throw new UserError(
      `${config}: img_processor.image_dim_out: ${towerWidth}, wanted a multiple of ${CLIP.heads} heads`,
    );
  const read = (name: string, axis: number, otherwise: number, wanted: string, good: (found: number) => boolean) => {
    const shape = shapes(TOWER + name);
    const found = shape ? (shape[axis] ?? 0) : otherwise;
    if (!good(found)) throw new UserError(`${dir}: ${TOWER}${name}: shape [${shape}], wanted ${wanted}`);
    return found;
  };
  let layers = 0;
  while (shapes(`${TOWER}encoder.layers.${layers}.mlp.fc1.weight`)) layers++;
  const positions = read(
    'embeddings.position_embedding.weight',
    0,
    CLIP.grid ** 2 + 1,
    'one row and those of an even square',
    (found) => found > 1 && found <= 2 ** 16 && Math.sqrt(found - 1) % 2 === 0,
  );
  return {
    patchSize: read('embeddings.patch_embedding.weight', 3, CLIP.patchSize, '1 to 256 pixels', inRange(256)),
    grid: Math.sqrt(positions - 1),
    layers: layers || CLIP.layers,
    intermediate: read('encoder.layers.0.mlp.fc1.weight', 0, CLIP.mlpRatio * towerWidth, '1 row or more', inRange(1e6)),
  };
}

function withoutLeadingSpace(content: Content): Content {
  const [first, ...rest] = content;
  if (!first || !('text' in first)) return content;
  const text = first.text.trimStart();
  return text === '' ? withoutLeadingSpace(rest) : [{ text }, ...rest];
}
