// Samples responses to problems and grades them; a problem that cannot be sampled is an outcome, not the end of the
// job.
import { stopIfAsked, UserError } from '../core/errors.js';
import type { Policy, RolloutRequest } from '../core/ports.js';
import type { Problem, PromptVariant, Response, Sampling } from '../core/types.js';
import type { RatedResponse, Rollout } from '../record/rollout.js';
import { grade } from '../reward/answer/grade.js';
import type { Grader } from '../reward/custom.js';
import { splitSteps, stepTexts } from '../reward/steps.js';
import { stepTruth } from '../reward/truth.js';
import type { Meter } from '../run/progress.js';

/** What to draw for every problem of a call. */
export interface Draw {
  readonly variant: PromptVariant;
  /** Responses per problem. */
  readonly n: number;
  readonly sampling: Sampling;
  readonly seed: number;
  /** Names the draws together with seed and problem id, for example `iter-0003`. */
  readonly purpose: string;
  /** Text that ends a step. */
  readonly delimiter: string;
  /** Judges the responses; by their final answers when left out. */
  readonly grader?: Grader | undefined;
}

export interface Watch {
  readonly signal: AbortSignal;
  readonly meter: Meter;
}

/** One rollout call over all problems. The result has the order of `problems`. */
export async function generate(
  policy: Policy,
  problems: readonly Problem[],
  draw: Draw,
  watch: Watch,
): Promise<Rollout[]> {
  const requests = problems.map(
    (problem): RolloutRequest => ({ problem, variant: draw.variant, n: draw.n, key: `${draw.purpose}/${problem.id}` }),
  );
  const outcomes = await sampleEach(policy, requests, draw.sampling, draw.seed, watch);
  const rollouts: Rollout[] = [];
  for (const [i, outcome] of outcomes.entries()) {
    const problem = problems[i] as Problem;
    if (typeof outcome === 'string') {
      rollouts.push({ problem, responses: [], error: outcome });
      continue;
    }
    const { grader, delimiter } = draw;
    if (grader) stopIfAsked(watch.signal);
    const grades = grader && (await Promise.all(outcome.map((response) => grader(problem, response))));
    const responses = outcome.map((response, sample) => rate(problem, response, delimiter, grades?.[sample]));
    rollouts.push({ problem, responses });
  }
  return rollouts;
}

/**
 * Samples every request. Where the user's data makes the call fail (a picture that cannot be read), the requests are
 * halved until those at fault stand alone; their outcome is the error's message.
 */
export async function sampleEach(
  policy: Policy,
  requests: readonly RolloutRequest[],
  sampling: Sampling,
  seed: number,
  { signal, meter }: Watch,
): Promise<(readonly Response[] | string)[]> {
  if (requests.length === 0) return [];
  let counted = 0;
  let countedTokens = 0;
  const count = (done: number, tokens: number): void => {
    meter.advance(done - counted, tokens - countedTokens);
    counted = done;
    countedTokens = tokens;
  };
  try {
    const onProgress = (done: number, _total: number, tokens: number): void => count(done, tokens);
    const { responses, stats } = await policy.rollout(requests, sampling, seed, { signal, onProgress });
    count(
      responses.reduce((sum, samples) => sum + samples.length, 0),
      Math.max(stats.decodeTokens, countedTokens),
    );
    return responses;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const [only] = requests;
    if (requests.length === 1 && only) {
      count(only.n, countedTokens);
      return [error.message];
    }
    const half = Math.ceil(requests.length / 2);
    const first = await sampleEach(policy, requests.slice(0, half), sampling, seed, { signal, meter });
    return [...first, ...(await sampleEach(policy, requests.slice(half), sampling, seed, { signal, meter }))];
  }
}

/** Grades a response, unless it was already, and cuts it into steps. */
export function rate(
  problem: Problem,
  response: Response,
  delimiter: string,
  graded = grade(problem, response.text),
): RatedResponse {
  const steps = splitSteps(response, delimiter);
  const rated = { response, grade: graded, steps };
  return problem.truth ? { ...rated, right: stepTruth(problem.truth, stepTexts(response.text, steps)) } : rated;
}
