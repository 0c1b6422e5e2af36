// Trains the PRM (P8): every response token learns the label of the step it belongs to.
// Leaves making the labels to src/label.
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import type { Example, Problem } from '../core/types.js';
import { LABELS_FILE } from '../label/label.js';
import { type LabelledResponse, readLabels } from '../label/labels-file.js';
import type { Phase } from '../run/phase.js';
import { completer } from './converge.js';
import { countSteps, type FitReport, fit, optimizerSettings } from './fit.js';
import type { Job } from './job.js';

/** Makes the checkpoint `prm` from labels.jsonl. */
export async function trainPrm(job: Job, phase: Phase): Promise<FitReport> {
  const { config, run, data, models } = job;
  const { optimizer } = config.prm;
  const problems = new Map(data.labelled.map((problem) => [problem.id, problem]));
  const path = join(run.dir, LABELS_FILE);
  const examples = (await readLabels(path)).map((labelled) =>
    stepExample(labelled, problems.get(labelled.problem), path),
  );
  const scorer = await models.newScorer(completer(config));
  await scorer.resetOptimizer(optimizerSettings(optimizer, countSteps(examples.length, optimizer)));
  const report = await fit(phase, scorer, examples, {
    optimizer,
    seed: config.seed,
    every: config.run.checkpointEvery,
  });
  await phase.save('prm', 'prm', (dir) => scorer.save(dir));
  // Later phases start from the folder, as they would after a restart: saving may round the weights.
  await models.forgetScorer();
  return report;
}

/** A response with a label for each of its tokens. */
function stepExample(
  { problem: id, tokens, steps }: LabelledResponse,
  problem: Problem | undefined,
  path: string,
): Example {
  if (!problem) throw new UserError(`${path}: problem: ${JSON.stringify(id)}, wanted a labelled problem of this run`);
  const labels = new Float32Array(tokens.length);
  let from = 0;
  for (const { end, label } of steps) {
    labels.fill(label, from, end);
    from = end;
  }
  return { problem, variant: 'solve', response: Int32Array.from(tokens), labels };
}
