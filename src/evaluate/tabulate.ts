// From graded sets to the numbers of evaluation.json: accuracy, curves over N, differences, sub-tasks, each with its
// interval.
import { groupBy, sum } from '../core/lists.js';
import {
  type BootstrapOptions,
  bootstrapInterval,
  bootstrapIntervals,
  type Interval,
  pairedDifferences,
} from '../measure/bootstrap.js';
import {
  bestOfNOf,
  countCorrect,
  majorityOf,
  type ProblemSamples,
  passAtKOf,
  rewardPassAtKOf,
  shareCorrect,
  unbiasedPassAtKOf,
  weightedVoteOf,
} from '../measure/estimators.js';
import { type Benchmark, bySource, type Parts } from './benchmarks/benchmark.js';
import type { Curve, Difference, PartTable, Score, SetTables } from './evaluation.js';
import type { GradedProblem, GradedSet } from './graded.js';

/** Compared at all n samples, where both are there. */
const COMPARED: readonly (readonly [string, string])[] = [
  ['majority', 'one response'],
  ['best-of-N', 'majority'],
  ['weighted vote', 'majority'],
];
/** Compared with greedy responses to the same questions. */
const AGAINST_GREEDY = ['one response', 'majority', 'best-of-N', 'weighted vote', 'Pass@N'];
const GREEDY = 'greedy';

/** @param protocols names, the one of the tables first @param greedy the greedy set, to compare with */
export function tabulateSet(
  set: GradedSet,
  protocols: readonly string[],
  benchmark: Benchmark | null,
  options: BootstrapOptions,
  greedy?: GradedSet,
): SetTables {
  const questions = groupQuestions(set.problems, benchmark);
  const measures = curvesOf(set);
  const values = measures.map(({ estimate }) => over(questions, estimate));
  const intervals = bootstrapIntervals([over(questions, shareCorrect), ...values], options).slice(1);
  const responses = set.problems.filter(({ failed }) => !failed).length * set.n;
  return {
    name: set.name,
    temperature: set.temperature,
    version: set.version,
    n: set.n,
    questions: questions.length,
    problems: set.problems.length,
    failed: set.problems.filter(({ failed }) => failed).length,
    scored: set.scored,
    cutOff: sum(set.problems.map(({ cutOff }) => cutOff)) / Math.max(1, responses),
    meanTokens: sum(set.problems.map(({ tokens }) => tokens)) / Math.max(1, responses),
    scores: protocols.map((name, p) => scoreOf(name, p, questions, set, options)),
    curves: toCurves(measures, intervals),
    differences: differencesOf(
      set,
      questions,
      measures,
      values,
      options,
      greedy && groupQuestions(greedy.problems, benchmark),
    ),
    parts: (benchmark?.tables ?? [bySource]).flatMap((parts) => partTable(parts, questions, set, options) ?? []),
  };
}

function scoreOf(
  protocol: string,
  p: number,
  questions: readonly Grouped[],
  { problems, n }: GradedSet,
  options: BootstrapOptions,
): Score {
  const rotated = questions.some(({ rotations }) => rotations.length > 1);
  const firsts = questions.map(({ key, rotations }): Grouped => ({ key, rotations: rotations.slice(0, 1) }));
  return {
    protocol,
    accuracy: bootstrapInterval(over(questions, shareCorrect, p), options),
    vanilla: rotated ? bootstrapInterval(over(firsts, shareCorrect, p), options) : null,
    unreadable: unreadableShare(problems, n, p),
  };
}

function unreadableShare(problems: readonly GradedProblem[], n: number, p: number): number {
  const verdicts = problems.flatMap(({ samples }) => (samples[p] ?? []).map(({ verdict }) => verdict));
  return verdicts.filter((verdict) => verdict === 'unreadable').length / (problems.length * n);
}

