// The tables and curves of an evaluation, from graded responses: accuracy with intervals, in all and by row of each table; Pass@K and
// voting for N = 1..16. Pure. Formulas and tie rules: docs/evaluation.md. Leaves writing them down to write.ts.
import type { Problem } from '../core/types.js';
import type { Benchmark } from './benchmarks/benchmark.js';
import {
  bestOfN,
  bootstrapInterval,
  type Interval,
  majorityAccuracy,
  passAtK,
  rewardPassAtK,
  type ScoredSample,
  unbiasedPassAtK,
  weightedVoteAccuracy,
} from './metrics.js';
import type { GradedSample, Question } from './stored.js';

export interface Estimate extends Interval {
  readonly questions: number;
}

export interface Point extends Interval {
  readonly n: number;
}

export interface Curve {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface EvaluationTables {
  readonly benchmark: string;
  readonly protocol: string;
  readonly problems: number;
  /** Problems without any response; they count as wrong. */
  readonly unanswered: number;
  /** Samples of a problem, the least over the problems. */
  readonly samples: number;
  /** Share of responses in which no answer was found. */
  readonly unreadable: number;
  readonly greedy?: Estimate;
  /** Mean over the samples of each question. */
  readonly sampled?: Estimate;
  /** Where rotations of a question must all be right: the same with every problem for itself. */
  readonly vanilla?: Estimate;
  readonly curves: readonly Curve[];
  /** Of two curves at the largest N, first minus second, paired by question. */
  readonly differences: readonly ({ readonly first: string; readonly second: string; readonly n: number } & Interval)[];
  readonly tables: readonly {
    readonly title: string;
    readonly rows: readonly (Estimate & { readonly name: string })[];
  }[];
  readonly wrong: readonly WrongAnswer[];
}

export interface WrongAnswer {
  readonly problem: Problem;
  readonly text: string;
  readonly reason: string;
}

export interface TableSettings {
  readonly benchmark: Benchmark;
  readonly protocol: string;
  readonly seed: number;
}

const MOST_N = 16;
const MOST_WRONG = 12;

type Measure = (samples: readonly (readonly ScoredSample[])[], n: number) => number;
interface Method {
  readonly name: string;
  readonly measure: Measure;
  readonly needsReward?: boolean;
  /** Not where several problems make one question: their chances are not independent. */
  readonly single?: boolean;
}

const METHODS: readonly Method[] = [
  { name: 'Pass@K', measure: passAtK },
  { name: 'Pass@K, unbiased', measure: unbiasedPassAtK, single: true },
  { name: 'majority vote', measure: majorityAccuracy },
  { name: 'best of N', measure: bestOfN, needsReward: true },
  { name: 'weighted vote', measure: weightedVoteAccuracy, needsReward: true },
  // The two best of the first N: what the selection of a run could keep.
  {
    name: 'Reward-Pass@2',
    measure: (samples, n) =>
      rewardPassAtK(
        samples.map((question) => question.slice(0, n)),
        2,
      ),
    needsReward: true,
  },
];

/** Questions in the order of the data; those that the benchmark does not keep are left out. */
export function makeTables(all: readonly Question[], settings: TableSettings): EvaluationTables {
  const { benchmark, protocol, seed } = settings;
  const questions = all.filter(({ problem }) => benchmark.keeps(problem));
  const groups = grouped(questions, benchmark);
  const estimate = (
    value: (question: Question) => number,
    own: readonly (readonly Question[])[] = groups,
  ): Estimate => ({
    ...bootstrapInterval(
      own.map((group) => Math.min(...group.map(value))),
      { seed },
    ),
    questions: own.length,
  });
  const everyGreedy = questions.length > 0 && questions.some(({ greedy }) => greedy);
  const counts = questions.filter(({ samples }) => samples.length > 0).map(({ samples }) => samples.length);
  const samples = counts.length > 0 ? Math.min(...counts) : 0;
  const right = (sample: GradedSample | undefined): number => (sample?.grade.verdict === 'correct' ? 1 : 0);
  const greedy = ({ greedy: own }: Question): number => right(own);
  const mean = ({ samples: own }: Question): number =>
    own.length === 0 ? 0 : own.reduce((sum, sample) => sum + right(sample), 0) / own.length;
  const main = everyGreedy ? greedy : mean;
  const curves = samples > 0 ? makeCurves(questions, groups, samples, settings) : [];
  const responses = questions.flatMap((question) => [
    ...(question.greedy ? [question.greedy] : []),
    ...question.samples,
  ]);
  return {
    benchmark: benchmark.name,
    protocol,
    problems: questions.length,
    unanswered: questions.filter((question) => !question.greedy && question.samples.length === 0).length,
    samples,
    unreadable: responses.filter(({ grade }) => grade.verdict === 'unreadable').length / Math.max(1, responses.length),
    ...(questions.length > 0 && everyGreedy && { greedy: estimate(greedy) }),
    ...(questions.length > 0 && samples > 0 && { sampled: estimate(mean) }),
    ...(benchmark.question && questions.length > 0 && { vanilla: estimate(main, firstOf(groups)) }),
    curves: curves.map(({ name, points }) => ({ name, points: points.map(({ values: _, ...point }) => point) })),
    differences: differences(curves, seed),
    tables: benchmark.tables
      .map(({ title, of }) => ({ title, rows: rowsOf(groups, of, (own) => estimate(main, own)) }))
      .filter(({ rows }) => rows.length > 0),
    wrong: wrongAnswers(questions),
  };
}

/** Problems that count as one question, in the order of the first of each. */
function grouped(questions: readonly Question[], { question: keyOf }: Benchmark): Question[][] {
  const groups = new Map<string, Question[]>();
  for (const question of questions) {
    const key = keyOf ? keyOf(question.problem) : question.problem.id;
    const group = groups.get(key);
    if (group) group.push(question);
    else groups.set(key, [question]);
  }
  return [...groups.values()];
}

/** The unrotated problem of each question: the one of the lowest index. */
function firstOf(groups: readonly (readonly Question[])[]): Question[][] {
  const index = ({ problem }: Question): number => Number(problem.id);
  return groups.map((group) => [group.reduce((a, b) => (index(b) < index(a) ? b : a))]);
}

interface ValuedCurve {
  readonly name: string;
  readonly points: readonly (Point & { readonly values: readonly number[] })[];
}

function makeCurves(
  questions: readonly Question[],
  groups: readonly (readonly Question[])[],
  samples: number,
  { benchmark, seed }: TableSettings,
): ValuedCurve[] {
  const scored = new Map(questions.map((question) => [question, scoredSamples(question, samples)]));
  const rewarded = questions.every((question) => question.samples.every(({ reward }) => !Number.isNaN(reward)));
  const methods = METHODS.filter(
    ({ needsReward, single }) => (rewarded || !needsReward) && !(single && benchmark.question),
  );
  return methods.map(({ name, measure }) => ({
    name,
    points: Array.from({ length: Math.min(samples, MOST_N) }, (_, i) => {
      const n = i + 1;
      const value = (question: Question): number => measure([scored.get(question) as ScoredSample[]], n);
      const values = groups.map((group) => Math.min(...group.map(value)));
      return { n, values, ...bootstrapInterval(values, { seed }) };
    }),
  }));
}

/** As many samples as every question has; one without any is wrong in all. */
function scoredSamples({ samples }: Question, count: number): ScoredSample[] {
  if (samples.length === 0)
    return Array.from({ length: count }, () => ({ verdict: 'unreadable' as const, answer: null, reward: 0 }));
  return samples
    .slice(0, count)
    .map(({ grade, reward }) => ({ verdict: grade.verdict, answer: grade.normalised, reward }));
}

/** The methods that choose one answer, against each other. */
function differences(curves: readonly ValuedCurve[], seed: number): EvaluationTables['differences'] {
  const choosing = curves.filter(({ name }) => ['best of N', 'weighted vote', 'majority vote'].includes(name));
  return choosing.flatMap((first, i) =>
    choosing.slice(i + 1).map((second) => {
      const [a, b] = [first.points.at(-1), second.points.at(-1)];
      const values = (a?.values ?? []).map((value, q) => value - (b?.values[q] as number));
      return { first: first.name, second: second.name, n: a?.n ?? 0, ...bootstrapInterval(values, { seed }) };
    }),
  );
}

function rowsOf(
  groups: readonly (readonly Question[])[],
  of: (problem: Problem) => string | undefined,
  estimate: (groups: readonly (readonly Question[])[]) => Estimate,
): (Estimate & { name: string })[] {
  const rows = new Map<string, (readonly Question[])[]>();
  for (const group of groups) {
    const name = of((group[0] as Question).problem);
    if (name === undefined) continue;
    const row = rows.get(name);
    if (row) row.push(group);
    else rows.set(name, [group]);
  }
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, own]) => ({ name, ...estimate(own) }));
}

/** Some that are wrong, spread over the data. */
function wrongAnswers(questions: readonly Question[]): WrongAnswer[] {
  const wrong = questions.flatMap(({ problem, greedy, samples }) => {
    const sample = greedy ?? samples[0];
    if (!sample || sample.grade.verdict === 'correct') return [];
    return [{ problem, text: sample.text, reason: sample.grade.reason }];
  });
  const step = Math.max(1, Math.floor(wrong.length / MOST_WRONG));
  return wrong.filter((_, i) => i % step === 0).slice(0, MOST_WRONG);
}
