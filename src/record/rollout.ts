// The types of sampled work: a problem with its responses, each graded, cut into steps and, where a PRM is used, scored. And
// rollouts as JSON lines, for readers without Parquet.
import { writeJsonLines } from '../core/files.js';
import { sum } from '../core/lists.js';
import type { Grade, Problem, Response, StepSpan } from '../core/types.js';

/** A response and everything that was found out about it. */
export interface RatedResponse {
  readonly response: Response;
  readonly grade: Grade;
  readonly steps: readonly StepSpan[];
  /** Whether each step is right; generated problems only. */
  readonly right?: readonly boolean[];
  /** PRM score of each step. */
  readonly scores?: Float32Array;
  /** The scores as one number (P9). */
  readonly reward?: number;
}

/** A problem with its n responses at one temperature and one version of the policy. */
export interface Rollout {
  readonly problem: Problem;
  /** In sample order; none where `error` says why. */
  readonly responses: readonly RatedResponse[];
  /** Why the problem could not be sampled: one line. */
  readonly error?: string;
}

/** Right by a chain with a wrong step; undefined where the true reasoning is not known. */
export function isLuckyResponse({ grade, right }: RatedResponse): boolean | undefined {
  return right && (grade.verdict === 'correct' ? right.includes(false) : false);
}

/** Tokens of all responses. */
export function countTokens(rollouts: readonly Rollout[]): number {
  return sum(rollouts.flatMap(({ responses }) => responses.map(({ response }) => response.tokens.length)));
}

/** What became of a response: its verdict, or `error` for a problem that could not be sampled. */
export type Outcome = 'correct' | 'wrong' | 'unreadable' | 'error';

/** Writes the new file `path`, a line for each response. Fields: docs/run-folder.md. */
export async function writeRolloutLines(path: string, chunks: AsyncIterable<readonly Rollout[]>): Promise<void> {
  await writeJsonLines(path, linesOf(chunks));
}

async function* linesOf(chunks: AsyncIterable<readonly Rollout[]>): AsyncGenerator<object> {
  for await (const rollouts of chunks) {
    for (const { problem, responses, error } of rollouts) {
      const about = { problem: problem.id, source: problem.source, answer: problem.answer };
      if (error !== undefined) yield { ...about, sample: null, outcome: 'error' satisfies Outcome, reason: error };
      for (const [sample, { response, grade }] of error === undefined ? responses.entries() : [])
        yield {
          ...about,
          sample,
          outcome: grade.verdict satisfies Outcome,
          reason: grade.reason,
          extracted: grade.extracted,
          normalised: grade.normalised,
          finish: response.finish,
          tokens: response.tokens.length,
          text: response.text,
        };
    }
  }
}

/** Responses by outcome; a failed problem counts once as `error`. */
export type OutcomeCounts = Readonly<Record<Outcome, number>>;

export function countOutcomes(rollouts: readonly Rollout[], before?: OutcomeCounts): OutcomeCounts {
  const counts = { correct: 0, wrong: 0, unreadable: 0, error: 0, ...before };
  for (const { responses, error } of rollouts) {
    if (error !== undefined) counts.error++;
    for (const { grade } of responses) counts[grade.verdict]++;
  }
  return counts;
}
