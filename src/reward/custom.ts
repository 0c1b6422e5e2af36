// A program's own reward function as a grader: what it returns becomes a verdict, what it throws names the problem.
import { Stopped, UserError, unlessStopped } from '../core/errors.js';
import { shown } from '../core/printable.js';
import type { Grade, Problem, Response, RewardFunction, Verdict } from '../core/types.js';
import { grade } from './answer/grade.js';

/** Judges one response. */
export type Grader = (problem: Problem, response: Response) => Grade | Promise<Grade>;

const VERDICTS: readonly unknown[] = ['correct', 'wrong', 'unreadable'] satisfies Verdict[];
/** Least number that counts as correct. */
const RIGHT = 0.5;

/**
 * The grader that asks `reward`. The answer that the package's own grader finds is kept beside the verdict, so that
 * responses can still vote by it.
 * @throws UserError, from the grader, naming the problem where `reward` throws or returns something else; Stopped as soon as
 *   the signal is aborted
 */
export function graderOf(reward: RewardFunction, signal?: AbortSignal): Grader {
  return async (problem, response) => {
    const of = `reward: problem ${problem.id}`;
    const given = await answerOf(of, signal, [problem, Object.freeze(response)], reward);
    if (!(typeof given === 'number' ? given >= 0 && given <= 1 : VERDICTS.includes(given)))
      throw unusable(of, given, `a number from 0 to 1 or ${VERDICTS.join(', ')}`);
    const { extracted, normalised } = grade(problem, response.text);
    if (typeof given !== 'number') return { verdict: given, extracted, normalised, reason: 'by the reward function' };
    const verdict = given >= RIGHT ? 'correct' : 'wrong';
    return { verdict, extracted, normalised, reason: `reward ${given}`, score: given };
  };
}

/**
 * What a function of the program answers about a problem. It is shown the problem itself, which must stay as it is.
 * @param of says which call it is
 * @throws UserError where it throws: one line, the error itself is the cause; Stopped as soon as the signal is aborted
 */
export async function answerOf<A extends [Problem, ...unknown[]], T>(
  of: string,
  signal: AbortSignal | undefined,
  about: A,
  ask: (...about: A) => T | Promise<T>,
): Promise<T> {
  const [problem] = about;
  if (!Object.isFrozen(problem))
    for (const part of [problem, problem.choices, problem.images, problem.tags, problem.truth]) Object.freeze(part);
  try {
    return await unlessStopped(signal, () => ask(...about));
  } catch (error) {
    if (error instanceof Stopped) throw error;
    const thrown = error instanceof Error ? error.message : String(error);
    const failed = new UserError(`${of}: threw ${thrown}`, 'ERR_FUNCTION');
    failed.cause = error;
    throw failed;
  }
}

/** The error of an answer that is of no use. */
export function unusable(of: string, answer: unknown, wanted: string): UserError {
  const isPlain = typeof answer === 'object' || typeof answer === 'string';
  return new UserError(`${of}: ${isPlain ? shown(answer) : String(answer)}, wanted ${wanted}`, 'ERR_FUNCTION');
}