function toCurves(measures: readonly Measure[], intervals: readonly Interval[]): Curve[] {
  const names = [...new Set(measures.map(({ name }) => name))];
  return names.map((name) => ({
    name,
    points: measures.flatMap((measure, m) =>
      measure.name === name ? [{ n: measure.n, ...(intervals[m] as Interval) }] : [],
    ),
  }));
}

function differencesOf(
  set: GradedSet,
  questions: readonly Grouped[],
  measures: readonly Measure[],
  values: readonly Float64Array[],
  options: BootstrapOptions,
  greedy: readonly Grouped[] | undefined,
): Difference[] {
  const one = over(questions, shareCorrect);
  const named = new Map<string, Float64Array>([['one response', one]]);
  for (const [m, { name, n }] of measures.entries()) if (n === set.n) named.set(name, values[m] as Float64Array);
  const pairs = set.n > 1 ? [...COMPARED] : [];
  const places = new Map(greedy?.map((question, i) => [question.key, i]));
  if (greedy && places.size === questions.length && questions.every(({ key }) => places.has(key))) {
    const alone = over(greedy, shareCorrect);
    named.set(
      GREEDY,
      Float64Array.from(questions, ({ key }) => alone[places.get(key) as number] as number),
    );
    pairs.push(...AGAINST_GREEDY.map((name) => [name, GREEDY] as const));
  }
  const there = pairs.filter(([first, second]) => named.has(first) && named.has(second));
  const sides = there.map(
    ([first, second]) => [named.get(first) as Float64Array, named.get(second) as Float64Array] as const,
  );
  return pairedDifferences(sides, options).map((interval, i) => {
    const [first, second] = there[i] as readonly [string, string];
    return { first, second, ...interval };
  });
}

/** Null where the data say nothing of any problem. */
function partTable(
  { title, of, order = [] }: Parts,
  questions: readonly Grouped[],
  set: GradedSet,
  options: BootstrapOptions,
): PartTable | null {
  const parted = questions.flatMap((question) =>
    of((question.rotations[0] as GradedProblem).problem).map((part) => ({ part, question })),
  );
  const present = [...groupBy(parted, ({ part }) => part)];
  if (present.length < 2 && !order.includes(present[0]?.[0] ?? '')) return null;
  const rank = (part: string): number => (order.includes(part) ? order.indexOf(part) : order.length);
  present.sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
  // At all n samples, unbiased Pass@n is Pass@n.
  const measures = curvesOf(set).filter(({ n, name }) => n === set.n && name !== UNBIASED);
  return {
    title,
    rows: present.map(([part, group]) => {
      const some = group.map(({ question }) => question);
      const [accuracy, ...sampled] = bootstrapIntervals(
        [over(some, shareCorrect), ...measures.map(({ estimate }) => over(some, estimate))],
        options,
      ) as [Interval, ...Interval[]];
      const problems = some.flatMap(({ rotations }) => rotations);
      return {
        part,
        questions: some.length,
        accuracy,
        sampled: Object.fromEntries(measures.map(({ name }, m) => [name, sampled[m] as Interval])),
        unreadable: unreadableShare(problems, set.n, 0),
      };
    }),
  };
}

/** A question with all its rotations, the first one first. */
interface Grouped {
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
function groupQuestions(problems: readonly GradedProblem[], benchmark: Benchmark | null): Grouped[] {
  const rotationOf = (one: GradedProblem) =>
    benchmark?.rotationOf?.(one.problem) ?? { question: one.problem.id, rotation: 0 };
  const all = problems.map((one) => ({ one, ...rotationOf(one) }));
  return [...groupBy(all, ({ question }) => question)].map(([key, group]) => ({
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
function numbersUpTo(n: number): number[] {
  const numbers = Array.from({ length: Math.min(n, EVERY) }, (_, i) => i + 1);
  for (let next = 2 * EVERY; next < n; next *= 2) numbers.push(next);
  if (n > EVERY) numbers.push(n);
  return numbers;
}
