// Means over seeds with their 95 % intervals, by Student's t: few seeds, wide intervals.
import { mean as meanOf, sum } from '../core/lists.js';

export interface Estimate {
  readonly mean: number;
  /** Ends of the 95 % interval; null with fewer than two values. */
  readonly low: number | null;
  readonly high: number | null;
  /** In the order of the seeds. */
  readonly values: readonly number[];
}

/** 97.5 % quantile of Student's t by degrees of freedom, from 1; beyond the list that of the last is near enough. */
const QUANTILES = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/** @throws RangeError where there is no value */
export function estimate(values: readonly number[]): Estimate {
  const n = values.length;
  if (n === 0) throw new RangeError('no value to estimate a mean from');
  const mean = meanOf(values);
  if (n === 1) return { mean, low: null, high: null, values };
  const variance = sum(values.map((value) => (value - mean) ** 2)) / (n - 1);
  const quantile = QUANTILES[Math.min(n - 1, QUANTILES.length) - 1] as number;
  const half = quantile * Math.sqrt(variance / n);
  return { mean, low: mean - half, high: mean + half, values };
}

/** The mean of the differences `a - b` of values of the same seeds. */
export function pairedEstimate(a: readonly number[], b: readonly number[]): Estimate {
  if (a.length !== b.length) throw new RangeError(`${a.length} values against ${b.length}`);
  return estimate(a.map((value, i) => value - (b[i] as number)));
}
