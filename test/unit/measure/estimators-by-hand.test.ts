// The paper's numbers from graded samples.
import { describe, expect, it } from 'vitest';
import { mean } from '../../../src/core/lists.js';
import {
  bestOfNOf,
  countCorrect,
  majorityOf,
  type ProblemSamples,
  passAtKOf,
  rewardPassAtKOf,
  type ScoredSample,
  unbiasedPassAtKOf,
  weightedVoteOf,
} from '../../../src/measure/estimators.js';

/** Samples of a problem from rows `[answer, reward]`; the answer `x` is correct, null is unreadable. */
function problem(...rows: [answer: string | null, reward: number][]): ScoredSample[] {
  return rows.map(([answer, reward]) => ({
    verdict: answer === null ? 'unreadable' : answer === 'x' ? 'correct' : 'wrong',
    answer,
    reward,
  }));
}

/** Mean over problems. */
const over = (problems: readonly ProblemSamples[], estimate: (problem: ProblemSamples) => number): number =>
  mean(problems.map(estimate));
const unbiased = (problems: readonly ProblemSamples[], k: number): number =>
  over(problems, (one) => unbiasedPassAtKOf(one.length, countCorrect(one), k));

const samples = [
  problem(['a', 0.9], ['x', 0.8], ['x', 0.1], ['a', 0.2]),
  problem(['a', 0.3], ['a', 0.2], ['b', 0.1], ['x', 0.9]),
  problem([null, 0.9], [null, 0.8], ['a', 0.7], ['a', 0.1]),
  problem(['x', 0.5], ['x', 0.5], ['a', 0.5], ['a', 0.6]),
];

describe('Pass@K', () => {
  it.each([
    [1, 0.25],
    [2, 0.5],
    [3, 0.5],
    [4, 0.75],
  ])('plain at %i looks at the first samples only', (k, rate) => {
    expect(over(samples, (one) => passAtKOf(one, k))).toBe(rate);
  });

  it.each([
    [4, 2, 1, 0.5],
    [4, 2, 2, 5 / 6],
    [4, 1, 2, 0.5],
    [16, 1, 16, 1],
    [16, 0, 8, 0],
    [5, 5, 1, 1],
    [4, 2, 3, 1],
  ])('unbiased of n = %i with %i correct at k = %i is %d', (n, c, k, rate) => {
    expect(unbiasedPassAtKOf(n, c, k)).toBeCloseTo(rate, 12);
  });

  it('unbiased equals the mean over all draws of k samples', () => {
    expect(unbiased(samples, 2)).toBeCloseTo((5 / 6 + 3 / 6 + 0 + 5 / 6) / 4, 12);
  });

  it('refuses more samples than there are', () => {
    expect(() => over(samples, (one) => passAtKOf(one, 5))).toThrow('a problem has 4 samples, wanted at least 5');
    expect(() => unbiased(samples, 5)).toThrow('pass@5 of 2 correct in 4 is not defined');
    expect(() => unbiasedPassAtKOf(4, 1, 0)).toThrow('not defined');
  });
});

describe('metrics by reward', () => {
  it.each([
    [1, 0.25],
    [2, 0.75],
    [3, 0.75],
  ])('Reward-Pass@%i takes the highest rewards, ties by sample index', (k, rate) => {
    expect(over(samples, (one) => rewardPassAtKOf(one, k))).toBe(rate);
  });

  it.each([
    [1, 0.25],
    [3, 0.25],
    [4, 0.25],
  ])('best of %i is the first sample with the highest reward', (n, rate) => {
    expect(over(samples, (one) => bestOfNOf(one, n))).toBe(rate);
  });

  it('ranks a reward that is not a number last', () => {
    expect(over([problem(['a', Number.NaN], ['x', -1])], (one) => bestOfNOf(one, 2))).toBe(1);
  });
});

describe('voting', () => {
  it.each([
    [1, 0.25, 0.25],
    [3, 0.5, 0.25],
    [4, 0.25, 0.25],
  ])('over %i samples', (n, majority, weighted) => {
    expect(over(samples, (one) => majorityOf(one, n))).toBe(majority);
    expect(over(samples, (one) => weightedVoteOf(one, n))).toBe(weighted);
  });
});
