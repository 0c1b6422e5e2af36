// The questions of a set, with their rotations brought together, and what is measured of them at which numbers of
// samples.

import {
  bestOfNOf,
  countCorrect,
  majorityOf,
  type ProblemSamples,
  passAtKOf,
  rewardPassAtKOf,
  unbiasedPassAtKOf,
  weightedVoteOf,
} from '../measure/estimators.js';
import type { Benchmark } from './benchmarks/benchmark.js';
import type { GradedProblem, GradedSet } from './graded.js';

/** A question with all its rotations, the first one first. */
export interface Grouped {
  readonly key: string;
  readonly rotations: readonly GradedProblem[];
}

/** Something measured at one number of samples. */
export interface Measure {
  readonly name: string;
  readonly n: number;
  /** 0..1 of one problem. */
  estimate(samples: ProblemSamples): number;
}

export const UNBIASED = 'Pass@N unbiased';

/** Up to here every number of samples has its point; above, each power of two. */
const EVERY = 16;

/** In the order of the first problem of each question. */
export function groupQuestions(problems: readonly GradedProblem[], benchmark: Benchmark | null): Grouped[] {
  const groups = new Map<string, { rotation: number; one: GradedProblem }[]>();
  for (const one of problems) {
    const { question, rotation } = benchmark?.rotationOf?.(one.problem) ?? { question: one.problem.id, rotation: 0 };
    const group = groups.get(question);
    if (group) group.push({ rotation, one });
    else groups.set(question, [{ rotation, one }]);
  }
  return [...groups].map(([key, group]) => ({
    key,
    rotations: group.sort((a, b) => a.rotation - b.rotation).map(({ one }) => one),
  }));
}

/**
 * A measure of every question. The product over its rotations: of verdicts, right only if all are right; of shares, the
 * chance that independent responses to all of them are.
 * @param p place of the protocol
 * @returns one value of 0..1 per question
 */
export function over(
  questions: readonly Grouped[],
  estimate: (samples: ProblemSamples) => number,
  p = 0,
): Float64Array {
  return Float64Array.from(questions, ({ rotations }) =>
    rotations.reduce((product, { samples }) => product * estimate(samples[p] as ProblemSamples), 1),
  );
}

/** What is measured of a set: nothing over N where every problem has one response. */
export function curvesOf({ n, scored }: GradedSet): Measure[] {
  if (n < 2) return [];
  const numbers = numbersUpTo(n);
  const curve = (name: string, estimator: (samples: ProblemSamples, n: number) => number): Measure[] =>
    numbers.map((count) => ({ name, n: count, estimate: (samples) => estimator(samples, count) }));
  return [
    ...curve('Pass@N', passAtKOf),
    ...curve(UNBIASED, (samples, k) => unbiasedPassAtKOf(samples.length, countCorrect(samples), k)),
    ...curve('majority', majorityOf),
    ...(scored
      ? [
          ...curve('best-of-N', bestOfNOf),
          ...curve('weighted vote', weightedVoteOf),
          ...curve('Reward-Pass@N', rewardPassAtKOf),
        ]
      : []),
  ];
}

/** 1 to 16, then 32, 64... and always `n` itself. */
export function numbersUpTo(n: number): number[] {
  const numbers = Array.from({ length: Math.min(n, EVERY) }, (_, i) => i + 1);
  for (let next = 2 * EVERY; next < n; next *= 2) numbers.push(next);
  if (n > EVERY) numbers.push(n);
  return numbers;
}
