// The types of sampled work: a problem with its responses, each graded, cut into steps and, where a PRM is used, scored.
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
  return rollouts.reduce(
    (sum, { responses }) => sum + responses.reduce((inner, one) => inner + one.response.tokens.length, 0),
    0,
  );
}
