import { expect, test } from 'vitest';
import { estimate, pairedEstimate } from '../../../src/measure/seeds.js';

test('the interval of a mean is that of Student, as a textbook example has it', () => {
  // Mean 5, standard deviation 1.5811, standard error 0.7071, t(4) = 2.776.
  const { mean, low, high } = estimate([3, 4, 5, 6, 7]);
  expect(mean).toBe(5);
  expect(low).toBeCloseTo(5 - 2.776 * Math.sqrt(0.5), 10);
  expect(high).toBeCloseTo(5 + 2.776 * Math.sqrt(0.5), 10);
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
