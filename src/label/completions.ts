// Monte-Carlo labels (P7): from the end of each step, completions by the policy; the label is the share that is right.
import type { Policy, RolloutRequest } from '../core/ports.js';
import type { Sampling } from '../core/types.js';
import { grade } from '../reward/answer/grade.js';
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
  let next = 0;
  return pairs.map(({ problem, rated }) => {
    const { response, steps } = rated;
    const labels: number[] = [];
    let tokens = 0;
    for (const step of steps.slice(0, openSteps(rated))) {
      const outcome = outcomes[next++];
      if (typeof outcome === 'string') return { labels: [], tokens, error: outcome };
      const sofar = response.text.slice(0, response.ends[step.tokenEnd - 1]);
      const right = (outcome ?? []).filter(({ text }) => grade(problem, sofar + text).verdict === 'correct');
      labels.push(right.length / plan.n);
      tokens += (outcome ?? []).reduce((sum, completion) => sum + completion.tokens.length, 0);
    }
    if (labels.length < steps.length) labels.push(rated.grade.verdict === 'correct' ? 1 : 0);
    return { labels, tokens };
  });
}

/** Steps after which something can be sampled: a response that has stopped leaves nothing after its last one. */
function openSteps({ response, steps }: Pair['rated']): number {
  return response.finish === 'stop' ? steps.length - 1 : steps.length;
}
