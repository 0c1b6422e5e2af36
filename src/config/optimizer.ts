// Settings of an optimizer, which each training has for itself.
import { z } from 'zod';
import { count, share } from './numbers.js';

const part = z.enum(['vision', 'projector', 'language']);

/** AdamW; the rate is constant after linear warm-up (P4) unless it is to fall at the end. The defaults of lr, batch and epochs differ by phase. */
export function optimizer(defaults: { lr: number; batchSize: number; epochs: number; freeze: z.infer<typeof part>[] }) {
  return z
    .strictObject({
      lr: z.number().gt(0).max(1).default(defaults.lr).describe('learning rate after the warm-up'),
      batchSize: count(1, 65536).default(defaults.batchSize).describe('examples in one optimizer step'),
      epochs: count(1, 1000).default(defaults.epochs).describe('passes over the examples'),
      maxSteps: count(0).default(0).describe('most optimizer steps; 0: as many as the passes need'),
      warmupRatio: share().default(0.1).describe('share of the optimizer steps in which the rate rises from 0'),
      decayRatio: share()
        .default(0)
        .describe('share of the optimizer steps, the last ones, in which the rate falls to 0; 0: it stays'),
      betas: z
        .tuple([share().lt(1), share().lt(1)])
        .default([0.9, 0.999])
        .describe('decay of the first and second moments'),
      eps: z.number().gt(0).max(1).default(1e-8).describe('added to the root of the second moment'),
      weightDecay: z.number().min(0).max(1).default(0).describe('decoupled weight decay'),
      clip: z.number().min(0).max(1e6).default(1).describe('L2 norm that gradients are clipped to; 0: off'),
      moments: z
        .enum(['float32', '8bit'])
        .default('float32')
        .describe(
          'numbers in which the moments of matrices are kept: float32, or 8bit: bfloat16 and 8 bits, 3 bytes a weight instead of 8',
        ),
      freeze: z
        .array(part)
        .max(3)
        .default(defaults.freeze)
        .describe('parts that do not learn: vision, projector, language'),
    })
    .prefault({});
}
