// Settings of the model of a run and of how the engine computes with it.
import { z } from 'zod';
import { count } from './numbers.js';

export const modelSettings = z.strictObject({
  path: z
    .string()
    .min(1)
    .describe(
      'checkpoint folder in Hugging Face form, or its name on the hub as hf:ORG/NAME[@REVISION]; paths start at the working directory, mstar: ones at this package',
    ),
  device: z.enum(['cpu', 'cuda']).default('cpu').describe('where the engine computes'),
  dtype: z.enum(['float32', 'bfloat16']).default('float32').describe('number type of the weights in memory'),
  threads: count(0, 1024)
    .default(0)
    .describe('compute threads; 0: all cores (the run keeps the number; a small model goes on with any other)'),
  deterministic: z
    .boolean()
    .default(false)
    .describe('on a GPU: the same bits whatever else is sampled in a call; slower'),
  kvGib: z
    .number()
    .min(0)
    .max(65536)
    .default(0)
    .describe('GiB that keys and values may take; 0: half of what is free, 70 % on a GPU'),
  tokenBudget: count(1).default(16384).describe('tokens per micro-batch of training and scoring: bounds their memory'),
  recompute: z
    .enum(['auto', 'never', 'always'])
    .default('auto')
    .describe(
      'whether training runs layers again instead of keeping what they computed: less memory, a third more time; auto: as a GPU has room',
    ),
  offload: z
    .enum(['auto', 'never', 'always'])
    .default('auto')
    .describe(
      'whether moments and low halves of bfloat16 weights lie in the memory of the machine and pass through the GPU in each optimizer step; auto: where the GPU has no room',
    ),
  maxImagePixels: count(1).default(50_000_000).describe('largest picture that is decoded, in pixels'),
  minPixels: count(1)
    .optional()
    .describe(
      'a smaller picture is enlarged to about this area, in pixels; of models whose pictures keep their shape, min_pixels of their preprocessor_config.json when left out',
    ),
  maxPixels: count(1)
    .optional()
    .describe(
      'a larger picture is made smaller to at most this area, which bounds the tokens of a prompt; max_pixels of the same file when left out',
    ),
  adapter: z
    .strictObject({
      rank: count(1, 4096)
        .default(16)
        .describe(
          'rank of the low-rank products (LoRA) that learn beside frozen matrices of the language model; the group model.adapter turns them on',
        ),
      alpha: z.number().gt(0).max(65536).default(32).describe('the product is multiplied by alpha / rank'),
      targets: z
        .array(z.string().min(1))
        .max(100)
        .default([])
        .describe(
          'ends of the names of matrices in the layers of the language model, like q_proj or mlp.down_proj; none: all of them',
        ),
    })
    .optional()
    .describe(
      'train low-rank products beside frozen matrices of the language model (LoRA) instead of all weights; checkpoints are then folders of PEFT',
    ),
});
