// Estimators of one problem against brute force: all subsets, all candidates, written down again in the plainest way.
import { describe, expect, it } from 'vitest';
import { random } from '../../../src/core/random.js';
import {
  bestOfNOf,
  countCorrect,
  majorityOf,
  type ProblemSamples,
  passAtKOf,
  rewardPassAtKOf,
  type ScoredSample,
  shareCorrect,
  unbiasedPassAtKOf,
  weightedVoteOf,
} from '../../../src/measure/estimators.js';

const MOST = 16;
const right = (sample: ScoredSample | undefined): boolean => sample?.verdict === 'correct';

/** Problems with few answers and few rewards, so that ties are common; answer `x` is right. */
const problems = Array.from({ length: 200 }, (_, q): ProblemSamples => {
  const draw = random(7, `problem/${q}`);
  return Array.from({ length: MOST }, (_, i) => {
    const answer = ['x', 'a', 'b', null][draw.below(2 * i, 4)] as string | null;
    const verdict = answer === null ? 'unreadable' : answer === 'x' ? 'correct' : 'wrong';
    return { verdict, answer, reward: draw.below(2 * i + 1, 4) / 4 };
  });
});

/** All subsets of k of n places. */
function* subsets(n: number, k: number, from = 0): Generator<number[]> {
  if (k === 0) yield [];
  for (let i = from; k > 0 && i <= n - k; i++) for (const rest of subsets(n, k - 1, i + 1)) yield [i, ...rest];
}

/** The answer class with the greatest total; of equal ones that whose first sample comes first. */
function slowVote(samples: ProblemSamples, weight: (sample: ScoredSample) => number): number {
  const classes = [...new Set(samples.map(({ answer }) => answer))].filter((answer) => answer !== null);
  const totals = classes.map((one) =>
    samples.reduce((sum, sample) => sum + (sample.answer === one ? weight(sample) : 0), 0),
  );
  return totals.length > 0 && classes[totals.indexOf(Math.max(...totals))] === 'x' ? 1 : 0;
}

/** Takes the greatest of what is left, `k` times, always the first of equal ones. */
function slowTop(samples: ProblemSamples, k: number): ScoredSample[] {
  const left = [...samples];
  return Array.from({ length: k }, () => {
    const best = Math.max(...left.map(({ reward }) => reward));
    return left.splice(
      left.findIndex(({ reward }) => reward === best),
      1,
    )[0] as ScoredSample;
  });
}

describe('Pass@K', () => {
  it('unbiased is the share of all subsets of k samples that hold a correct one', () => {
    for (let n = 1; n <= 9; n++) {
      for (let c = 0; c <= n; c++) {
        for (let k = 1; k <= n; k++) {
          const all = [...subsets(n, k)];
          const holding = all.filter((places) => places.some((place) => place < c)).length;
          expect(unbiasedPassAtKOf(n, c, k)).toBeCloseTo(holding / all.length, 12);
        }
      }
    }
  });

  it('unbiased stays exact where binomial coefficients leave the range of a double', () => {
    expect(unbiasedPassAtKOf(4096, 1, 2048)).toBeCloseTo(0.5, 12);
    expect(unbiasedPassAtKOf(4096, 2, 1)).toBeCloseTo(2 / 4096, 15);
  });

  it('plain looks at the first k samples, and agrees with unbiased where k is all of them', () => {
    for (const problem of problems) {
      for (let k = 1; k <= MOST; k++) expect(passAtKOf(problem, k)).toBe(problem.slice(0, k).some(right) ? 1 : 0);
      expect(unbiasedPassAtKOf(MOST, countCorrect(problem), MOST)).toBe(passAtKOf(problem, MOST));
      expect(unbiasedPassAtKOf(MOST, countCorrect(problem), 1)).toBeCloseTo(shareCorrect(problem), 12);
    }
  });
});

describe('choosing among the first N = 1..16', () => {
  it('best-of-N is the first sample of the highest reward', () => {
    for (const problem of problems) {
      for (let n = 1; n <= MOST; n++) {
        expect(bestOfNOf(problem, n)).toBe(right(slowTop(problem.slice(0, n), 1)[0]) ? 1 : 0);
      }
    }
  });

  it('Reward-Pass@k takes the k highest rewards of all samples', () => {
    for (const problem of problems) {
      for (let k = 1; k <= MOST; k++) {
        expect(rewardPassAtKOf(problem, k)).toBe(slowTop(problem, k).some(right) ? 1 : 0);
      }
    }
  });

  it('a vote goes to the greatest class, of equal ones to that of the lower sample index', () => {
    for (const problem of problems) {
      for (let n = 1; n <= MOST; n++) {
        const samples = problem.slice(0, n);
        expect(majorityOf(problem, n)).toBe(slowVote(samples, () => 1));
        expect(weightedVoteOf(problem, n)).toBe(slowVote(samples, ({ reward }) => reward));
      }
    }
  });

  it('nobody wins where nothing is readable', () => {
    const silent: ProblemSamples = [{ verdict: 'unreadable', answer: null, reward: 1 }];
    expect([majorityOf(silent, 1), weightedVoteOf(silent, 1), bestOfNOf(silent, 1)]).toEqual([0, 0, 0]);
  });

  it('a sample without a reward weighs nothing, even where it comes first', () => {
    const problem: ProblemSamples = [
      { verdict: 'wrong', answer: 'a', reward: Number.NaN },
      { verdict: 'correct', answer: 'x', reward: 0.1 },
    ];
    expect([weightedVoteOf(problem, 2), bestOfNOf(problem, 2)]).toEqual([1, 1]);
  });

  it('asks for as many samples as are counted', () => {
    const [problem] = problems as [ProblemSamples];
    for (const estimator of [passAtKOf, bestOfNOf, majorityOf, weightedVoteOf]) {
      expect(() => estimator(problem, 17)).toThrow('a problem has 16 samples, wanted at least 17');
    }
  });
});
