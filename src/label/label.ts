// Makes the PRM's data (P7): responses sampled, de-duplicated, balanced, and a Monte-Carlo label for each of their
// steps.
import { UserError } from '../core/errors.js';
import type { Policy } from '../core/ports.js';
import { random } from '../core/random.js';
import type { Problem } from '../core/types.js';
import { type LabelledResponse, writeLabels } from '../record/labels.js';
import type { LabelResult } from '../record/results.js';
import { type Collection, collect, type SampleSettings, writeCollections } from '../rollout/collect.js';
import type { Phase } from '../run/phase.js';
import { countCompletions, labelPairs, type PairLabels } from './completions.js';
import { choosePairs, type Pair, pairsOf } from './pairs.js';

export interface LabelOptions {
  readonly problems: number;
  readonly samples: number;
  readonly temperature: number;
  readonly maxPerProblem: number;
  readonly pairs: number;
  readonly balance: boolean;
  readonly completions: number;
  readonly completionTemperature: number;
}

/** Names of what this phase leaves in the run folder. */
export const LABELS_FILE = 'labels.jsonl';

/**
 * Samples from `problems` with `policy`, labels, and writes labels.jsonl and rollouts/label.parquet into the run folder
 * `folder`.
 * @throws UserError where no pair is left after balancing
 */
export async function label(
  phase: Phase,
  folder: string,
  policy: Policy,
  problems: readonly Problem[],
  options: LabelOptions,
  settings: SampleSettings,
): Promise<LabelResult> {
  const collection: Collection = {
    name: 'responses',
    title: 'labels',
    problems: random(settings.seed, 'label/questions').shuffle(problems).slice(0, options.problems),
    variant: 'solve',
    n: options.samples,
    temperature: options.temperature,
  };
  const candidates: Pair[] = [];
  for await (const rollouts of collect(phase, policy, collection, settings)) {
    for (const rollout of rollouts) candidates.push(...pairsOf(rollout, options.maxPerProblem, settings.seed));
  }
  const pairs = choosePairs(candidates, options.pairs, options.balance, settings.seed);
  if (pairs.length === 0) {
    const right = candidates.filter(({ rated }) => rated.grade.verdict === 'correct').length;
    const found = `${right} right and ${candidates.length - right} wrong different responses`;
    const remedy =
      candidates.length === 0
        ? 'wanted responses with steps (steps.delimiter, sampling.maxTokens)'
        : 'wanted right and wrong ones of the same kind of question: raise prm.problems, prm.samples or prm.temperature, or set prm.balance to false';
    throw new UserError(`labels: ${found}, but no pair to label, ${remedy}`);
  }
  const labelled = await labelAll(phase, policy, pairs, options, settings);
  const selected = new Map<string, Set<number>>();
  for (const { problem, sample } of pairs)
    selected.set(problem.id, (selected.get(problem.id) ?? new Set()).add(sample));
  const rows = { collection, version: policy.version, selected };
  await writeCollections(phase, folder, 'rollouts/label.parquet', [rows], settings);
  await phase.output(LABELS_FILE, (aside) => writeLabels(aside, labelled));
  const labels = labelled.flatMap(({ steps }) => steps.map((step) => step.label));
  return {
    problems: collection.problems.length,
    candidates: candidates.length,
    pairs: pairs.length,
    right: pairs.filter(({ rated }) => rated.grade.verdict === 'correct').length,
    multipleChoice: pairs.filter(({ problem }) => problem.questionType === 'multi_choice').length,
    steps: labels.length,
    failed: pairs.length - labelled.length,
    meanLabel: labels.length === 0 ? null : labels.reduce((sum, value) => sum + value, 0) / labels.length,
  };
}

async function labelAll(
  phase: Phase,
  policy: Policy,
  pairs: readonly Pair[],
  options: LabelOptions,
  settings: SampleSettings,
): Promise<LabelledResponse[]> {
  const { signal } = phase;
  const { seed, chunk, topK, topP, maxTokens, grader } = settings;
  const meter = phase.meter('sample', 'labels: completions', 'completions');
  const needed = (some: readonly Pair[]): number =>
    some.reduce((sum, pair) => sum + countCompletions(pair, options.completions), 0);
  meter.expect(needed(pairs));
  const sampling = { temperature: options.completionTemperature, topK, topP, maxTokens };
  const plan = { n: options.completions, sampling, seed, purpose: `${phase.draws}/completions`, grader };
  const labelled: LabelledResponse[] = [];
  for (let from = 0; from < pairs.length; from += chunk) {
    const some = pairs.slice(from, from + chunk);
    const name = `completions-${String(from / chunk).padStart(5, '0')}`;
    const unit = await phase.unit<PairLabels[]>(name, () => labelPairs(policy, some, plan, { signal, meter }));
    if (unit.found) meter.skip(needed(some));
    unit.value.forEach(({ labels, tokens, error }, i) => {
      const pair = some[i] as Pair;
      phase.count('sampled', tokens);
      if (error === undefined) labelled.push(toLabelled(pair, labels));
      else phase.record('failed', { problem: pair.problem.id, reason: error });
    });
  }
  return labelled;
}

function toLabelled({ problem, sample, rated }: Pair, labels: readonly number[]): LabelledResponse {
  const { response, grade, steps, right } = rated;
  return {
    problem: problem.id,
    sample,
    verdict: grade.verdict,
    text: response.text,
    tokens: Array.from(response.tokens),
    steps: steps.map(({ tokenEnd }, i) => ({
      end: tokenEnd,
      label: labels[i] as number,
      ...(right && { right: right[i] as boolean }),
    })),
  };
}
