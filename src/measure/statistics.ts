// Statistics of values that lie in groups, one per problem, in a form that a bootstrap over problems can ask again
// and again.
import { mean } from '../core/lists.js';

/** A number from how often each problem counts. NaN where it is not defined. */
export type Statistic = (times: ArrayLike<number>) => number;

/** Sum of `above` by the sum of `below`, one value of each per problem: a mean over things that problems have different numbers of. */
export function ratio(above: ArrayLike<number>, below: ArrayLike<number>): Statistic {
  if (above.length !== below.length) throw new RangeError(`${above.length} values against ${below.length}`);
  return (times) => {
    let [top, bottom] = [0, 0];
    for (let i = 0; i < above.length; i++) {
      top += (times[i] as number) * (above[i] as number);
      bottom += (times[i] as number) * (below[i] as number);
    }
    return top / bottom;
  };
}

/** What one statistic has more than another. */
export function minus(first: Statistic, second: Statistic): Statistic {
  return (times) => first(times) - second(times);
}

/** A value with its class. */
export interface Scored {
  readonly score: number;
  readonly positive: boolean;
}

/**
 * Area under the ROC curve over the values of all problems together, ties counted half: the chance that
 * a random positive scores above a random negative. NaN where one of the two classes is empty.
 */
export function groupedAuc(groups: readonly (readonly Scored[])[]): Statistic {
  // Sorted once: a resample only changes how often a value counts.
  const values = groups.flatMap((group, problem) => group.map(({ score, positive }) => ({ score, positive, problem })));
  values.sort((a, b) => a.score - b.score);
  return (times) => {
    let [wins, positives, negatives] = [0, 0, 0];
    for (let start = 0; start < values.length; ) {
      let end = start;
      let [tiedPositives, tiedNegatives] = [0, 0];
      for (; end < values.length && values[end]?.score === values[start]?.score; end++) {
        const { positive, problem } = values[end] as (typeof values)[number];
        if (positive) tiedPositives += times[problem] as number;
        else tiedNegatives += times[problem] as number;
      }
      wins += tiedPositives * (negatives + tiedNegatives / 2);
      positives += tiedPositives;
      negatives += tiedNegatives;
      start = end;
    }
    return wins / (positives * negatives);
  };
}

/** Pearson's correlation over the pairs of all problems together. */
export function groupedCorrelation(groups: readonly (readonly (readonly [x: number, y: number])[])[]): Statistic {
  // About the means of all, so that the sums of squares stay small.
  const pairs = groups.flat();
  const [meanX, meanY] = [mean(pairs.map(([x]) => x)), mean(pairs.map(([, y]) => y))];
  const sums = groups.map((group) => {
    const sum = { n: group.length, x: 0, y: 0, xx: 0, yy: 0, xy: 0 };
    for (const [rawX, rawY] of group) {
      const [x, y] = [rawX - meanX, rawY - meanY];
      sum.x += x;
      sum.y += y;
      sum.xx += x * x;
      sum.yy += y * y;
      sum.xy += x * y;
    }
    return sum;
  });
  return (times) => {
    const total = { n: 0, x: 0, y: 0, xx: 0, yy: 0, xy: 0 };
    for (const [i, sum] of sums.entries())
      for (const key of ['n', 'x', 'y', 'xx', 'yy', 'xy'] as const) total[key] += (times[i] as number) * sum[key];
    const { n, x, y, xx, yy, xy } = total;
    const [varianceX, varianceY] = [n * xx - x * x, n * yy - y * y];
    return varianceX > 0 && varianceY > 0 ? (n * xy - x * y) / Math.sqrt(varianceX * varianceY) : Number.NaN;
  };
}

/** Every problem counts once. */
export function once(problems: number): Uint8Array {
  return new Uint8Array(problems).fill(1);
}
