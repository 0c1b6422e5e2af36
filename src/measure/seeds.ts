// Means over seeds with their 95 % intervals, by Student's t; the spread of runs pooled over all rows of an experiment, which
// makes more of few seeds; and what testing many contrasts at once costs.
import jstat from 'jstat';
import { mean as meanOf, sum } from '../core/lists.js';

const { studentt } = jstat.jStat;

export interface Estimate {
  readonly mean: number;
  /** Ends of the 95 % interval; null with fewer than two values. */
  readonly low: number | null;
  readonly high: number | null;
  /** In the order of the seeds. */
  readonly values: readonly number[];
}

/** @throws RangeError where there is no value */
export function estimate(values: readonly number[]): Estimate {
  const n = values.length;
  if (n === 0) throw new RangeError('no value to estimate a mean from');
  const mean = meanOf(values);
  if (n === 1) return { mean, low: null, high: null, values };
  const variance = sum(values.map((value) => (value - mean) ** 2)) / (n - 1);
  return { mean, ...around(mean, Math.sqrt(variance / n), n - 1), values };
}

/** The mean of the differences `a - b` of values of the same seeds. */
export function pairedEstimate(a: readonly number[], b: readonly number[]): Estimate {
  if (a.length !== b.length) throw new RangeError(`${a.length} values against ${b.length}`);
  return estimate(a.map((value, i) => value - (b[i] as number)));
}

/** What is left of the numbers of an experiment when each row and each seed has its mean. */
export interface Residual {
  /** Standard deviation of one run. */
  readonly sd: number;
  readonly freedom: number;
}

/**
 * Pools over rows and seeds, as the two-way analysis of variance without interaction does: every row is taken to vary alike.
 * @param rows [row][seed], all of one length
 * @returns null with fewer than two rows or two seeds
 */
export function residualOf(rows: readonly (readonly number[])[]): Residual | null {
  const seeds = rows[0]?.length ?? 0;
  if (rows.length < 2 || seeds < 2) return null;
  const all = meanOf(rows.flat());
  const ofSeed = Array.from({ length: seeds }, (_, seed) => meanOf(rows.map((row) => row[seed] as number)));
  const squares = rows.flatMap((row) => {
    const ofRow = meanOf(row);
    return row.map((value, seed) => (value - ofRow - (ofSeed[seed] as number) + all) ** 2);
  });
  const freedom = (rows.length - 1) * (seeds - 1);
  return { sd: Math.sqrt(sum(squares) / freedom), freedom };
}

/** A mean difference between two rows, by the pooled spread of single runs. */
export interface Pooled {
  readonly low: number;
  readonly high: number;
  /** Two-sided, that the true difference is `than`. */
  p(than: number): number;
}

/** @param mean over `seeds` paired seeds */
export function pooledDifference(mean: number, seeds: number, { sd, freedom }: Residual): Pooled {
  const error = sd * Math.sqrt(2 / seeds);
  const p = (than: number): number => {
    // Rows that agree in every digit leave no spread.
    if (error === 0) return mean === than ? 1 : 0;
    return 2 * studentt.cdf(-Math.abs(mean - than) / error, freedom);
  };
  return { ...around(mean, error, freedom), p };
}

/** Holm's step-down adjustment: with these, the chance of one false finding or more in the whole list is what is asked for. */
export function holm(ps: readonly number[]): number[] {
  const order = ps.map((_, i) => i).sort((a, b) => (ps[a] as number) - (ps[b] as number));
  const adjusted = new Array<number>(ps.length);
  let least = 0;
  for (const [rank, i] of order.entries()) {
    least = Math.max(least, Math.min(1, (ps.length - rank) * (ps[i] as number)));
    adjusted[i] = least;
  }
  return adjusted;
}

function around(mean: number, error: number, freedom: number): { readonly low: number; readonly high: number } {
  const half = studentt.inv(0.975, freedom) * error;
  return { low: mean - half, high: mean + half };
}
