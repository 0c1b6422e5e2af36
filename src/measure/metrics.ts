// The numbers of the paper (P11, P13) over a set of problems, from graded and scored samples, as pure functions.
import type { Verdict } from '../core/types.js';
import {
  bestOfNOf,
  countCorrect,
  majorityOf,
  type ProblemSamples,
  passAtKOf,
  rewardPassAtKOf,
  unbiasedPassAtKOf,
  weightedVoteOf,
} from './estimators.js';

/** Samples of each problem in sample order: [problem][sample]. */
export type Samples = readonly ProblemSamples[];

/** Share of `correct` among all verdicts, 0..1 (unreadable counts as not correct). NaN where there is none. */
export function accuracy(verdicts: readonly Verdict[]): number {
  return mean(verdicts.map((verdict) => Number(verdict === 'correct')));
}

/** Share of `unreadable` among all verdicts, 0..1. NaN where there is none. */
export function unreadableRate(verdicts: readonly Verdict[]): number {
  return mean(verdicts.map((verdict) => Number(verdict === 'unreadable')));
}

/** Plain Pass@K: share of problems with a correct one among their first k samples. Needs k samples a problem. */
export function passAtK(samples: Samples, k: number): number {
  return mean(samples.map((problem) => passAtKOf(problem, k)));
}

/** Mean of `unbiasedPassAtKOf` over the problems, from all samples that each has. */
export function unbiasedPassAtK(samples: Samples, k: number): number {
  return mean(samples.map((problem) => unbiasedPassAtKOf(problem.length, countCorrect(problem), k)));
}

/** What sampling could still gain: Pass@K minus greedy accuracy. */
export function explorationGap(passRate: number, greedyAccuracy: number): number {
  return passRate - greedyAccuracy;
}

/** Reward-Pass@k: share of problems with a correct one among the k samples of highest reward; no filter by the gold answer. */
export function rewardPassAtK(samples: Samples, k: number): number {
  return mean(samples.map((problem) => rewardPassAtKOf(problem, k)));
}

/** Best-of-N: accuracy of the sample of highest reward among the first n. */
export function bestOfN(samples: Samples, n: number): number {
  return mean(samples.map((problem) => bestOfNOf(problem, n)));
}

/** Accuracy of the majority answer of the first n samples. */
export function majorityAccuracy(samples: Samples, n: number): number {
  return mean(samples.map((problem) => majorityOf(problem, n)));
}

/** Accuracy of the answer with the greatest sum of rewards among the first n samples. */
export function weightedVoteAccuracy(samples: Samples, n: number): number {
  return mean(samples.map((problem) => weightedVoteOf(problem, n)));
}

/**
 * Area under the ROC curve: chance that a random positive scores above a random negative, ties counted half.
 * @returns NaN where one of the two classes is empty
 */
export function auc(scores: ArrayLike<number>, positive: readonly boolean[]): number {
  if (scores.length !== positive.length) throw new RangeError(`${scores.length} scores for ${positive.length} labels`);
  const order = positive.map((_, i) => i).sort((a, b) => (scores[a] as number) - (scores[b] as number));
  let rankSum = 0;
  let positives = 0;
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && scores[order[end] as number] === scores[order[start] as number]) end++;
    const meanRank = (start + 1 + end) / 2;
    for (let i = start; i < end; i++) {
      if (!positive[order[i] as number]) continue;
      positives++;
      rankSum += meanRank;
    }
    start = end;
  }
  const negatives = order.length - positives;
  return positives === 0 || negatives === 0
    ? Number.NaN
    : (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
