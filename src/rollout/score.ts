// Step scores from the PRM, and the reward of a response from them (P9).
import { stopIfAsked } from '../core/errors.js';
import type { Scorer } from '../core/ports.js';
import type { Example } from '../core/types.js';
import type { RatedResponse, Rollout } from '../record/rollout.js';
import { type Aggregation, aggregate } from '../reward/aggregate.js';
import type { Watch } from './generate.js';

/** Examples in one call of the scorer: bounds the time until a stop is seen. */
const CALL = 256;

/** The same rollouts with scores and reward on every response that `wanted` accepts. */
export async function scoreRollouts(
  scorer: Scorer,
  rollouts: readonly Rollout[],
  how: Aggregation,
  wanted: (response: RatedResponse) => boolean,
  watch: Watch,
): Promise<Rollout[]> {
  const jobs = rollouts.flatMap(({ problem, responses }) =>
    alike(responses.filter((rated) => rated.steps.length > 0 && wanted(rated))).map((same) => ({
      problem,
      rated: same[0] as RatedResponse,
      same,
    })),
  );
  const scores = new Map<RatedResponse, Float32Array>();
  for (let from = 0; from < jobs.length; from += CALL) {
    stopIfAsked(watch.signal);
    const call = jobs.slice(from, from + CALL);
    const examples = call.map(
      ({ problem, rated }): Example => ({ problem, variant: 'solve', response: rated.response.tokens }),
    );
    const ends = call.map(({ rated }) => Uint32Array.from(rated.steps, (step) => step.tokenEnd - 1));
    const results = await scorer.score(examples, ends);
    for (const [i, { same }] of call.entries()) {
      for (const rated of same) scores.set(rated, results[i] as Float32Array);
      watch.meter.advance(same.length);
    }
  }
  return rollouts.map((rollout) => ({
    ...rollout,
    responses: rollout.responses.map((rated) => {
      const found = scores.get(rated);
      return found ? { ...rated, scores: found, reward: aggregate(found, how) } : rated;
    }),
  }));
}

/** Groups of responses with the same tokens, in the order of their first ones: a score is a function of the tokens. */
function alike(responses: readonly RatedResponse[]): RatedResponse[][] {
  const groups = new Map<string, RatedResponse[]>();
  for (const rated of responses) {
    const key = rated.response.tokens.join();
    const group = groups.get(key);
    if (group) group.push(rated);
    else groups.set(key, [rated]);
  }
  return [...groups.values()];
}
