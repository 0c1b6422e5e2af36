// Bootstrap intervals against all resamples of small lists, and against what is known of means.
import { describe, expect, it } from 'vitest';
import {
  bootstrapInterval,
  bootstrapIntervals,
  type Interval,
  pairedDifferences,
} from '../../../src/measure/bootstrap.js';

describe('an interval', () => {
  it('comes near the quantiles of the means of all n^n resamples', () => {
    const values = [0, 0.3, 1, 0.7, 0.1];
    const means: number[] = [];
    for (let code = 0; code < 5 ** 5; code++) {
      let sum = 0;
      for (let rest = code, i = 0; i < 5; i++, rest = Math.floor(rest / 5)) sum += values[rest % 5] as number;
      means.push(sum / 5);
    }
    means.sort((a, b) => a - b);
    const { mean, low, high } = bootstrapInterval(values, { resamples: 20_000, seed: 3 });
    expect(mean).toBeCloseTo(0.42, 12);
    expect(Math.abs(low - (means[Math.floor(0.025 * means.length)] as number))).toBeLessThan(0.02);
    expect(Math.abs(high - (means[Math.floor(0.975 * means.length)] as number))).toBeLessThan(0.02);
  });

  it('is the same for a measure alone and beside others', () => {
    const [a, b] = [
      [0.93, 0.07, 0.81, 0.64, 0.22, 0.51],
      [0, 0, 1, 0.25, 1, 1],
    ];
    const options = { seed: 9, resamples: 200 };
    expect(bootstrapIntervals([a, b], options)).toEqual([bootstrapInterval(a, options), bootstrapInterval(b, options)]);
    expect(bootstrapInterval(a, { seed: 10, resamples: 200 })).not.toEqual(bootstrapInterval(a, options));
  });

  it('has no width where all problems are alike', () => {
    expect(bootstrapInterval([1, 1, 1])).toEqual({ mean: 1, low: 1, high: 1 });
  });

  it('needs problems, the same for all measures', () => {
    expect(() => bootstrapInterval([])).toThrow('no values to resample');
    expect(() => bootstrapIntervals([[1], [1, 0]])).toThrow('different numbers of problems');
    expect(() => pairedDifferences([[[1], [1, 0]]])).toThrow('1 values against 2');
  });
});

describe('a paired difference', () => {
  it('is narrower than two intervals apart where the problems agree', () => {
    const easy = Array.from({ length: 60 }, (_, i) => Number(i % 2 === 0));
    const better = easy.map((value, i) => (i < 6 ? 1 : value));
    const [difference] = pairedDifferences([[better, easy]], { seed: 1 });
    const { mean, low, high } = difference as Interval;
    expect(mean).toBeCloseTo(3 / 60, 12);
    expect(low).toBeGreaterThanOrEqual(0);
    const [one, two] = [bootstrapInterval(better, { seed: 1 }), bootstrapInterval(easy, { seed: 1 })];
    expect(high - low).toBeLessThan((one.high - one.low + two.high - two.low) / 2);
  });

  it('of a measure and itself is exactly zero', () => {
    const same = [0, 1, 1];
    expect(pairedDifferences([[same, same]])).toEqual([{ mean: 0, low: 0, high: 0 }]);
    expect(pairedDifferences([])).toEqual([]);
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
