// Fields that the config.json and preprocessor_config.json of every family may hold, and what the engine makes of them.
import { z } from 'zod';

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

/** A side of a picture, in the forms that there are. */
export const side = (pixels: number) => {
  const wanted = z.literal(pixels);
  return z
    .union(
      [wanted, z.object({ height: wanted, width: wanted }), z.object({ shortest_edge: wanted })],
      `${pixels}, the side of a tile`,
    )
    .optional();
};
