// Fields that the config.json and preprocessor_config.json of every family may hold, and what the engine makes of them.
// Keys that are absent have the defaults of the reference's configuration classes; keys not named here do not matter.
import { z } from 'zod';
import type { Content } from '../backbone.js';

export const size = (most: number) => z.int().min(1).max(most);
export const width = size(65_536);
const eps = z.number().min(0).max(1);

// Weights are computed with in the number type that the settings name; the one that they were saved in must still make sense.
const dtype = z.enum(['float32', 'float16', 'bfloat16', 'auto']).nullish();
const off = z.literal([false, 0]).nullish();

/** Of a config.json, and of the parts of one. */
export const configFields = {
  torch_dtype: dtype,
  dtype,
  quantization_config: z.null().optional(),
  use_backbone_lora: off,
  use_llm_lora: z
    .unknown()
    .refine((rank) => !rank, '0: merge the adapter (LoRA) into the language model, as merge_lora.py of InternVL does')
    .optional(),
};

/** One of `names` must be among those that a file gives; `why` is added to the message. */
export const architectures = (name: string, why = '') =>
  z
    .array(z.string())
    .refine((given) => given.length === 0 || given.includes(name), name + why)
    .nullish();

/** Of a vision tower. */
export const visionFields = {
  hidden_size: width,
  num_hidden_layers: size(1024),
  num_attention_heads: width,
  intermediate_size: width,
  image_size: size(4096),
  patch_size: size(256),
  layer_norm_eps: eps.default(1e-6),
  num_channels: z.literal(3).default(3),
};

/** The numbers of a vision tower. */
export const visionNumbers = (vision: z.output<z.ZodObject<typeof visionFields>>) => ({
  v_hidden: vision.hidden_size,
  v_layers: vision.num_hidden_layers,
  v_heads: vision.num_attention_heads,
  v_intermediate: vision.intermediate_size,
  v_eps: vision.layer_norm_eps,
});

/** Of a language model: rotary attention with shared key heads and a gated activation. */
export const languageFields = {
  hidden_size: width,
  num_hidden_layers: size(1024),
  num_attention_heads: width,
  num_key_value_heads: width,
  intermediate_size: size(1_000_000),
  vocab_size: size(2 ** 24),
  rms_norm_eps: eps.default(1e-6),
  rope_theta: z.number().gt(1).max(1e12).default(10_000),
  max_position_embeddings: size(2 ** 31).default(2048),
  hidden_act: z.literal('silu').default('silu'),
  tie_word_embeddings: z.literal(false).default(false),
};

/** The numbers of a language model. */
export const languageNumbers = (
  language: Omit<z.output<z.ZodObject<typeof languageFields>>, 'tie_word_embeddings'>,
) => ({
  l_hidden: language.hidden_size,
  l_layers: language.num_hidden_layers,
  l_heads: language.num_attention_heads,
  l_kv_heads: language.num_key_value_heads,
  l_intermediate: language.intermediate_size,
  l_eps: language.rms_norm_eps,
  vocab: language.vocab_size,
  rope_theta: language.rope_theta,
  max_positions: language.max_position_embeddings,
});

/** Refuses fields that contradict each other: `field` is the wrong one, with dots. */
export const refusals =
  (context: z.RefinementCtx) =>
  (isWrong: boolean, field: string, wanted: string): void => {
    if (isWrong) context.addIssue({ code: 'custom', path: field.split('.'), message: wanted });
  };

/** Refuses sizes of a language model that do not fit each other. `at`: where its fields stand, with a dot behind. */
export function refuseHeads(
  language: z.output<z.ZodObject<typeof languageFields>>,
  at: string,
  refuse: ReturnType<typeof refusals>,
): void {
  const { hidden_size: hidden, num_attention_heads: heads, num_key_value_heads: keyHeads } = language;
  refuse(hidden % (2 * heads) !== 0, `${at}hidden_size`, `a multiple of 2 x num_attention_heads = ${2 * heads}`);
  refuse(heads % keyHeads !== 0, `${at}num_attention_heads`, `a multiple of num_key_value_heads = ${keyHeads}`);
}

const three = ([red, green, blue]: readonly [number, number, number]) =>
  z.tuple([z.literal(red), z.literal(green), z.literal(blue)]).optional();
const on = z.literal(true).optional();

/** Of a preprocessor_config.json: what the engine does with the pixels of a picture. */
export const pixelFields = (mean: readonly [number, number, number], deviation: readonly [number, number, number]) => ({
  image_mean: three(mean),
  image_std: three(deviation),
  do_normalize: on,
  do_rescale: on,
  do_resize: on,
  do_convert_rgb: on,
  rescale_factor: z
    .number()
    .refine((found) => Math.abs(found * 255 - 1) < 1e-6, '1 / 255')
    .optional(),
});

/** A question with every picture in front, on a line of its own. */
export function picturesInFront(question: string, images: number): Content {
  const places = Array.from({ length: images }, (_, image) => [{ image }, { text: '\n' }]);
  return [...places.flat(), { text: question }];
}
