// The completer (P7, P8): the warm-up trained on its own examples for longer. It samples the completions that step labels
// are made from, and the PRM starts from its weights.
import { join } from 'node:path';
import type { Config } from '../config/schema.js';
import type { Example } from '../core/types.js';
import type { FitReport } from '../record/results.js';
import { readSelected } from '../record/selected.js';
import { requireOutputs } from '../run/outputs.js';
import type { Phase } from '../run/phase.js';
import { countSteps, fit, optimizerSettings } from './fit.js';
import type { Job, PolicyAt } from './job.js';

/** Where the completer's weights are: the warm-up's own where it is not trained longer. */
export function completerAt({ warmup, prm }: Config): PolicyAt {
  return warmup.enabled && prm.completerEpochs > 0 ? 'completer' : 'warmup';
}

/** The examples of the warm-up, from the table that it left. */
export async function warmupExamples({ run, data }: Pick<Job, 'run' | 'data'>): Promise<Example[]> {
  const table = 'rollouts/warmup.parquet';
  await requireOutputs(run.dir, [table]);
  return readSelected(join(run.dir, table), data.labelled);
}

/** Makes the checkpoint `completer`. */
export async function trainCompleter(job: Job, phase: Phase): Promise<FitReport> {
  const { config, models } = job;
  const optimizer = { ...config.warmup.optimizer, epochs: config.prm.completerEpochs };
  const examples = await warmupExamples(job);
  const policy = await models.learner('warmup', optimizerSettings(optimizer, countSteps(examples.length, optimizer)));
  const training = await fit(phase, policy, examples, {
    optimizer,
    seed: config.seed,
    every: config.run.checkpointEvery,
  });
  await phase.save('completer', 'completer', (dir) => policy.save(dir));
  // Later phases start from the folder, as they would after a restart: saving may round the weights.
  await models.forgetPolicy();
  return training;
}
