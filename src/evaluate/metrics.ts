// The numbers of the paper (P11, P13) from graded and scored samples, as pure functions.
// Leaves sampling, grading and scoring to others; ties always go to the lower sample index.
import { random } from '../core/random.js';
import type { Verdict } from '../core/types.js';
import { majorityVote, type Vote, weightedVote } from '../reward/vote.js';

/** One sample of a question. */
export interface ScoredSample {
  readonly verdict: Verdict;
  /** Normalised answer; null where unreadable. */
  readonly answer: string | null;
  /** PRM reward; only the metrics that rank or weight read it. */
  readonly reward: number;
}

/** Samples of each question in sample order: [question][sample]. */
export type Samples = readonly (readonly ScoredSample[])[];

/** Share of `correct` among all verdicts, 0..1 (unreadable counts as not correct). NaN where there is none. */
export function accuracy(verdicts: readonly Verdict[]): number {
  return mean(verdicts.map(isCorrect));
}

/** Share of `unreadable` among all verdicts, 0..1. NaN where there is none. */
export function unreadableRate(verdicts: readonly Verdict[]): number {
  return mean(verdicts.map((verdict) => (verdict === 'unreadable' ? 1 : 0)));
}

/** Plain Pass@K: share of questions with a correct one among their first k samples. Needs k samples a question. */
export function passAtK(samples: Samples, k: number): number {
  return mean(samples.map((question) => (first(question, k).some(correct) ? 1 : 0)));
}

/** Unbiased Pass@K of one question: 1 - C(n - c, k) / C(n, k) for c correct of n samples. */
export function unbiasedPassAtKOf(n: number, c: number, k: number): number {
  if (!(k >= 1 && k <= n && c >= 0 && c <= n)) throw new RangeError(`pass@${k} of ${c} correct in ${n} is not defined`);
  if (n - c < k) return 1;
  let allWrong = 1;
  for (let i = n - c + 1; i <= n; i++) allWrong *= 1 - k / i;
  return 1 - allWrong;
}

/** Mean of `unbiasedPassAtKOf` over the questions, from all samples that each has. */
export function unbiasedPassAtK(samples: Samples, k: number): number {
  return mean(samples.map((question) => unbiasedPassAtKOf(question.length, question.filter(correct).length, k)));
}

/** What sampling could still gain: Pass@K minus greedy accuracy. */
export function explorationGap(passRate: number, greedyAccuracy: number): number {
  return passRate - greedyAccuracy;
}

/** Reward-Pass@k: share of questions with a correct one among the k samples of highest reward; no filter by the gold answer. */
export function rewardPassAtK(samples: Samples, k: number): number {
  return mean(samples.map((question) => (ranked(question).slice(0, k).some(correct) ? 1 : 0)));
}

/** Best-of-N: accuracy of the sample of highest reward among the first n. */
export function bestOfN(samples: Samples, n: number): number {
  return mean(samples.map((question) => (ranked(first(question, n)).slice(0, 1).some(correct) ? 1 : 0)));
}

/** Accuracy of the majority answer of the first n samples. */
export function majorityAccuracy(samples: Samples, n: number): number {
  return voteAccuracy(samples, n, (question) => majorityVote(question.map((sample) => sample.answer)));
}

/** Accuracy of the answer with the greatest sum of rewards among the first n samples. */
export function weightedVoteAccuracy(samples: Samples, n: number): number {
  return voteAccuracy(samples, n, (question) =>
    weightedVote(
      question.map((sample) => sample.answer),
      question.map((sample) => sample.reward),
    ),
  );
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

export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Percentile bootstrap interval of the mean of per-question values (0/1 for accuracies).
 * @param values one value per question, at least one
 * @param options `level` of confidence (0.95), `resamples` (1000), `seed` (0): same seed, same interval
 */
export function bootstrapInterval(
  values: ArrayLike<number>,
  options: { level?: number; resamples?: number; seed?: number } = {},
): Interval {
  const { level = 0.95, resamples = 1000, seed = 0 } = options;
  const n = values.length;
  if (n === 0) throw new RangeError('no values to resample');
  const draw = random(seed, 'bootstrap');
  const means = Array.from({ length: resamples }, (_, resample) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[draw.below(resample * n + i, n)] as number;
    return sum / n;
  }).sort((a, b) => a - b);
  return {
    mean: mean(Array.from(values)),
    low: quantile(means, (1 - level) / 2),
    high: quantile(means, (1 + level) / 2),
  };
}

/** Linear interpolation between order statistics of an ascending list. */
function quantile(ascending: readonly number[], share: number): number {
  const place = share * (ascending.length - 1);
  const below = Math.floor(place);
  const low = ascending[below] as number;
  const high = ascending[Math.min(below + 1, ascending.length - 1)] as number;
  return low + (high - low) * (place - below);
}

function voteAccuracy(samples: Samples, n: number, vote: (question: readonly ScoredSample[]) => Vote | null): number {
  return mean(
    samples.map((question) => {
      const winner = vote(first(question, n));
      return winner !== null && correct(question[winner.sample] as ScoredSample) ? 1 : 0;
    }),
  );
}

function first(question: readonly ScoredSample[], n: number): readonly ScoredSample[] {
  if (question.length < n) throw new RangeError(`a question has ${question.length} samples, wanted at least ${n}`);
  return question.slice(0, n);
}

/** Highest reward first; the sort is stable, so equal rewards keep their sample order. NaN ranks last. */
function ranked(question: readonly ScoredSample[]): readonly ScoredSample[] {
  const rank = (reward: number): number => (Number.isNaN(reward) ? Number.NEGATIVE_INFINITY : reward);
  return [...question].sort((a, b) => {
    const [x, y] = [rank(a.reward), rank(b.reward)];
    return x === y ? 0 : x > y ? -1 : 1;
  });
}

function correct(sample: ScoredSample): boolean {
  return sample.verdict === 'correct';
}

function isCorrect(verdict: Verdict): number {
  return verdict === 'correct' ? 1 : 0;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
