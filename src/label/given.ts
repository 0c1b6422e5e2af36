// Labels of steps that are there already, in place of sampled ones: the solutions become responses in the tokens of the policy.

import { stopIfAsked, UserError } from '../core/errors.js';
import { writeJsonLines } from '../core/files.js';
import { mean } from '../core/lists.js';
import type { Learner } from '../core/ports.js';
import { random } from '../core/random.js';
import type { Verdict } from '../core/types.js';
import type { Solution } from '../data/solutions.js';
import { LABELS_FILE, type LabelledResponse } from '../record/labels.js';
import type { LabelResult } from '../record/results.js';
import { grade } from '../reward/answer/grade.js';
import type { Phase } from '../run/phase.js';

export interface GivenOptions {
  /** Most solutions, drawn by the seed. */
  readonly most: number;
  readonly seed: number;
  /** Put between steps. */
  readonly delimiter: string;
}

/** Writes labels.jsonl. A solution that has no room in the model, or whose pictures cannot be used, is recorded and left out. */
export async function takeLabels(
  phase: Phase,
  model: Pick<Learner, 'encodeSteps'>,
  solutions: readonly Solution[],
  { most, seed, delimiter }: GivenOptions,
): Promise<LabelResult> {
  const places = random(seed, 'pairs/choose').order(solutions.length).slice(0, most);
  const chosen = places.sort((a, b) => a - b).map((place) => solutions[place] as Solution);
  const labelled: LabelledResponse[] = [];
  for (const solution of chosen) {
    stopIfAsked(phase.signal);
    try {
      labelled.push(await responseOf(solution, model, delimiter));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      phase.record('failed', { problem: solution.problem.id, reason: error.message });
    }
  }
  if (labelled.length === 0)
    throw new UserError(
      `prm.labels: none of ${chosen.length} solutions can be used, wanted one (the journal says why)`,
    );
  await phase.output(LABELS_FILE, (aside) => writeJsonLines(aside, labelled));
  const labels = labelled.flatMap(({ steps }) => steps.map(({ label }) => label));
  return {
    problems: new Set(chosen.map(({ problem }) => problem)).size,
    candidates: solutions.length,
    pairs: chosen.length,
    right: labelled.filter(({ verdict }) => verdict === 'correct').length,
    multipleChoice: chosen.filter(({ problem }) => problem.questionType === 'multi_choice').length,
    steps: labels.length,
    failed: chosen.length - labelled.length,
    meanLabel: mean(labels),
  };
}

async function responseOf(
  { problem, sample, steps, labels }: Solution,
  model: Pick<Learner, 'encodeSteps'>,
  delimiter: string,
): Promise<LabelledResponse> {
  const text = steps.join(delimiter);
  // As steps of sampled responses do, a step ends behind its delimiter.
  let written = 0;
  const textEnds = steps.map((step) => {
    written = Math.min(text.length, written + step.length + delimiter.length);
    return written;
  });
  const { tokens, ends } = await model.encodeSteps(problem, text, textEnds, true);
  return {
    problem: problem.id,
    sample,
    verdict: verdictOf(problem, text, labels.at(-1) as number),
    text,
    tokens: [...tokens],
    // Steps without a token of their own are one with the next, whose label says more.
    steps: [...ends].flatMap((end, i) => (end === ends[i + 1] ? [] : [{ end, label: labels[i] as number }])),
  };
}

/** By the answer, or where the data have none by the label of the last step. */
function verdictOf(problem: Solution['problem'], text: string, last: number): Verdict {
  if (problem.answer !== '') return grade(problem, text).verdict;
  return last >= 0.5 ? 'correct' : 'wrong';
}
