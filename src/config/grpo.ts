// Settings of the method grpo: what is a reward, what is lowered, and against what. Each names the paper it is from.
import { z } from 'zod';

export const grpoSettings = z
  .strictObject({
    prm: z
      .number()
      .min(0)
      .max(1000)
      .default(0)
      .describe(
        'weight of the PRM in the reward: a right response gets 1 and this times its reward by the PRM, a wrong one 0; 0: the grade alone (a reward function of a program gives the number in its place)',
      ),
    scale: z
      .enum(['deviation', 'none'])
      .default('deviation')
      .describe(
        'what the rewards of the responses to one question, less their mean, are divided by: their standard deviation (GRPO, Shao et al. 2024, DeepSeekMath), or nothing (Dr. GRPO, Liu et al. 2025)',
      ),
    loss: z
      .enum(['response', 'token', 'constant'])
      .default('token')
      .describe(
        'how losses of tokens are added up in a step: response: means over each response, and their mean (GRPO, Shao et al. 2024); token: the mean over all tokens (DAPO, Yu et al. 2025); constant: sums over each response, divided by sampling.maxTokens, and their mean (Dr. GRPO, Liu et al. 2025)',
      ),
    clipLow: z
      .number()
      .gt(0)
      .max(1)
      .default(0.2)
      .describe(
        'a probability that a step lowers counts until it is 1 less this times what it was when sampled (PPO, Schulman et al. 2017; GRPO)',
      ),
    clipHigh: z
      .number()
      .gt(0)
      .max(100)
      .default(0.2)
      .describe(
        'a probability that a step raises counts until it is 1 and this times what it was; 0.28 in DAPO (Yu et al. 2025), which lets unlikely tokens rise further',
      ),
    kl: z
      .number()
      .min(0)
      .max(100)
      .default(0)
      .describe(
        'weight of the divergence from the checkpoint that the first iteration began with, estimated token by token; 0: off, as in DAPO and Dr. GRPO; 0.04 in GRPO (Shao et al. 2024)',
      ),
  })
  .prefault({});
