// The paper's numbers from graded samples.
import { describe, expect, it } from 'vitest';
import { bootstrapInterval } from '../../../src/measure/bootstrap.js';
import { type ScoredSample, unbiasedPassAtKOf } from '../../../src/measure/estimators.js';
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
} from '../../../src/measure/metrics.js';

/** Samples of a problem from rows `[answer, reward]`; the answer `x` is correct, null is unreadable. */
function problem(...rows: [answer: string | null, reward: number][]): ScoredSample[] {
  return rows.map(([answer, reward]) => ({
    verdict: answer === null ? 'unreadable' : answer === 'x' ? 'correct' : 'wrong',
    answer,
    reward,
  }));
}

const samples = [
  problem(['a', 0.9], ['x', 0.8], ['x', 0.1], ['a', 0.2]),
  problem(['a', 0.3], ['a', 0.2], ['b', 0.1], ['x', 0.9]),
  problem([null, 0.9], [null, 0.8], ['a', 0.7], ['a', 0.1]),
  problem(['x', 0.5], ['x', 0.5], ['a', 0.5], ['a', 0.6]),
];

describe('rates', () => {
  it('count unreadable answers as not correct and apart', () => {
    const verdicts = ['correct', 'wrong', 'unreadable', 'correct'] as const;
    expect([accuracy(verdicts), unreadableRate(verdicts)]).toEqual([0.5, 0.25]);
    expect([accuracy([]), unreadableRate([])]).toEqual([Number.NaN, Number.NaN]);
  });
});

describe('Pass@K', () => {
  it.each([
    [1, 0.25],
    [2, 0.5],
    [3, 0.5],
    [4, 0.75],
  ])('plain at %i looks at the first samples only', (k, rate) => {
    expect(passAtK(samples, k)).toBe(rate);
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
    expect(unbiasedPassAtK(samples, 2)).toBeCloseTo((5 / 6 + 3 / 6 + 0 + 5 / 6) / 4, 12);
  });

  it('minus greedy accuracy is what sampling could still gain', () => {
    expect(explorationGap(0.75, 0.5)).toBe(0.25);
  });

  it('refuses more samples than there are', () => {
    expect(() => passAtK(samples, 5)).toThrow('a problem has 4 samples, wanted at least 5');
    expect(() => unbiasedPassAtK(samples, 5)).toThrow('pass@5 of 2 correct in 4 is not defined');
    expect(() => unbiasedPassAtKOf(4, 1, 0)).toThrow('not defined');
  });
});

describe('metrics by reward', () => {
  it.each([
    [1, 0.25],
    [2, 0.75],
    [3, 0.75],
  ])('Reward-Pass@%i takes the highest rewards, ties by sample index', (k, rate) => {
    expect(rewardPassAtK(samples, k)).toBe(rate);
  });

  it.each([
    [1, 0.25],
    [3, 0.25],
    [4, 0.25],
  ])('best of %i is the first sample with the highest reward', (n, rate) => {
    expect(bestOfN(samples, n)).toBe(rate);
  });

  it('ranks a reward that is not a number last', () => {
    expect(bestOfN([problem(['a', Number.NaN], ['x', -1])], 2)).toBe(1);
  });
});

describe('voting', () => {
  it.each([
    [1, 0.25, 0.25],
    [3, 0.5, 0.25],
    [4, 0.25, 0.25],
  ])('over %i samples', (n, majority, weighted) => {
    expect(majorityAccuracy(samples, n)).toBe(majority);
    expect(weightedVoteAccuracy(samples, n)).toBe(weighted);
  });
});

describe('auc', () => {
  it.each([
    [[0.1, 0.4, 0.35, 0.8], [false, false, true, true], 0.75],
    [[1, 2, 3], [false, true, true], 1],
    [[3, 2, 1], [false, true, true], 0],
    [[1, 1, 1, 1], [false, true, true, false], 0.5],
    [[1, 1, 2], [false, true, true], 0.75],
    [[1, 2], [true, true], Number.NaN],
    [[], [], Number.NaN],
  ])('of scores %j with positives %j is %d', (scores, positive, area) => {
    expect(auc(scores, positive)).toBe(area);
  });

  it('refuses lists of different length', () => {
    expect(() => auc([1], [])).toThrow('1 scores for 0 labels');
  });
});

describe('bootstrapInterval', () => {
  const values = Array.from({ length: 400 }, (_, i) => (i % 4 === 0 ? 1 : 0));

  it('is close to the normal interval for a share', () => {
    const interval = bootstrapInterval(values, { resamples: 2000 });
    const half = 1.96 * Math.sqrt((0.25 * 0.75) / 400);
    expect(interval.mean).toBe(0.25);
    expect(Math.abs(interval.low - (0.25 - half))).toBeLessThan(0.006);
    expect(Math.abs(interval.high - (0.25 + half))).toBeLessThan(0.006);
  });

  it('is the same for the same seed, another for another, wider for a higher level', () => {
    const first = bootstrapInterval(values, { seed: 3 });
    expect(bootstrapInterval(values, { seed: 3 })).toEqual(first);
    expect(bootstrapInterval(values, { seed: 4 })).not.toEqual(first);
    const wide = bootstrapInterval(values, { seed: 3, level: 0.99 });
    expect(wide.high - wide.low).toBeGreaterThan(first.high - first.low);
  });

  it('has no width where all values are equal, and refuses an empty list', () => {
    expect(bootstrapInterval([1, 1, 1])).toEqual({ mean: 1, low: 1, high: 1 });
    expect(() => bootstrapInterval([])).toThrow('no values to resample');
  });
});
