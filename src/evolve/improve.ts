// Trains the policy on the responses an iteration chose (P5, continuous: weights, optimizer and schedule go on).
// Leaves choosing them to the loop.
import type { Example } from '../core/types.js';
import type { Phase } from '../run/phase.js';
import type { ChoiceCounts } from './choose.js';
import { type FitReport, fit } from './fit.js';
import type { Job, PolicyAt } from './job.js';

/** What an iteration came to. */
export interface IterationResult {
  readonly iteration: number;
  readonly epoch: number;
  readonly temperature: number;
  readonly choice: ChoiceCounts;
  readonly training: FitReport;
}

/** Trains the policy at `from` and makes the checkpoint `to`; without examples the weights stay. */
export async function improve(
  job: Job,
  phase: Phase,
  from: PolicyAt,
  to: PolicyAt,
  examples: readonly Example[],
): Promise<FitReport> {
  const { config, models } = job;
  const policy = await models.learner(from);
  const { optimizer } = config.evolve;
  const report = await fit(phase, policy, examples, {
    optimizer,
    seed: config.seed,
    every: config.run.checkpointEvery,
  });
  await phase.save(to, 'policy', (dir) => policy.save(dir, { withTrainer: true }));
  models.advance(to);
  return report;
}
