// The method grpo: rewards of the responses to one question, their advantages over each other, and the objective that the
// policy learns by. Pure functions, but for the log-probabilities of the reference.
import type { Config } from '../config/schema.js';
import { mean, sum } from '../core/lists.js';
import { callsAtOnce } from '../core/ports.js';
import type { Example, PolicyObjective, Sampled } from '../core/types.js';
import type { RatedResponse } from '../record/rollout.js';
import type { Phase } from '../run/phase.js';
import type { Job } from './job.js';

/** In place of a rule that selects right responses: all those whose rewards are not all the same. */
export interface GroupRule extends Pick<Config['evolve']['grpo'], 'prm' | 'scale'> {
  readonly rule: 'group';
}

/** Added to a standard deviation, as TRL does, so that rewards that hardly differ make no large advantages. */
const SMALL = 1e-4;
/** Examples in one call for log-probabilities: bounds the time until a stop is seen. */
const CALL = 256;

/** What a response is worth: the number of a reward function or 1 where it is right, more by its PRM reward; 0 where it is wrong. */
export function rewardIn({ grade, reward = 0 }: RatedResponse, { prm }: Pick<GroupRule, 'prm'>): number {
  const { score = grade.verdict === 'correct' ? 1 : 0 } = grade;
  return grade.verdict === 'correct' ? score + prm * reward : score;
}

/** How much better each response is than the others; null where they are all worth the same. The deviation is that of a sample. */
export function advantagesOf(rewards: readonly number[], scale: GroupRule['scale']): number[] | null {
  if (rewards.every((reward) => reward === rewards[0])) return null;
  const centre = mean(rewards);
  const above = rewards.map((reward) => reward - centre);
  if (scale === 'none') return above;
  const deviation = Math.sqrt(sum(above.map((one) => one ** 2)) / (rewards.length - 1));
  return above.map((one) => one / (deviation + SMALL));
}

/** What the steps of an iteration lower; undefined for methods that imitate. */
export function objectiveOf({ evolve, sampling }: Config, temperature: number): PolicyObjective | undefined {
  if (evolve.method !== 'grpo') return undefined;
  const { loss, clipLow, clipHigh, kl } = evolve.grpo;
  return { temperature, clipLow, clipHigh, kl, aggregation: loss, length: sampling.maxTokens };
}

/** The same examples with the log-probabilities of the policy that the first iteration began with. */
export async function withReference(
  { models }: Pick<Job, 'models'>,
  phase: Phase,
  examples: readonly Example[],
  temperature: number,
): Promise<Example[]> {
  const meter = phase.meter('score', `${phase.name}: reference`, 'reference');
  meter.expect(examples.length);
  const reference = await models.policy('warmup');
  const cut = { name: 'reference', size: CALL, atOnce: callsAtOnce(reference) };
  const make = async (some: readonly Example[]): Promise<Float32Array[]> => {
    const logprobs = await reference.logprobs(some, temperature);
    meter.advance(some.length);
    return logprobs;
  };
  const out: Example[] = [];
  for await (const { items, value, found } of phase.units(examples, cut, make)) {
    if (found) meter.skip(items.length);
    for (const [i, example] of items.entries()) {
      phase.count('scored', example.response.length);
      const sampled = { ...(example.sampled as Sampled), reference: (value[i] as Float32Array).slice() };
      out.push({ ...example, sampled });
    }
  }
  return out;
}
