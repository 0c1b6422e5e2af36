// Monte-Carlo labels (P7): from the end of each step, completions by the policy; the label is the share that is right.
import type { Policy, RolloutRequest } from '../core/ports.js';
import type { Problem, Response, Sampling, StepSpan } from '../core/types.js';
import { grade } from '../reward/answer/grade.js';
import type { Grader } from '../reward/custom.js';
import { sampleEach, type Watch } from '../rollout/generate.js';
import type { Pair } from './pairs.js';

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
    tokens += outcome.reduce((sum, completion) => sum + completion.tokens.length, 0);
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
