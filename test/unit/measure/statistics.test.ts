// Statistics over groups against plain twins on the values written out as often as they count.
import { describe, expect, test } from 'vitest';
import { random } from '../../../src/core/random.js';
import { bootstrapIntervals, bootstrapStatistics } from '../../../src/measure/bootstrap.js';
import { groupedAuc, groupedCorrelation, minus, once, ratio, type Scored } from '../../../src/measure/statistics.js';

const draw = random(4, 'statistics');
const groups: Scored[][] = Array.from({ length: 12 }, (_, g) =>
  Array.from({ length: 1 + (g % 4) }, (_, i) => ({
    // Coarse, so that scores tie within and across groups.
    score: draw.below(100 * g + i, 6) / 5,
    positive: draw.uniform(5000 + 100 * g + i) < 0.4,
  })),
);
const times = Uint32Array.from(groups, (_, g) => draw.below(9000 + g, 4));
const repeated = groups.flatMap((group, g) => Array.from({ length: times[g] as number }, () => group).flat());

/** Every pair looked at. */
function plainAuc(values: readonly Scored[]): number {
  let [won, pairs] = [0, 0];
  for (const a of values.filter(({ positive }) => positive))
    for (const b of values.filter(({ positive }) => !positive)) {
      pairs++;
      won += a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0;
    }
  return won / pairs;
}

describe('the area under the ROC curve', () => {
  test('with weights is that of all pairs among the values written out as often', () => {
    expect(groupedAuc(groups)(times)).toBeCloseTo(plainAuc(repeated), 12);
  });

  test.each([
    [[0.1, 0.4, 0.35, 0.8], [false, false, true, true], 0.75],
    [[1, 2, 3], [false, true, true], 1],
    [[3, 2, 1], [false, true, true], 0],
    [[1, 1, 1, 1], [false, true, true, false], 0.5],
    [[1, 1, 2], [false, true, true], 0.75],
    [[1, 2], [true, true], Number.NaN],
    [[], [], Number.NaN],
  ])('of scores %j with positives %j is %d', (scores, positive, area) => {
    const group = scores.map((score, i) => ({ score, positive: positive[i] as boolean }));
    expect(groupedAuc([group])(once(1))).toBe(area);
  });

  test('where every group counts once is that of all pairs', () => {
    expect(groupedAuc(groups)(once(groups.length))).toBeCloseTo(plainAuc(groups.flat()), 12);
  });

  test('is not defined without both classes', () => {
    expect(groupedAuc([[{ score: 1, positive: true }]])([1])).toBeNaN();
    expect(groupedAuc([])([])).toBeNaN();
  });
});

describe('the correlation', () => {
  const pairs = groups.map((group, g) =>
    group.map(({ score }, i) => [score, score + draw.uniform(7000 + 10 * g + i)] as const),
  );

  test('with weights is that of the pairs written out as often', () => {
    const all = pairs.flatMap((group, g) => Array.from({ length: times[g] as number }, () => group).flat());
    const mean = (pick: 0 | 1): number => all.reduce((sum, pair) => sum + pair[pick], 0) / all.length;
    const [x, y] = [mean(0), mean(1)];
    const covariance = (a: 0 | 1, b: 0 | 1): number =>
      all.reduce((sum, pair) => sum + (pair[a] - (a ? y : x)) * (pair[b] - (b ? y : x)), 0);
    const plain = covariance(0, 1) / Math.sqrt(covariance(0, 0) * covariance(1, 1));
    expect(groupedCorrelation(pairs)(times)).toBeCloseTo(plain, 12);
  });

  test('of a line is 1 or -1, and not defined where one side is constant', () => {
    const line = (slope: number) =>
      groupedCorrelation([
        [
          [0, 1],
          [1, 1 + slope],
        ],
        [[3, 1 + 3 * slope]],
      ])([1, 1]);
    expect(line(2)).toBeCloseTo(1, 12);
    expect(line(-0.5)).toBeCloseTo(-1, 12);
    expect(
      groupedCorrelation([
        [
          [0, 1],
          [1, 1],
        ],
      ])([1]),
    ).toBeNaN();
  });
});

describe('a ratio of sums', () => {
  test('weighs problems by what they have, and differences are of the ratios', () => {
    expect(ratio([1, 4], [2, 4])([1, 1])).toBe(5 / 6);
    expect(ratio([1, 4], [2, 4])([3, 0])).toBe(0.5);
    expect(minus(ratio([1, 4], [2, 4]), ratio([0, 4], [2, 4]))([3, 1])).toBeCloseTo(7 / 10 - 4 / 10, 12);
    expect(ratio([0], [0])([1])).toBeNaN();
    expect(() => ratio([1], [1, 2])).toThrow('1 values against 2');
  });
});

describe('intervals of statistics', () => {
  test('of a mean are those of bootstrapIntervals: the same problems are drawn', () => {
    const values = [0.93, 0.07, 0.81, 0.64, 0.22, 0.51];
    const options = { seed: 9, resamples: 200 };
    const [own] = bootstrapStatistics(values.length, [ratio(values, once(values.length))], options);
    const [wanted] = bootstrapIntervals([values], options);
    for (const end of ['mean', 'low', 'high'] as const) expect(own?.[end]).toBeCloseTo(wanted?.[end] as number, 12);
  });

  test('leave out resamples without a value, and are null where the problems have none', () => {
    // Only resamples that hold the second problem have a ratio, and it is 1 in all of them.
    const [half, none] = bootstrapStatistics(2, [ratio([0, 2], [0, 2]), ratio([0, 0], [0, 0])], { resamples: 50 });
    expect(half).toEqual({ mean: 1, low: 1, high: 1 });
    expect(none).toBeNull();
    expect(() => bootstrapStatistics(0, [])).toThrow('no problems to resample');
  });
});
