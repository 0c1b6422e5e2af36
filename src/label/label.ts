// Makes the PRM's data (P7): responses sampled, de-duplicated, balanced, and a Monte-Carlo label for each of their
// steps.

import { UserError } from '../core/errors.js';
import { writeJsonLines } from '../core/files.js';
import { mean, sum } from '../core/lists.js';
import { callsAtOnce, type Policy, type RolloutRequest } from '../core/ports.js';
import { random } from '../core/random.js';
import type { Problem, Response, Sampling, StepSpan } from '../core/types.js';
import { LABELS_FILE, type LabelledResponse } from '../record/labels.js';
import type { LabelResult } from '../record/results.js';
import { grade } from '../reward/answer/grade.js';
import type { Grader } from '../reward/custom.js';
import { type Collection, collect, type SampleSettings, writeCollections } from '../rollout/collect.js';
import { sampleEach, type Watch } from '../rollout/generate.js';
import type { Phase } from '../run/phase.js';
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

/**
 * Samples from `problems` with `policy`, labels, and writes labels.jsonl and rollouts/label.parquet into the run folder.
 * @throws UserError where no pair is left after balancing
 */
export async function label(
  phase: Phase,
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
  await writeCollections(phase, 'rollouts/label.parquet', [rows], settings);
  await phase.output(LABELS_FILE, (aside) => writeJsonLines(aside, labelled));
  const labels = labelled.flatMap(({ steps }) => steps.map((step) => step.label));
  return {
    problems: collection.problems.length,
    candidates: candidates.length,
    pairs: pairs.length,
    right: pairs.filter(({ rated }) => rated.grade.verdict === 'correct').length,
    multipleChoice: pairs.filter(({ problem }) => problem.questionType === 'multi_choice').length,
    steps: labels.length,
    failed: pairs.length - labelled.length,
    meanLabel: labels.length === 0 ? null : mean(labels),
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
    sum(some.map((pair) => countCompletions(pair, options.completions)));
  meter.expect(needed(pairs));
  const sampling = { temperature: options.completionTemperature, topK, topP, maxTokens };
  const plan = { n: options.completions, sampling, seed, purpose: `${phase.draws}/completions`, grader };
  const labelled: LabelledResponse[] = [];
  const cut = { name: 'completions', size: chunk, atOnce: callsAtOnce(policy) };
  const make = (some: readonly Pair[]): Promise<PairLabels[]> => labelPairs(policy, some, plan, { signal, meter });
  for await (const { items, value, found } of phase.units(pairs, cut, make)) {
    if (found) meter.skip(needed(items));
    value.forEach(({ labels, tokens, error }, i) => {
      const pair = items[i] as Pair;
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

/** Labels of the steps of one pair, or why they could not be sampled. */
export interface PairLabels {
  /** Share of right completions from the end of each step, 0..1. */
  readonly labels: readonly number[];
  readonly tokens: number;
  readonly error?: string;
}

export interface CompletionPlan {
  /** Completions per step. */
  readonly n: number;
  readonly sampling: Sampling;
  readonly seed: number;
  /** Names the draws together with seed, problem, sample and step. */
  readonly purpose: string;
  /** Judges the completed responses; by their final answers when left out. */
  readonly grader?: Grader | undefined;
}

/** Completions that a pair needs. */
export function countCompletions({ rated }: Pair, n: number): number {
  return openSteps(rated) * n;
}

/** Labels all steps of some pairs in one rollout call. */
export async function labelPairs(
  policy: Policy,
  pairs: readonly Pair[],
  plan: CompletionPlan,
  watch: Watch,
): Promise<PairLabels[]> {
  const requests = pairs.flatMap(({ problem, sample, rated }) =>
    rated.steps.slice(0, openSteps(rated)).map(
      (step, i): RolloutRequest => ({
        problem,
        variant: 'solve',
        prefix: rated.response.tokens.slice(0, step.tokenEnd),
        n: plan.n,
        key: `${plan.purpose}/${problem.id}/${sample}/${i}`,
      }),
    ),
  );
  const outcomes = await sampleEach(policy, requests, plan.sampling, plan.seed, watch);
  const labelled: PairLabels[] = [];
  let next = 0;
  for (const pair of pairs) {
    const from = next;
    next += openSteps(pair.rated);
    labelled.push(await labelSteps(pair, outcomes.slice(from, next), plan));
  }
  return labelled;
}

/** @param outcomes completions from the end of each open step of the pair, or why there are none */
async function labelSteps(
  { problem, rated }: Pair,
  outcomes: readonly (readonly Response[] | string)[],
  { n, grader }: CompletionPlan,
): Promise<PairLabels> {
  const { response, steps } = rated;
  const labels: number[] = [];
  let tokens = 0;
  for (const [i, outcome] of outcomes.entries()) {
    if (typeof outcome === 'string') return { labels: [], tokens, error: outcome };
    const { tokenEnd } = steps[i] as StepSpan;
    labels.push((await countRight(problem, response, tokenEnd, outcome, grader)) / n);
    tokens += sum(outcome.map((completion) => completion.tokens.length));
  }
  if (labels.length < steps.length) labels.push(rated.grade.verdict === 'correct' ? 1 : 0);
  return { labels, tokens };
}

/** Of the completions from the end of a step, how many make it a right response. */
async function countRight(
  problem: Problem,
  response: Response,
  tokenEnd: number,
  completions: readonly Response[],
  grader: Grader | undefined,
): Promise<number> {
  const sofar = response.text.slice(0, response.ends[tokenEnd - 1]);
  const grades = grader
    ? await Promise.all(completions.map((one) => grader(problem, joined(response, tokenEnd, sofar, one))))
    : completions.map(({ text }) => grade(problem, sofar + text));
  return grades.filter(({ verdict }) => verdict === 'correct').length;
}

/** The start of a response, up to the end of a step, and its completion as one response. */
function joined(start: Response, tokenEnd: number, sofar: string, { text, tokens, logprobs, ends, finish }: Response) {
  return {
    text: sofar + text,
    tokens: Int32Array.from([...start.tokens.subarray(0, tokenEnd), ...tokens]),
    logprobs: Float32Array.from([...start.logprobs.subarray(0, tokenEnd), ...logprobs]),
    ends: Uint32Array.from([...start.ends.subarray(0, tokenEnd), ...ends.map((end) => sofar.length + end)]),
    finish,
  };
}

/** Steps after which something can be sampled: a response that has stopped leaves nothing after its last one. */
function openSteps({ response, steps }: Pair['rated']): number {
  return response.finish === 'stop' ? steps.length - 1 : steps.length;
}
