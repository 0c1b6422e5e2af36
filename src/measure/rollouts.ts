// Rollouts as numbers: greedy accuracy, the measures of sampled responses, and how well step scores tell right from
// wrong.
import type { GreedyMeasure, SampleMeasure, StepQuality } from '../record/results.js';
import type { RatedResponse, Rollout } from '../record/rollout.js';
import { soundSoFar } from '../reward/truth.js';
import { bootstrapInterval } from './bootstrap.js';
import type { ScoredSample } from './estimators.js';
import {
  accuracy,
  auc,
  bestOfN,
  explorationGap,
  majorityAccuracy,
  passAtK,
  rewardPassAtK,
  unbiasedPassAtK,
  unreadableRate,
  weightedVoteAccuracy,
} from './metrics.js';

/** @param rollouts one response per problem */
export function measureGreedy(rollouts: readonly Rollout[], seed: number): GreedyMeasure {
  const verdicts = rollouts.map(({ responses }) => responses[0]?.grade.verdict ?? 'unreadable');
  const correct = verdicts.filter((verdict) => verdict === 'correct').length;
  const { low, high } = bootstrapInterval(
    verdicts.map((verdict) => (verdict === 'correct' ? 1 : 0)),
    { seed },
  );
  return {
    problems: rollouts.length,
    failed: countFailed(rollouts),
    correct,
    accuracy: accuracy(verdicts),
    low,
    high,
    unreadable: unreadableRate(verdicts),
    meanTokens: mean(rollouts.flatMap(({ responses }) => responses.map(({ response }) => response.tokens.length))),
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
  const scored = rollouts.some(({ responses }) => responses.some(({ reward }) => reward !== undefined));
  const responses = rollouts.flatMap((rollout) => rollout.responses);
  const passRate = passAtK(samples, k);
  return {
    temperature,
    problems: rollouts.length,
    failed: countFailed(rollouts),
    k,
    passAt1: unbiasedPassAtK(samples, 1),
    passAtK: passRate,
    passAt2: unbiasedPassAtK(samples, 2),
    gap: explorationGap(passRate, greedy),
    rewardPassAt2: scored ? rewardPassAtK(samples, 2) : null,
    bestOfK: scored ? bestOfN(samples, k) : null,
    weightedVote: scored ? weightedVoteAccuracy(samples, k) : null,
    majority: majorityAccuracy(samples, k),
    unreadable: unreadableRate(samples.flat().map(({ verdict }) => verdict)),
    meanTokens: mean(responses.map(({ response }) => response.tokens.length)),
    meanSteps: mean(responses.map(({ steps }) => steps.length)),
  };
}

/** Null where no scored step has a known truth. */
export function measureSteps(rollouts: readonly Rollout[]): StepQuality | null {
  const scores: number[] = [];
  const sound: boolean[] = [];
  for (const { responses } of rollouts) {
    for (const rated of responses) {
      if (!rated.right || !rated.scores) continue;
      sound.push(...soundSoFar(rated.right));
      scores.push(...rated.scores);
    }
  }
  if (scores.length === 0) return null;
  const area = auc(scores, sound);
  return {
    steps: scores.length,
    sound: mean(sound.map(Number)),
    accuracy: mean(scores.map((score, i) => (score >= 0.5 === sound[i] ? 1 : 0))),
    auc: Number.isNaN(area) ? null : area,
  };
}

/** A problem that failed counts as one with k unreadable responses. */
function toSamples(responses: readonly RatedResponse[], k: number): ScoredSample[] {
  if (responses.length === 0)
    return Array.from({ length: k }, () => ({ verdict: 'unreadable', answer: null, reward: Number.NaN }));
  return responses.map(({ grade, reward }) => ({
    verdict: grade.verdict,
    answer: grade.normalised,
    reward: reward ?? Number.NaN,
  }));
}

function countFailed(rollouts: readonly Rollout[]): number {
  return rollouts.filter(({ error }) => error !== undefined).length;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
