// The files of a golden folder: schemas of its JSON and its expected tensors.
// Leaves what is compared to the checks beside it.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from '../checkpoint/json.js';
import { readSafetensors } from '../checkpoint/safetensors.js';
import { readTensors, type Tensor } from '../checkpoint/tensors.js';
import { checked } from '../core/schema.js';

const ids = z.array(z.number().int());
const message = z.object({
  role: z.enum(['system', 'user', 'assistant']),
  content: z.string(),
  images: z.array(z.string().regex(/^[\w.-]+$/)).default([]),
});
const promptSchema = z.object({
  messages: z.array(message),
  prompt_text: z.string(),
  input_ids: ids,
  tiles_per_image: z.array(z.number().int()).default([]),
  image_token_spans: z.array(z.tuple([z.number().int(), z.number().int()])).default([]),
  response_ids: ids.optional(),
  response_text: z.string().optional(),
  greedy: ids.optional(),
});
const norms = z.record(z.string(), z.number());

export const schemas = {
  /** A case holds one prompt, or several under `prompts`. */
  case: z.union([z.object({ prompts: z.array(promptSchema).min(1) }), promptSchema]),
  sft: promptSchema.extend({ response_ids: ids }),
  sftExpected: z.object({
    loss: z.number(),
    new_loss: z.number(),
    optimizer: z.object({
      type: z.literal('AdamW'),
      lr: z.number(),
      betas: z.tuple([z.number(), z.number()]),
      eps: z.number(),
      weight_decay: z.number(),
      decay_rule: z.literal('ndim >= 2'),
      grad_clip: z.number().nullable(),
    }),
    grad_l2: norms,
    update_l2: norms,
    grad_l2_qkv_bias_parts: norms.default({}),
    update_l2_qkv_bias_parts: norms.default({}),
  }),
  prm: promptSchema.extend({ response_ids: ids, token_labels: z.array(z.number()) }),
  prmExpected: z.object({
    scores: z.array(z.number()),
    loss: z.number(),
    grad_l2: norms,
    parameters_without_gradient: z.array(z.string()),
    frozen: z.string().regex(/\*$/),
  }),
  override: z.object({ config_overrides: z.record(z.string(), z.unknown()), input_ids: ids }),
  tokenizer: z.array(z.object({ text: z.string(), input_ids: ids, decoded_skip_special: z.string().optional() })),
  tiling: z.array(
    z.object({
      image_size: z.number().int(),
      min_num: z.number().int(),
      max_num: z.number().int(),
      width_height_cols_rows: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])),
    }),
  ),
};

export type GoldenPrompt = z.infer<typeof promptSchema>;
export type GoldenMessage = z.infer<typeof message>;

/** Throws UserError when the file is absent or of another form. */
export async function readGolden<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  return checked(schema, await readJson(file), file);
}

/** Every tensor of `expected.safetensors` in `dir`. */
export async function readExpected(dir: string): Promise<Map<string, Tensor>> {
  return readTensors(await readSafetensors(join(dir, 'expected.safetensors')));
}

export async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
