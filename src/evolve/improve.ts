// Trains the policy on the responses an iteration chose (P5): what goes on from the iteration before, and what starts afresh.
// Leaves choosing them to the loop.
import type { Example } from '../core/types.js';
import type { Phase } from '../run/phase.js';
import type { ChoiceCounts } from './choose.js';
import { countSteps, type FitReport, fit, optimizerSettings } from './fit.js';
import type { Job, PolicyAt } from './job.js';

/** What an iteration came to. */
export interface IterationResult {
  readonly iteration: number;
  readonly epoch: number;
  readonly temperature: number;
  /** Checkpoint that the training started from. */
  readonly origin: PolicyAt;
  readonly choice: ChoiceCounts;
  readonly training: FitReport;
}

/**
 * Trains by the run's method and makes the checkpoint `to`; without examples the weights stay those of the origin.
 * @param from the policy that sampled the examples
 */
export async function improve(
  job: Job,
  phase: Phase,
  from: PolicyAt,
  to: PolicyAt,
  examples: readonly Example[],
): Promise<{ readonly origin: PolicyAt; readonly training: FitReport }> {
  const { config, models } = job;
  const { method, optimizer } = config.evolve;
  const origin = method === 'rest-em' ? 'warmup' : from;
  // A fresh optimizer has a schedule of its own, over the steps of this iteration alone.
  const fresh =
    method === 'continuous' ? undefined : optimizerSettings(optimizer, countSteps(examples.length, optimizer));
  const policy = await models.learner(origin, fresh);
  const training = await fit(phase, policy, examples, {
    optimizer,
    seed: config.seed,
    every: config.run.checkpointEvery,
  });
  await phase.save(to, 'policy', (dir) => policy.save(dir, { withTrainer: true }));
  models.advance(to);
  return { origin, training };
}
