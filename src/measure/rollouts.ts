// Rollouts as numbers: greedy accuracy, the measures of sampled responses, and how well step scores tell right from
// wrong.
import { mean, sum } from '../core/lists.js';
import type { Verdict } from '../core/types.js';
import type { GreedyMeasure, Measurement, SampleMeasure, StepQuality } from '../record/results.js';
import type { RatedResponse, Rollout } from '../record/rollout.js';
import { dedupe } from '../reward/dedupe.js';
import { soundSoFar } from '../reward/truth.js';
import { bootstrapInterval } from './bootstrap.js';
import {
  bestOfNOf,
  countCorrect,
  majorityOf,
  type ProblemSamples,
  passAtKOf,
  rewardPassAtKOf,
  silentSamples,
  unbiasedPassAtKOf,
  weightedVoteOf,
} from './estimators.js';
import { groupedAuc, once } from './statistics.js';

/** @param rollouts one response per problem */
export function measureGreedy(rollouts: readonly Rollout[], seed: number): GreedyMeasure {
  const verdicts = rollouts.map(({ responses }) => responses[0]?.grade.verdict ?? 'unreadable');
  const right = verdicts.map((verdict) => Number(verdict === 'correct'));
  const { mean: accuracy, low, high } = bootstrapInterval(right, { seed });
  return {
    problems: rollouts.length,
    failed: countFailed(rollouts),
    correct: sum(right),
    accuracy,
    low,
    high,
    unreadable: unreadableRate(verdicts),
    meanTokens: meanOrZero(rollouts.flatMap(({ responses }) => responses.map(tokensOf))),
  };
}

/** @param rollouts K responses per problem @param greedy accuracy on the same problems, 0..1 */
export function measureSamples(
  rollouts: readonly Rollout[],
  k: number,
  temperature: number,
  greedy: number,
): SampleMeasure {
  const samples = rollouts.map(({ responses }) => toSamples(responses, k));
  const over = (estimate: (problem: ProblemSamples) => number): number => mean(samples.map(estimate));
  const unbiased = (of: number): number => over((one) => unbiasedPassAtKOf(one.length, countCorrect(one), of));
  const scored = rollouts.some(({ responses }) => responses.some(({ reward }) => reward !== undefined));
  const responses = rollouts.flatMap((rollout) => rollout.responses);
  const passRate = over((one) => passAtKOf(one, k));
  return {
    temperature,
    problems: rollouts.length,
    failed: countFailed(rollouts),
    k,
    passAt1: unbiased(1),
    passAtK: passRate,
    passAt2: unbiased(2),
    gap: passRate - greedy,
    rewardPassAt2: scored ? over((one) => rewardPassAtKOf(one, 2)) : null,
    rewardPassAt2Distinct: scored ? mean(rollouts.map(rewardPassAt2Distinct)) : null,
    bestOfK: scored ? over((one) => bestOfNOf(one, k)) : null,
    weightedVote: scored ? over((one) => weightedVoteOf(one, k)) : null,
    majority: over((one) => majorityOf(one, k)),
    unreadable: unreadableRate(samples.flat().map(({ verdict }) => verdict)),
    meanTokens: meanOrZero(responses.map(tokensOf)),
    meanSteps: meanOrZero(responses.map(({ steps }) => steps.length)),
  };
}

/** Null where no scored step has a known truth. */
export function measureSteps(rollouts: readonly Rollout[]): StepQuality | null {
  const steps = rollouts.flatMap(({ responses }) =>
    responses.flatMap(({ right, scores }) => {
      const sound = right && scores ? soundSoFar(right) : [];
      return sound.map((positive, i) => ({ score: scores?.[i] as number, positive }));
    }),
  );
  if (steps.length === 0) return null;
  const area = groupedAuc([steps])(once(1));
  return {
    steps: steps.length,
    sound: mean(steps.map(({ positive }) => Number(positive))),
    accuracy: mean(steps.map(({ score, positive }) => Number(score >= 0.5 === positive))),
    auc: Number.isNaN(area) ? null : area,
  };
}

/** Temperatures that every one of these measurements has, ascending as they are. */
export function followedTemperatures(measurements: readonly Measurement[]): number[] {
  const [first, ...others] = measurements;
  const all = first?.samples.map(({ temperature }) => temperature) ?? [];
  return all.filter((temperature) => others.every((one) => samplesAt(one, temperature)));
}

/** What a measurement came to at a temperature. */
export function samplesAt({ samples }: Measurement, temperature: number | null): SampleMeasure | undefined {
  return samples.find((one) => one.temperature === temperature);
}

/** Reward-Pass@2 of a problem among responses of different text: what a selection that drops repeats chooses from. */
function rewardPassAt2Distinct({ responses }: Rollout): number {
  const distinct = dedupe(responses.map((rated) => ({ text: rated.response.text, rated })));
  return rewardPassAtKOf(
    toSamples(
      distinct.map(({ rated }) => rated),
      0,
    ),
    2,
  );
}

/** A problem that failed counts as one with k unreadable responses. */
function toSamples(responses: readonly RatedResponse[], k: number): ProblemSamples {
  if (responses.length === 0) return silentSamples(k);
  return responses.map(({ grade, reward }) => ({
    verdict: grade.verdict,
    answer: grade.normalised,
    reward: reward ?? Number.NaN,
  }));
}

function countFailed(rollouts: readonly Rollout[]): number {
  return rollouts.filter(({ error }) => error !== undefined).length;
}

function unreadableRate(verdicts: readonly Verdict[]): number {
  return mean(verdicts.map((verdict) => Number(verdict === 'unreadable')));
}

function tokensOf({ response }: RatedResponse): number {
  return response.tokens.length;
}

function meanOrZero(values: readonly number[]): number {
  return values.length === 0 ? 0 : mean(values);
}
