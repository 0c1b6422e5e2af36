// Phi-3.5-vision (CLIP + 2 x 2 merge + MLP + Phi-3.5-mini): config.json, preprocessor_config.json, chat template,
// special tokens. What the network does not have is refused by the name of its field.
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { checked } from '../core/schema.js';
import type { PromptPart } from '../text/prompt.js';
import type { Backbone, ConfigFiles, Content, Conversation, Initial } from './backbone.js';
import { architectures, configFields, pixelFields } from './fields/common.js';
import { withRope } from './fields/rope.js';

const size = (most: number) => z.number().int().min(1).max(most);
const width = size(65_536);
const dropout = z.literal(0).default(0);
const factors = z.array(z.number().gt(0).max(1e6));

// Keys that are absent have the defaults of the reference's configuration classes; keys not named here do not matter.
const embeddingSchema = z.object({
  embedding_cls: z.literal('image'),
  projection_cls: z.literal('mlp'),
  use_hd_transform: z.literal(true),
  with_learnable_separator: z.literal(true),
  hd_transform_order: z.literal('sub_glb'),
});
const processorSchema = z.object({
  name: z.literal('clip_vision_model'),
  image_dim_out: width,
  num_img_tokens: size(65_536),
  layer_idx: z.literal(-2).default(-2),
  type_feature: z.literal('patch').default('patch'),
});
const ropeSchema = z.strictObject({
  type: z.literal('longrope'),
  short_factor: factors,
  long_factor: factors,
  factor: z.number().optional(),
});
const schema = z
  .object({
    ...configFields,
    architectures: architectures('Phi3VForCausalLM'),
    embd_layer: embeddingSchema,
    img_processor: processorSchema,
    hidden_size: width,
    num_hidden_layers: size(1024),
    num_attention_heads: width,
    num_key_value_heads: width,
    intermediate_size: size(1_000_000),
    vocab_size: size(2 ** 24),
    rms_norm_eps: z.number().min(0).max(1).default(1e-5),
    rope_theta: z.number().gt(1).max(1e12).default(10_000),
    rope_scaling: ropeSchema,
    original_max_position_embeddings: z
      .number()
      .int()
      .min(2)
      .max(2 ** 31)
      .default(4096),
    max_position_embeddings: size(2 ** 31).default(4096),
    sliding_window: size(2 ** 31)
      .nullable()
      .default(null),
    pad_token_id: z.number().int().min(0).default(32_000),
    hidden_act: z.literal('silu').default('silu'),
    tie_word_embeddings: z.literal(false).default(false),
    embd_pdrop: dropout,
    resid_pdrop: dropout,
    attention_dropout: dropout,
  })
  .superRefine((config, context) => {
    const { num_attention_heads: heads, rope_scaling: rope } = config;
    const refuse = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
    if (config.hidden_size % (2 * heads) !== 0)
      return refuse(['hidden_size'], `a multiple of 2 x num_attention_heads = ${2 * heads}`);
    if (heads % config.num_key_value_heads !== 0)
      refuse(['num_attention_heads'], `a multiple of num_key_value_heads = ${config.num_key_value_heads}`);
    const pairs = config.hidden_size / heads / 2;
    for (const key of ['short_factor', 'long_factor'] as const)
      if (rope[key].length !== pairs) refuse(['rope_scaling', key], `${pairs} factors, half the width of a head`);
    const stretch = config.max_position_embeddings / config.original_max_position_embeddings;
    if ((rope.factor ?? stretch) !== stretch) refuse(['rope_scaling', 'factor'], `${stretch}, as the positions are`);
    if (config.sliding_window !== null && config.sliding_window < config.max_position_embeddings)
      refuse(['sliding_window'], `at least max_position_embeddings = ${config.max_position_embeddings}`);
    if (config.pad_token_id >= config.vocab_size) refuse(['pad_token_id'], `below vocab_size = ${config.vocab_size}`);
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

const BEGIN = '<s>';
const END = '<|end|>';
const USER = '<|user|>';
const ASSISTANT = '<|assistant|>';
const SYSTEM = '<|system|>';
const END_OF_TEXT = '<|endoftext|>';

export const backbone: Backbone = {
  name: 'phi3v',
  accepts: (config) =>
    config.model_type === 'phi3_v' ||
    (Array.isArray(config.architectures) && config.architectures.includes('Phi3VForCausalLM')),
  configFiles: [PREPROCESSOR],
  numbers,
  widthName: 'l_hidden',
  vocabularyName: 'vocab',
  positionsName: 'max_positions',
  prefixes: {
    vision: ['model.vision_embed_tokens.img_processor.'],
    projector: [
      'model.vision_embed_tokens.img_projection.',
      'model.vision_embed_tokens.glb_GN',
      'model.vision_embed_tokens.sub_GN',
    ],
    language: ['model.embed_tokens.', 'model.layers.', 'model.norm.', 'lm_head.'],
  },
  aliases: { 'model.vision_embed_tokens.wte.weight': 'model.embed_tokens.weight' },
  tokenizerFile: 'tokenizer.json',
  tokenizerConfig: {
    tokenizer_class: 'LlamaTokenizer',
    add_bos_token: true,
    add_eos_token: false,
    bos_token: BEGIN,
    eos_token: END_OF_TEXT,
    pad_token: END_OF_TEXT,
    unk_token: '<unk>',
  },
  specials: [BEGIN, END_OF_TEXT, ASSISTANT, SYSTEM, END, USER],
  begin: BEGIN,
  imageToken: { id: -1, shown: '<|image|>' },
  // The reference tokenises the texts around pictures one by one, and each gets its begin mark.
  picture: ({ tokens }) => [{ tokens }, { special: BEGIN }],
  placeholder: '<|image_1|>',
  render,
  ask,
  endOfTurn: END,
  stops: [END, ASSISTANT, END_OF_TEXT],
  initial,
};

function numbers(files: ConfigFiles): Record<string, number> {
  const { dir, config, side } = files;
  const configFile = join(dir, 'config.json');
  const model = checked(schema, withRope(config, configFile), configFile);
  const { num_crops, num_img_tokens } = checked(preprocessorSchema, side[PREPROCESSOR] ?? {}, join(dir, PREPROCESSOR));
  const { image_dim_out: towerWidth, num_img_tokens: cropTokens } = model.img_processor;
  const tower = towerSizes(files, towerWidth);
  if (cropTokens !== (tower.grid / 2) ** 2) {
    throw new UserError(
      `${join(dir, 'config.json')}: img_processor.num_img_tokens: ${cropTokens}, wanted ${(tower.grid / 2) ** 2} for ${tower.grid} x ${tower.grid} patches`,
    );
  }
  if ((num_img_tokens ?? cropTokens) !== cropTokens) {
    throw new UserError(
      `${join(dir, PREPROCESSOR)}: num_img_tokens: ${num_img_tokens}, wanted ${cropTokens} (config.json: img_processor.num_img_tokens)`,
    );
  }
  const { short_factor: short, long_factor: long } = model.rope_scaling;
  return {
    ...rename('rope_short', short),
    ...rename('rope_long', long),
    patch_size: tower.patchSize,
    grid: tower.grid,
    v_hidden: towerWidth,
    v_layers: tower.layers,
    v_heads: CLIP.heads,
    v_intermediate: tower.intermediate,
    num_crops,
    l_hidden: model.hidden_size,
    l_layers: model.num_hidden_layers,
    l_heads: model.num_attention_heads,
    l_kv_heads: model.num_key_value_heads,
    l_intermediate: model.intermediate_size,
    l_eps: model.rms_norm_eps,
    vocab: model.vocab_size,
    pad_id: model.pad_token_id,
    rope_theta: model.rope_theta,
    original_positions: model.original_max_position_embeddings,
    max_positions: model.max_position_embeddings,
  };
}

function rename(name: string, values: readonly number[]): Record<string, number> {
  return Object.fromEntries(values.map((value, index) => [`${name}_${index}`, value]));
}

interface TowerSizes {
  readonly patchSize: number;
  /** Patches a side. */
  readonly grid: number;
  readonly layers: number;
  readonly intermediate: number;
}

/** Sizes of the tower by its weights, those of CLIP ViT-L/14-336 where there are none. Throws UserError. */
function towerSizes({ dir, shapes }: ConfigFiles, towerWidth: number): TowerSizes {
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

const inRange = (most: number) => (found: number) => found >= 1 && found <= most;

/** No newline after the mark of the assistant: the reference's tokenizer swallows white space there. */
function render({ system, turns }: Conversation): PromptPart[] {
  const turn = (role: string, content: readonly PromptPart[]): PromptPart[] => [
    { special: role },
    ...content,
    { special: END },
    { text: '\n' },
  ];
  return [
    { special: BEGIN },
    ...(system === undefined ? [] : turn(SYSTEM, [{ text: '\n' }, { text: system }])),
    ...turns.flatMap(({ role, content }) =>
      role === 'user' ? turn(USER, [{ text: '\n' }, ...content]) : turn(ASSISTANT, withoutLeadingSpace(content)),
    ),
    { special: ASSISTANT },
  ];
}

function withoutLeadingSpace(content: Content): Content {
  const [first, ...rest] = content;
  if (!first || !('text' in first)) return content;
  const text = first.text.trimStart();
  return text === '' ? withoutLeadingSpace(rest) : [{ text }, ...rest];
}

/** Every picture in front, on a line of its own. */
function ask(question: string, images: number): Content {
  const places = Array.from({ length: images }, (_, image) => [{ image }, { text: '\n' }]);
  return [...places.flat(), { text: question }];
}

/** Deviation 0.02 at the real width of 3072, larger for narrower layers; what is added to the residual stream is made smaller with depth. */
function initial(name: string, shape: readonly number[], config: Readonly<Record<string, number>>): Initial {
  if (name.endsWith('_GN') || name.endsWith('.bias')) return { constant: 0 };
  const table = /embed_tokens\.weight$|(class|position)_embedding/.test(name);
  if (shape.length === 1 && !table) return { constant: 1 };
  const inputs = table
    ? (shape.at(-1) as number)
    : shape.slice(1).reduce((product, dimension) => product * dimension, 1);
  const residual = /\.(out_proj|fc2|o_proj|down_proj)\.weight$/.test(name);
  const depth = (name.startsWith(TOWER) ? config.v_layers : config.l_layers) as number;
  return { normal: (0.02 * Math.sqrt(3072 / inputs)) / (residual ? Math.sqrt(2 * depth) : 1) };
}
