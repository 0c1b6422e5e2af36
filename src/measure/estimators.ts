// What one question gives to each measure of sampled responses (P11, P13): a number of 0..1, from its graded and scored
// samples. Tie rules: docs/evaluation.md.
import type { Verdict } from '../core/types.js';
import { majorityVote, type Vote, weightedVote } from '../reward/vote.js';

/** One sample of a question. */
export interface ScoredSample {
  readonly verdict: Verdict;
  /** Normalised answer; null where unreadable: such a sample has no vote. */
  readonly answer: string | null;
  /** PRM reward; only the measures that rank or weight read it. */
  readonly reward: number;
}

/** The samples of a question in sample order. */
export type Question = readonly ScoredSample[];

/** Share of correct samples. NaN where there are none. */
export function shareCorrect(question: Question): number {
  return countCorrect(question) / question.length;
}

/** Plain Pass@k: 1 where a correct one is among the first k samples. Needs k samples. */
export function passAtKOf(question: Question, k: number): number {
  return Number(first(question, k).some(isCorrect));
}

/**
 * Unbiased Pass@k of a question: 1 - C(n - c, k) / C(n, k), the chance that k of its n samples hold one of the c correct.
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
export function bestOfNOf(question: Question, n: number): number {
  return Number(ranked(first(question, n)).slice(0, 1).some(isCorrect));
}

/** Reward-Pass@k: 1 where a correct one is among the k samples of highest reward, of all samples; ties as in `bestOfNOf`. */
export function rewardPassAtKOf(question: Question, k: number): number {
  return Number(ranked(question).slice(0, k).some(isCorrect));
}

/** 1 where the most frequent answer of the first n samples is correct; 0 where no sample has a vote. */
export function majorityOf(question: Question, n: number): number {
  return voted(question, n, (samples) => majorityVote(samples.map(({ answer }) => answer)));
}

/** 1 where the answer with the greatest sum of rewards among the first n samples is correct; no reward weighs nothing. */
export function weightedVoteOf(question: Question, n: number): number {
  return voted(question, n, (samples) =>
    weightedVote(
      samples.map(({ answer }) => answer),
      samples.map(({ reward }) => (Number.isNaN(reward) ? 0 : reward)),
    ),
  );
}

export function countCorrect(question: Question): number {
  return question.filter(isCorrect).length;
}

/** An answer is judged by the first sample that gave it. */
function voted(question: Question, n: number, vote: (samples: Question) => Vote | null): number {
  const samples = first(question, n);
  const winner = vote(samples);
  return Number(winner !== null && isCorrect(samples[winner.sample] as ScoredSample));
}

function first(question: Question, n: number): Question {
  if (question.length < n) throw new RangeError(`a question has ${question.length} samples, wanted at least ${n}`);
  return question.slice(0, n);
}

/** Highest reward first; the sort is stable, so equal rewards keep their sample order. NaN ranks last. */
function ranked(question: Question): Question {
  const rank = (reward: number): number => (Number.isNaN(reward) ? Number.NEGATIVE_INFINITY : reward);
  return [...question].sort((a, b) => {
    const [x, y] = [rank(a.reward), rank(b.reward)];
    return x === y ? 0 : x > y ? -1 : 1;
  });
}

function isCorrect({ verdict }: ScoredSample): boolean {
  return verdict === 'correct';
}
