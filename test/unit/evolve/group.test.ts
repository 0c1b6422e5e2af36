// Rewards and advantages of the method grpo, and what an iteration trains on by them.
import { describe, expect, test } from 'vitest';
import { resolveConfig } from '../../../src/config/load.js';
import type { ConfigInput } from '../../../src/config/schema.js';
import type { Finish, Verdict } from '../../../src/core/types.js';
import { Choice, needsReward, pseudoLabel, selectionRule } from '../../../src/evolve/choose.js';
import { advantagesOf, objectiveOf, rewardIn } from '../../../src/evolve/group.js';
import type { RatedResponse } from '../../../src/record/rollout.js';
import { numberProblem } from '../../fakes/stored.js';

function rated(
  verdict: Verdict,
  { reward, score, finish = 'stop' }: { reward?: number; score?: number; finish?: Finish } = {},
): RatedResponse {
  const response = {
    tokens: Int32Array.of(7, 8),
    logprobs: Float32Array.of(-1, -2),
    text: verdict,
    ends: Uint32Array.of(1, 2),
    finish,
  };
  const grade = { verdict, extracted: null, normalised: verdict, reason: '', ...(score !== undefined && { score }) };
  return { response, grade, steps: [], ...(reward !== undefined && { reward }) };
}

const config = (evolve: ConfigInput['evolve'] = {}, more: Partial<ConfigInput> = {}) =>
  resolveConfig({
    model: { path: 'm' },
    data: { generate: { count: 2000 } },
    evolve: { method: 'grpo', ...evolve },
    explore: { adaptive: false },
    ...more,
  });

describe('a reward', () => {
  test('is the grade, or the number of a reward function, and more by the PRM where the response is right', () => {
    expect([rated('correct'), rated('wrong'), rated('unreadable')].map((one) => rewardIn(one, { prm: 0 }))).toEqual([
      1, 0, 0,
    ]);
    expect(rewardIn(rated('wrong', { score: 0.4 }), { prm: 1 })).toBe(0.4);
    expect(rewardIn(rated('correct', { reward: 0.5 }), { prm: 0.5 })).toBe(1.25);
    expect(rewardIn(rated('wrong', { reward: 0.5 }), { prm: 0.5 })).toBe(0);
  });

  test('of a problem without an answer is the vote, whatever a reward function knew', () => {
    const responses = [rated('correct', { score: 0.9, reward: 0.1 }), rated('wrong', { score: 0.1, reward: 0.9 })];
    const { rollout } = pseudoLabel({ problem: numberProblem('a', '5'), responses });
    expect(rollout.responses.map((one) => rewardIn(one, { prm: 0 }))).toEqual([0, 1]);
  });
});

describe('advantages', () => {
  test('are rewards less their mean, over the deviation of a sample or as they are', () => {
    expect(advantagesOf([1, 0, 0, 1], 'none')).toEqual([0.5, -0.5, -0.5, 0.5]);
    const deviation = Math.sqrt(1 / 3) + 1e-4;
    expect(advantagesOf([1, 0, 0, 1], 'deviation')).toEqual([0.5, -0.5, -0.5, 0.5].map((one) => one / deviation));
  });

  test('are none where all rewards are the same', () => {
    expect(advantagesOf([0.3, 0.3], 'deviation')).toBe(null);
    expect(advantagesOf([], 'none')).toBe(null);
  });
});

test('an iteration trains on every response to a problem that has better and worse ones, and counts the others', async () => {
  const rule = selectionRule(config({ grpo: { scale: 'none' } }));
  if (rule.rule !== 'group') throw new Error(rule.rule);
  const choice = new Choice(rule, 1, 'iter', 'keep');
  await choice.add([
    { problem: numberProblem('a', '5'), responses: [rated('correct'), rated('wrong', { finish: 'length' })] },
    { problem: numberProblem('b', '5'), responses: [rated('correct'), rated('correct')] },
    { problem: numberProblem('c', '5'), responses: [], error: 'damaged' },
  ]);
  expect(
    choice.examples.map(({ problem, response, weight, sampled }) => [problem.id, [...response], weight, sampled]),
  ).toEqual([
    ['a', [7, 8], undefined, { advantage: 0.5, logprobs: Float32Array.of(-1, -2) }],
    ['a', [7, 8], undefined, { advantage: -0.5, logprobs: Float32Array.of(-1, -2) }],
  ]);
  expect(choice.counts).toMatchObject({ sampled: 4, cutOff: 1, correct: 3, selected: 2, kept: [2, 0, 1] });
  expect(choice.counts.groups).toEqual({ reward: 0.75, tokens: 2, flat: 1 });
});

describe('the settings', () => {
  test('say what is lowered, at the temperature of the iteration', () => {
    const grpo = { loss: 'constant', clipLow: 0.1, clipHigh: 0.3, kl: 0.04 } as const;
    const wanted = { temperature: 0.7, clipLow: 0.1, clipHigh: 0.3, kl: 0.04, aggregation: 'constant', length: 99 };
    expect(objectiveOf(config({ grpo }, { sampling: { maxTokens: 99 } }), 0.7)).toEqual(wanted);
    expect(objectiveOf(config({ method: 'continuous', select: { rule: 'all' } }), 0.7)).toBe(undefined);
  });

  test('make a PRM where its reward counts, and not otherwise', () => {
    for (const prm of [0, 0.5]) {
      const resolved = config({ grpo: { prm } });
      expect([resolved.prm.enabled, needsReward(selectionRule(resolved))]).toEqual([prm > 0, prm > 0]);
    }
  });

  test.each<[string, Partial<ConfigInput>, ConfigInput['evolve']]>([
    ['evolve.n: 1 with the method grpo', {}, { n: 1, select: { k: 1 } }],
    ['sampling.topK: 5 with the method grpo', { sampling: { topK: 5 } }, {}],
    ['sampling.topP: 0.9 with the method grpo', { sampling: { topP: 0.9 } }, {}],
  ])('are refused by name: %s', (message, more, evolve) => {
    expect(() => config(evolve, more)).toThrow(message);
  });
});
