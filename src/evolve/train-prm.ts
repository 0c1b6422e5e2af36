// Trains the PRM (P8): every response token learns the label of the step it belongs to; some responses are kept out to
// measure it by.

import { join } from 'node:path';
import { stopIfAsked, UserError } from '../core/errors.js';
import { writeJsonLines } from '../core/files.js';
import { mean } from '../core/lists.js';
import type { Scorer } from '../core/ports.js';
import type { Example, Problem } from '../core/types.js';
import { groupedAuc, groupedCorrelation, once } from '../measure/statistics.js';
import {
  HELD_OUT_FILE,
  type HeldOutResponse,
  LABELS_FILE,
  type LabelledResponse,
  readLabels,
  splitHeldOut,
} from '../record/labels.js';
import type { PrmResult } from '../record/results.js';
import { requireOutputs } from '../run/outputs.js';
import type { Phase } from '../run/phase.js';
import { countSteps, fit, fitOptions, optimizerSettings } from './fit.js';
import type { Job } from './job.js';
import { completerAt } from './warmup.js';

/** Responses in one call of the scorer: bounds the time until a stop is seen. */
const CALL = 256;

/** Makes the checkpoint `prm` from labels.jsonl, and prm-held-out.jsonl from the responses kept out of its training. */
export async function trainPrm(job: Job, phase: Phase): Promise<PrmResult> {
  const { config, run, data, models, given } = job;
  const { optimizer } = config.prm;
  const labelled = given?.solutions?.map(({ problem }) => problem) ?? data.labelled;
  const problems = new Map(labelled.map((problem) => [problem.id, problem]));
  await requireOutputs(run.dir, [LABELS_FILE]);
  const path = join(run.dir, LABELS_FILE);
  const exampleOf = (labelled: LabelledResponse): Example =>
    stepExample(labelled, problems.get(labelled.problem), path);
  const { training, heldOut } = splitHeldOut(await readLabels(path), config.prm.heldOut, config.seed);
  const examples = training.map(exampleOf);
  const scorer = await models.newScorer(completerAt(config));
  await scorer.resetOptimizer(optimizerSettings(optimizer, countSteps(examples.length, optimizer)));
  const report = await fit(phase, scorer, examples, fitOptions(config, optimizer));
  await phase.save('prm', 'prm', (dir) => scorer.save(dir));
  // What follows starts from the folder, as it would after a restart: saving may round the weights.
  await models.forgetScorer();
  if (heldOut.length === 0) return { ...report, heldOut: null };
  const scored = await scoreHeldOut(phase, await models.scorer(), heldOut, exampleOf);
  await models.forgetScorer();
  await phase.output(HELD_OUT_FILE, (aside) => writeJsonLines(aside, scored));
  return { ...report, heldOut: measureHeldOut(scored, training) };
}

async function scoreHeldOut(
  phase: Phase,
  scorer: Scorer,
  heldOut: readonly LabelledResponse[],
  exampleOf: (labelled: LabelledResponse) => Example,
): Promise<HeldOutResponse[]> {
  const meter = phase.meter('score', `${phase.name}: scoring held-out responses`);
  meter.expect(heldOut.length);
  const scored: HeldOutResponse[] = [];
  for (let from = 0; from < heldOut.length; from += CALL) {
    stopIfAsked(phase.signal);
    const call = heldOut.slice(from, from + CALL);
    const ends = call.map(({ steps }) => Uint32Array.from(steps, ({ end }) => end - 1));
    const scores = await scorer.score(call.map(exampleOf), ends);
    for (const [i, { problem, sample, verdict, tokens, steps }] of call.entries()) {
      phase.count('scored', tokens.length);
      const withScores = steps.map(({ end, label, right }, step) => ({
        end,
        label,
        score: scores[i]?.[step] as number,
        ...(right !== undefined && { right }),
      }));
      scored.push({ problem, sample, verdict, steps: withScores });
    }
    meter.advance(call.length);
  }
  return scored;
}

function measureHeldOut(
  heldOut: readonly HeldOutResponse[],
  training: readonly LabelledResponse[],
): PrmResult['heldOut'] {
  const steps = heldOut.flatMap((response) => response.steps);
  const usual = mean(training.flatMap((response) => response.steps.map(({ label }) => label)));
  return {
    problems: new Set(heldOut.map(({ problem }) => problem)).size,
    responses: heldOut.length,
    steps: steps.length,
    mse: mean(steps.map(({ score, label }) => (score - label) ** 2)),
    baselineMse: mean(steps.map(({ label }) => (usual - label) ** 2)),
    auc: groupedAuc([steps.map(({ score, label }) => ({ score, positive: label >= 0.5 }))])(once(1)),
    correlation: groupedCorrelation([steps.map(({ score, label }) => [score, label] as const)])(once(1)),
  };
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
