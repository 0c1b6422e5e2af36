// A program's own reward function as a grader: what it returns becomes a verdict, what it throws names the problem.
import { UserError } from '../core/errors.js';
import type { Grade, Problem, Response, Reward, RewardFunction, Verdict } from '../core/types.js';
import { grade } from './answer/grade.js';

/** Judges one response. */
export type Grader = (problem: Problem, response: Response) => Grade | Promise<Grade>;

const VERDICTS: readonly unknown[] = ['correct', 'wrong', 'unreadable'] satisfies Verdict[];
/** Least number that counts as correct. */
const RIGHT = 0.5;

/**
 * The grader that asks `reward`. The answer that the package's own grader finds is kept beside the verdict, so that
 * responses can still vote by it.
 * @throws UserError, from the grader, naming the problem where `reward` throws or returns something else
 */
export function graderOf(reward: RewardFunction): Grader {
  return async (problem, response) => {
    const given = await asked(reward, problem, response);
    const { extracted, normalised } = grade(problem, response.text);
    if (typeof given !== 'number') return { verdict: given, extracted, normalised, reason: 'by the reward function' };
    const verdict = given >= RIGHT ? 'correct' : 'wrong';
    return { verdict, extracted, normalised, reason: `reward ${given}`, score: given };
  };
}

async function asked(reward: RewardFunction, problem: Problem, response: Response): Promise<Reward> {
  const of = `reward: problem ${problem.id}`;
  let given: unknown;
  try {
    given = await reward(problem, response);
  } catch (error) {
    throw callFailed(of, error);
  }
  if (typeof given === 'number' ? given >= 0 && given <= 1 : VERDICTS.includes(given)) return given as Reward;
  throw new UserError(
    `${of}: ${typeof given === 'number' ? given : (JSON.stringify(given) ?? typeof given)}, wanted a number from 0 to 1 or ${VERDICTS.join(', ')}`,
    'ERR_FUNCTION',
  );
}

/** What a program's function threw, as one line that says which call it was; the error itself is the cause. */
export function callFailed(call: string, error: unknown): UserError {
  const failed = new UserError(
    `${call}: threw ${error instanceof Error ? error.message : String(error)}`,
    'ERR_FUNCTION',
  );
  failed.cause = error;
  return failed;
}
