import { describe, expect, test } from 'vitest';
import type { Problem, Verdict } from '../../../src/core/types.js';
import { measureGreedy, measureSamples, measureSteps } from '../../../src/measure/rollouts.js';
import type { RatedResponse, Rollout } from '../../../src/record/rollout.js';

const problem = { id: 'q' } as Problem;

function rated(verdict: Verdict, reward?: number, more: Partial<RatedResponse> = {}): RatedResponse {
  const response = {
    tokens: new Int32Array(6),
    logprobs: new Float32Array(6),
    text: '',
    ends: new Uint32Array(6),
    finish: 'stop' as const,
  };
  return { response, grade: { verdict, extracted: null, normalised: verdict, reason: '' }, steps: [], reward, ...more };
}

const failed: Rollout = { problem, responses: [], error: 'damaged' };

describe('measures', () => {
  test('of greedy count a failed problem as not correct', () => {
    const rollouts = [
      { problem, responses: [rated('correct')] },
      { problem, responses: [rated('wrong')] },
      failed,
      failed,
    ];
    expect(measureGreedy(rollouts, 1)).toMatchObject({
      problems: 4,
      failed: 2,
      correct: 1,
      accuracy: 0.25,
      unreadable: 0.5,
      meanTokens: 6,
    });
  });

  test('of samples see the best two by reward, and failed problems as never correct', () => {
    const good = {
      problem,
      responses: [rated('wrong', 0.1), rated('correct', 0.9), rated('wrong', 0.5), rated('wrong', 0.2)],
    };
    const hidden = {
      problem,
      responses: [rated('correct', 0.1), rated('wrong', 0.9), rated('wrong', 0.5), rated('wrong', 0.2)],
    };
    const measured = measureSamples([good, hidden, failed, failed], 4, 0.7, 0.25);
    expect(measured).toMatchObject({
      temperature: 0.7,
      k: 4,
      passAtK: 0.5,
      gap: 0.25,
      rewardPassAt2: 0.25,
      bestOfK: 0.25,
      passAt1: 0.125,
    });
  });

  test('of samples count repeats of a text among the best two, and once where texts are to differ', () => {
    const said = (text: string, verdict: Verdict, reward: number): RatedResponse => {
      const one = rated(verdict, reward);
      return { ...one, response: { ...one.response, text } };
    };
    const responses = [said('a', 'wrong', 0.9), said(' a', 'wrong', 0.9), said('b', 'correct', 0.5)];
    expect(measureSamples([{ problem, responses }], 3, 1, 0)).toMatchObject({
      rewardPassAt2: 0,
      rewardPassAt2Distinct: 1,
    });
  });

  test('of samples without scores leave out what needs them', () => {
    const unscored = { problem, responses: [rated('correct'), rated('wrong')] };
    expect(measureSamples([unscored], 2, 1, 1)).toMatchObject({
      rewardPassAt2: null,
      bestOfK: null,
      weightedVote: null,
      majority: 1,
    });
  });

  test('of steps compare scores with whether the reasoning is right so far', () => {
    const responses = [rated('correct', 0, { right: [true, false, true], scores: Float32Array.of(0.9, 0.2, 0.6) })];
    expect(measureSteps([{ problem, responses }])).toEqual({ steps: 3, sound: 1 / 3, accuracy: 2 / 3, auc: 1 });
    expect(measureSteps([{ problem, responses: [rated('correct', 0, { scores: Float32Array.of(1) })] }])).toBeNull();
  });
});
