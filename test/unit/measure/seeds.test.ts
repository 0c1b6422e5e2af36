import { describe, expect, test } from 'vitest';
import { estimate, holm, pairedEstimate, pooledDifference, residualOf } from '../../../src/measure/seeds.js';

test('the interval of a mean is that of Student, as a textbook example has it', () => {
  // Mean 5, standard deviation 1.5811, standard error 0.7071, t(4) = 2.776.
  const { mean, low, high } = estimate([3, 4, 5, 6, 7]);
  expect(mean).toBe(5);
  expect(low).toBeCloseTo(5 - 2.7764451 * Math.sqrt(0.5), 6);
  expect(high).toBeCloseTo(5 + 2.7764451 * Math.sqrt(0.5), 6);
});

test('one value has no interval, none is refused', () => {
  expect(estimate([0.4])).toEqual({ mean: 0.4, low: null, high: null, values: [0.4] });
  expect(() => estimate([])).toThrow(RangeError);
});

test('pairing by seed takes out what the seeds have in common', () => {
  const { mean, low, high } = pairedEstimate([0.5, 0.7, 0.9], [0.4, 0.6, 0.8]);
  expect(mean).toBeCloseTo(0.1, 12);
  expect((high as number) - (low as number)).toBeLessThan(1e-9);
  expect(() => pairedEstimate([1], [1, 2])).toThrow('1 values against 2');
});

describe('the spread of runs, pooled over rows and seeds', () => {
  test('is what is left when rows and seeds have their means', () => {
    // Row means 4 and 6, seed means 3, 5 and 7: what is left is +1, 0, -1 and -1, 0, +1, on two degrees of freedom.
    expect(
      residualOf([
        [3, 4, 5],
        [3, 6, 9],
      ]),
    ).toEqual({ sd: Math.sqrt(2), freedom: 2 });
    expect(residualOf([[1, 2]])).toBeNull();
    expect(residualOf([[1], [2]])).toBeNull();
  });

  test('of two rows alone gives the paired interval over seeds, and its p', () => {
    const [a, b] = [
      [0.5, 0.72, 0.9, 0.61],
      [0.4, 0.6, 0.81, 0.6],
    ];
    const { mean, low, high } = pairedEstimate(a as number[], b as number[]);
    const pooled = pooledDifference(
      mean,
      4,
      residualOf([a, b] as number[][]) as NonNullable<ReturnType<typeof residualOf>>,
    );
    expect(pooled.low).toBeCloseTo(low as number, 9);
    expect(pooled.high).toBeCloseTo(high as number, 9);
    // A 95 % interval ends where p is 0.05.
    expect(pooled.p(low as number)).toBeCloseTo(0.05, 6);
    expect(pooled.p(mean)).toBeCloseTo(1, 6);
  });

  test('of rows that agree in every digit is nothing, and any difference then certain', () => {
    const none = { sd: 0, freedom: 2 };
    expect([pooledDifference(0, 3, none).p(0), pooledDifference(0.1, 3, none).p(0)]).toEqual([1, 0]);
  });
});

test('Holm adjusts from the smallest p up, each by the number that is left, never below the one before', () => {
  // The example of Holm's procedure with four tests: 0.005, 0.01, 0.03, 0.04.
  expect(holm([0.01, 0.04, 0.03, 0.005]).map((p) => Number(p.toFixed(6)))).toEqual([0.03, 0.06, 0.06, 0.02]);
  expect(holm([0.9, 0.8])).toEqual([1, 1]);
  expect(holm([])).toEqual([]);
});
