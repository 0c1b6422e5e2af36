// What one problem gives to each measure of sampled responses (P11, P13): a number of 0..1, from its graded and scored
// samples. Tie rules: docs/evaluation.md.
import type { Verdict } from '../core/types.js';
import { byReward, majorityVote, type Vote, weightedVote } from '../reward/vote.js';

/** One sample of a problem. */
export interface ScoredSample {
  readonly verdict: Verdict;
  /** Normalised answer; null where unreadable: such a sample has no vote. */
  readonly answer: string | null;
  /** PRM reward; only the measures that rank or weight read it. */
  readonly reward: number;
}

/** The samples of a problem in sample order. */
export type ProblemSamples = readonly ScoredSample[];

/** Samples of a problem that has none: none is readable. */
export function silentSamples(n: number): ProblemSamples {
  return Array.from({ length: n }, () => ({ verdict: 'unreadable', answer: null, reward: Number.NaN }));
}

/** Share of correct samples. NaN where there are none. */
export function shareCorrect(problem: ProblemSamples): number {
  return countCorrect(problem) / problem.length;
}

/** Plain Pass@k: 1 where a correct one is among the first k samples. Needs k samples. */
export function passAtKOf(problem: ProblemSamples, k: number): number {
  return Number(first(problem, k).some(isCorrect));
}

/**
 * Unbiased Pass@k of a problem: 1 - C(n - c, k) / C(n, k), the chance that k of its n samples hold one of the c correct.
 * @throws RangeError unless 1 <= k <= n and 0 <= c <= n
 */
export function unbiasedPassAtKOf(n: number, c: number, k: number): number {
  if (!(k >= 1 && k <= n && c >= 0 && c <= n)) throw new RangeError(`pass@${k} of ${c} correct in ${n} is not defined`);
  if (n - c < k) return 1;
  // The quotient as a product: binomial coefficients of a few hundred samples leave the range of a double.
  let allWrong = 1;
  for (let i = n - c + 1; i <= n; i++) allWrong *= 1 - k / i;
  return 1 - allWrong;
}

/** Best-of-n: 1 where the sample of highest reward among the first n is correct; ties go to the lower sample index. */
export function bestOfNOf(problem: ProblemSamples, n: number): number {
  return Number(byReward(first(problem, n)).slice(0, 1).some(isCorrect));
}

/** Reward-Pass@k: 1 where a correct one is among the k samples of highest reward, of all samples; ties as in `bestOfNOf`. */
export function rewardPassAtKOf(problem: ProblemSamples, k: number): number {
  return Number(byReward(problem).slice(0, k).some(isCorrect));
}

/** 1 where the most frequent answer of the first n samples is correct; 0 where no sample has a vote. */
export function majorityOf(problem: ProblemSamples, n: number): number {
  return voted(problem, n, (samples) => majorityVote(samples.map(({ answer }) => answer)));
}

/** 1 where the answer with the greatest sum of rewards among the first n samples is correct; no reward, or one below zero, weighs nothing. */
export function weightedVoteOf(problem: ProblemSamples, n: number): number {
  return voted(problem, n, (samples) =>
    weightedVote(
      samples.map(({ answer }) => answer),
      samples.map(({ reward }) => reward),
    ),
  );
}

export function countCorrect(problem: ProblemSamples): number {
  return problem.filter(isCorrect).length;
}

/** An answer is judged by the first sample that gave it. */
function voted(problem: ProblemSamples, n: number, vote: (samples: ProblemSamples) => Vote | null): number {
  const samples = first(problem, n);
  const winner = vote(samples);
  return Number(winner !== null && isCorrect(samples[winner.sample] as ScoredSample));
}

function first(problem: ProblemSamples, n: number): ProblemSamples {
  if (problem.length < n) throw new RangeError(`a problem has ${problem.length} samples, wanted at least ${n}`);
  return problem.slice(0, n);
}

function isCorrect({ verdict }: ScoredSample): boolean {
  return verdict === 'correct';
}
