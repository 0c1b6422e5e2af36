// Trains the policy on the responses that an iteration chose (P5). The method decides which weights, optimizer and schedule
// go on from the iteration before and which start afresh.
import type { OptimizerConfig } from '../config/schema.js';
import type { Example } from '../core/types.js';
import type { FitReport } from '../record/results.js';
import type { Phase } from '../run/phase.js';
import { isFilled, type Reached, stepsOfNext } from './budget.js';
import { countSteps, fit, optimizerSettings } from './fit.js';
import type { Job, PolicyAt } from './job.js';

/**
 * Trains by the run's method and makes the checkpoint `to`; without examples the weights stay those of the origin.
 * @param from the policy that sampled the examples
 * @param reached before this iteration: the optimizer steps that are left end it
 */
export async function improve(
  job: Job,
  phase: Phase,
  from: PolicyAt,
  to: PolicyAt,
  examples: readonly Example[],
  reached: Reached,
): Promise<{ readonly origin: PolicyAt; readonly training: FitReport }> {
  const { config, models } = job;
  const { method } = config.evolve;
  const optimizer = limited(config.evolve.optimizer, stepsOfNext(config.evolve, reached));
  const origin = method === 'rest-em' ? 'warmup' : from;
  const longest = isFilled(config.evolve) ? untilLimit(optimizer, examples.length) : optimizer;
  // A fresh optimizer has a schedule of its own, over the steps of this iteration alone.
  const fresh = method === 'continuous' ? undefined : optimizerSettings(longest, countSteps(examples.length, longest));
  const policy = await models.learner(origin, fresh);
  const training = await fit(phase, policy, examples, {
    optimizer: longest,
    seed: config.seed,
    every: config.run.checkpointEvery,
  });
  await phase.save(to, 'policy', (dir) => policy.save(dir, { withTrainer: true }));
  models.advance(to);
  return { origin, training };
}

/** An optimizer of at most `left` steps; 0 leaves its limit as it is. */
export function limited(optimizer: OptimizerConfig, left: number): OptimizerConfig {
  const { maxSteps } = optimizer;
  if (left === 0) return optimizer;
  return { ...optimizer, maxSteps: maxSteps > 0 ? Math.min(maxSteps, left) : left };
}

/** As many passes as the limit on steps takes. */
function untilLimit(optimizer: OptimizerConfig, examples: number): OptimizerConfig {
  const perEpoch = Math.max(1, Math.ceil(examples / optimizer.batchSize));
  return { ...optimizer, epochs: Math.ceil(optimizer.maxSteps / perEpoch) };
}
