// Percentile bootstrap over problems: intervals of means and of paired differences. Seeded.
import { random } from '../core/random.js';

export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** What the reports take. */
export const BOOTSTRAP = { level: 0.95, resamples: 1000 };

export interface BootstrapOptions {
  /** Share of resamples inside the interval; 0.95. */
  readonly level?: number;
  /** 1000. */
  readonly resamples?: number;
  /** 0. The same seed, the same interval. */
  readonly seed?: number;
}

/**
 * Percentile bootstrap interval of the mean of per-problem values.
 * @param values one value per problem, at least one
 * @throws RangeError where there is none
 */
export function bootstrapInterval(values: ArrayLike<number>, options: BootstrapOptions = {}): Interval {
  return bootstrapIntervals([values], options)[0] as Interval;
}

/**
 * As `bootstrapInterval` for several measures of the same problems, all over the same resamples.
 * @param measures [measure][problem], all of one length
 */
export function bootstrapIntervals(
  measures: readonly ArrayLike<number>[],
  { level = BOOTSTRAP.level, resamples = BOOTSTRAP.resamples, seed = 0 }: BootstrapOptions = {},
): Interval[] {
  const [{ length: n } = { length: 0 }] = measures;
  if (n === 0) throw new RangeError('no values to resample');
  if (measures.some(({ length }) => length !== n)) throw new RangeError('measures of different numbers of problems');
  const draw = random(seed, 'bootstrap');
  const means = measures.map(() => new Float64Array(resamples));
  const drawn = new Uint32Array(n);
  for (let resample = 0; resample < resamples; resample++) {
    for (let i = 0; i < n; i++) drawn[i] = draw.below(resample * n + i, n);
    for (const [m, values] of measures.entries()) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += values[drawn[i] as number] as number;
      (means[m] as Float64Array)[resample] = sum / n;
    }
  }
  return measures.map((values, m) => {
    const ascending = (means[m] as Float64Array).sort();
    const mean = Array.from(values).reduce((sum, value) => sum + value, 0) / n;
    return { mean, ...ends(ascending, level) };
  });
}

/**
 * Intervals of the means of `a - b`, problem by problem: both sides of a pair see the same resamples.
 * @param pairs [pair][a, b], each one value per problem
 * @throws RangeError where there are no problems, or sides differ in length
 */
export function pairedDifferences(
  pairs: readonly (readonly [ArrayLike<number>, ArrayLike<number>])[],
  options: BootstrapOptions = {},
): Interval[] {
  const differences = pairs.map(([a, b]) => {
    if (a.length !== b.length) throw new RangeError(`${a.length} values against ${b.length}`);
    return Float64Array.from(a, (value, i) => value - (b[i] as number));
  });
  return differences.length === 0 ? [] : bootstrapIntervals(differences, options);
}

/**
 * Intervals of statistics that are not means of one value per problem, all over the same resamples: those of
 * `bootstrapIntervals` for as many problems. Resamples in which a statistic is NaN are left out of its interval.
 * @param statistics each is told how often every problem counts: once, or as often as it was drawn
 * @returns null where a statistic is NaN on the problems as they are
 */
export function bootstrapStatistics(
  problems: number,
  statistics: readonly ((times: ArrayLike<number>) => number)[],
  { level = BOOTSTRAP.level, resamples = BOOTSTRAP.resamples, seed = 0 }: BootstrapOptions = {},
): (Interval | null)[] {
  if (problems === 0) throw new RangeError('no problems to resample');
  const draw = random(seed, 'bootstrap');
  const values = statistics.map((): number[] => []);
  const times = new Uint32Array(problems);
  for (let resample = 0; resample < resamples; resample++) {
    times.fill(0);
    for (let i = 0; i < problems; i++) (times[draw.below(resample * problems + i, problems)] as number)++;
    for (const [s, statistic] of statistics.entries()) {
      const value = statistic(times);
      if (!Number.isNaN(value)) (values[s] as number[]).push(value);
    }
  }
  times.fill(1);
  return statistics.map((statistic, s) => {
    const mean = statistic(times);
    if (Number.isNaN(mean)) return null;
    const ascending = (values[s] as number[]).sort((a, b) => a - b);
    if (ascending.length === 0) return { mean, low: mean, high: mean };
    return { mean, ...ends(ascending, level) };
  });
}

/** The ends of the middle part of an ascending list, with linear interpolation between its values. */
function ends(ascending: ArrayLike<number>, level: number): Omit<Interval, 'mean'> {
  const at = (share: number): number => {
    const place = share * (ascending.length - 1);
    const below = Math.floor(place);
    const low = ascending[below] as number;
    const high = ascending[Math.min(below + 1, ascending.length - 1)] as number;
    return low + (high - low) * (place - below);
  };
  return { low: at((1 - level) / 2), high: at((1 + level) / 2) };
}
