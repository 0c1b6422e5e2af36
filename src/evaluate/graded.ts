// Stored rollouts with the verdicts of several protocols, sorted into sets by temperature and policy.

import { UserError } from '../core/errors.js';
import { placeOf } from '../core/letters.js';
import { inGroups, sum } from '../core/lists.js';
import type { Grade } from '../core/types.js';
import { type ProblemSamples, silentSamples } from '../measure/estimators.js';
import type { AnswerRow, LastResort, Protocol } from '../reward/protocol/protocol.js';
import type { Asked, Benchmark } from './benchmarks/benchmark.js';
import { readStored, type StoredResponse, type StoredRollout } from './stored.js';

export interface GradedProblem {
  readonly problem: Asked;
  /** [protocol][sample]; a problem that could not be sampled has n unreadable ones. */
  readonly samples: readonly ProblemSamples[];
  readonly failed: boolean;
  readonly tokens: number;
  /** Responses that ended at the limit on tokens. */
  readonly cutOff: number;
  /** Responses with a reward, and those with a text but without one. */
  readonly scored: number;
  readonly unscored: number;
  /** The first response, kept to be shown where it is not correct. */
  readonly first?: {
    readonly images: readonly string[];
    readonly text: string;
    readonly finish: string;
    readonly grade: Grade;
  };
}

/** All responses from one policy at one temperature. */
export interface GradedSet {
  readonly name: string;
  readonly temperature: number;
  readonly version: number;
  readonly n: number;
  readonly scored: boolean;
  readonly problems: readonly GradedProblem[];
}

export interface Grading {
  /** The first one's verdicts are those of the tables. */
  readonly protocols: readonly Protocol[];
  readonly benchmark: Benchmark | null;
  readonly lastResort?: LastResort;
  /** What a data set says of a problem, where the table does not. */
  readonly about?: ReadonlyMap<string, Asked>;
}

/** Rollouts that are graded together: bounds the texts in memory and lets the last resort work on many at a time. */
const PIECE = 256;

/**
 * Grades all responses of some tables.
 * @throws UserError where problems of a set have different numbers of responses, or nothing is left to count
 */
export async function gradeStored(
  files: readonly string[],
  grading: Grading,
): Promise<{ readonly sets: GradedSet[]; readonly leftOut: number }> {
  const sets = new Map<string, { temperature: number; version: number; file: string; problems: GradedProblem[] }>();
  let leftOut = 0;
  for (const file of files) {
    for await (const piece of inGroups(readStored(file), PIECE)) {
      const graded = await Promise.all(piece.map((rollout) => gradeRollout(rollout, grading)));
      for (const [i, { temperature, version }] of piece.entries()) {
        const one = graded[i];
        if (!one) {
          leftOut++;
          continue;
        }
        const key = JSON.stringify([temperature, version]);
        const set = sets.get(key) ?? { temperature, version, file, problems: [] };
        set.problems.push(one);
        sets.set(key, set);
      }
    }
  }
  if (sets.size === 0) {
    const { name = '' } = grading.benchmark ?? {};
    throw new UserError(`${files.join(', ')}: problems: none of ${name}, wanted at least one (do they have its tags?)`);
  }
  const several = new Set([...sets.values()].map(({ version }) => version)).size > 1;
  return { sets: [...sets.values()].map((set) => finish(set, several)), leftOut };
}

/** Null where the benchmark leaves the problem out. */
async function gradeRollout(stored: StoredRollout, grading: Grading): Promise<GradedProblem | null> {
  const { protocols, benchmark, lastResort, about } = grading;
  const problem = about?.get(stored.problem.id) ?? stored.problem;
  if (benchmark?.counts?.(problem) === false) return null;
  const { responses, images } = stored;
  const gradesOf = ({ text }: StoredResponse): Promise<Grade[]> =>
    Promise.all(
      protocols.map(async (protocol) => {
        const row = rowOf(problem, text, protocol.name);
        const grade = protocol.grade(row);
        return lastResort ? lastResort(protocol, row, grade) : grade;
      }),
    );
  const grades = await Promise.all(responses.map(gradesOf));
  const [response] = responses;
  const grade = grades[0]?.[0];
  const samplesBy = (p: number): ProblemSamples =>
    responses.map(({ reward }, sample) => {
      const { verdict, normalised } = (grades[sample] as Grade[])[p] as Grade;
      return { verdict, answer: normalised, reward: reward ?? Number.NaN };
    });
  return {
    problem,
    samples: protocols.map((_, p) => samplesBy(p)),
    failed: stored.error !== undefined,
    tokens: sum(responses.map(({ tokens }) => tokens)),
    scored: responses.filter(({ reward }) => reward !== null).length,
    // A response without text has no steps and so no reward.
    unscored: responses.filter(({ reward, text }) => reward === null && text.trim() !== '').length,
    cutOff: responses.filter(({ finish: end }) => end === 'length').length,
    ...(response &&
      grade &&
      grade.verdict !== 'correct' && { first: { images, text: response.text, finish: response.finish, grade } }),
  };
}

function finish(
  { temperature, version, file, problems }: Omit<GradedSet, 'name' | 'n' | 'scored'> & { readonly file: string },
  several: boolean,
): GradedSet {
  const counts = problems.filter(({ failed }) => !failed).map(({ samples }) => samples[0]?.length ?? 0);
  const n = counts[0] ?? 1;
  const other = counts.find((count) => count !== n);
  if (other !== undefined)
    throw new UserError(`${file}: responses: ${other} to a problem, wanted ${n} as to the others`);
  const ids = new Set<string>();
  for (const { problem } of problems) {
    if (ids.has(problem.id))
      throw new UserError(`${file}: problem ${problem.id}: twice at one temperature, wanted once`);
    ids.add(problem.id);
  }
  return {
    name: `${temperature === 0 ? 'greedy' : `T = ${temperature}`}${several ? `, version ${version}` : ''}`,
    temperature,
    version,
    n,
    scored: problems.some(({ scored }) => scored > 0) && problems.every(({ unscored }) => unscored === 0),
    problems: problems.map((one) => (one.failed ? { ...one, samples: one.samples.map(() => silentSamples(n)) } : one)),
  };
}

/** A response with its question, as protocols read it. */
export function rowOf(problem: Asked, response: string, protocol: string): AnswerRow {
  const { questionType, answer, choices } = problem;
  const letter = questionType === 'multi_choice' ? answer : undefined;
  const choice = letter?.length === 1 ? choices[placeOf(letter)] : undefined;
  return {
    ...problem,
    // Problems of MathV360K have the rules of the data sets that it was made from.
    taskFormat: 'mathv360k',
    // MathVista's gold answer is the text of the choice.
    answer: protocol === 'mathvista' ? (choice ?? answer) : answer,
    answerLetter: choice === undefined ? undefined : letter,
    response,
  };
}
