import { expect, test } from 'vitest';
import { UserError } from '../../../src/core/errors.js';
import type { Scorer } from '../../../src/core/ports.js';
import type { Problem } from '../../../src/core/types.js';
import type { RatedResponse, Rollout } from '../../../src/record/rollout.js';
import { scoreRollouts } from '../../../src/rollout/collect.js';

const rated = (tokens: readonly number[], verdict: 'correct' | 'wrong' = 'correct'): RatedResponse => ({
  response: {
    tokens: Int32Array.from(tokens),
    logprobs: new Float32Array(tokens.length),
    text: tokens.join(' '),
    ends: new Uint32Array(tokens.length),
    finish: 'stop',
  },
  grade: { verdict, extracted: null, normalised: null, reason: '' },
  steps: [{ textStart: 0, textEnd: tokens.join(' ').length, tokenStart: 0, tokenEnd: tokens.length }],
});
const rollout = (id: string, responses: readonly RatedResponse[]): Rollout => ({
  problem: { id } as Problem,
  responses,
});

/** Scores by the token at the end of a step, an eighth of it; its own tokenizer has a token for each character. */
function scorerOf(tokenizer: string) {
  const seen: string[] = [];
  const scorer: Pick<Scorer, 'score' | 'encodeSteps' | 'tokenizer'> = {
    tokenizer,
    score: async (examples, ends) =>
      examples.map(({ problem, response }, i) => {
        seen.push(`${problem.id} ${response.join(' ')}`);
        return Float32Array.from(ends[i] as Uint32Array, (end) => (response[end] as number) / 8);
      }),
    encodeSteps: async (problem, text, ends, stops) => {
      if (problem.id === 'large') throw new UserError('response to problem large: 9 tokens, wanted at most 8');
      const tokens = Int32Array.from([...text].map((sign) => sign.charCodeAt(0)).concat(stops ? [8] : []));
      return { tokens, ends: Uint32Array.from(ends, (end, i) => (i === ends.length - 1 ? tokens.length : end)) };
    },
  };
  return { scorer: scorer as Scorer, seen };
}
const meterOf = () => {
  const meter = { advanced: 0, expect() {}, skip() {}, advance: (count: number) => (meter.advanced += count) };
  return meter;
};
const wanted = ({ grade }: RatedResponse): boolean => grade.verdict === 'correct';

test('the same tokens to one question are scored once; every response that is wanted has its score and reward', async () => {
  const { scorer, seen } = scorerOf('same');
  const meter = meterOf();
  const rollouts = [
    rollout('a', [rated([1, 2]), rated([1, 4]), rated([1, 2]), rated([1, 6], 'wrong')]),
    rollout('b', [rated([1, 2])]),
  ];
  const watch = { signal: new AbortController().signal, meter };
  const scored = await scoreRollouts({ scorer, aggregate: 'min', wanted }, rollouts, 'same', watch);
  expect(seen).toEqual(['a 1 2', 'a 1 4', 'b 1 2']);
  expect(scored.map(({ responses }) => responses.map(({ reward }) => reward))).toEqual([
    [0.25, 0.5, 0.25, undefined],
    [0.25],
  ]);
  expect(meter.advanced).toBe(4);
});

test('a scorer of another tokenizer never sees token ids of the policy, but the text in its own', async () => {
  const { scorer, seen } = scorerOf('own');
  const watch = { signal: new AbortController().signal, meter: meterOf() };
  const two = {
    ...rated([1, 2]),
    steps: [
      { textStart: 0, textEnd: 2, tokenStart: 0, tokenEnd: 1 },
      { textStart: 2, textEnd: 3, tokenStart: 1, tokenEnd: 2 },
    ],
  };
  const [scored] = await scoreRollouts({ scorer, aggregate: 'min', wanted }, [rollout('a', [two])], 'policy', watch);
  expect(seen).toEqual(['a 49 32 50 8']);
  expect([...(scored?.responses[0]?.scores ?? [])]).toEqual([32 / 8, 1]);
});

test('a problem that the scorer cannot take has failed, the others have their rewards', async () => {
  const { scorer } = scorerOf('own');
  const watch = { signal: new AbortController().signal, meter: meterOf() };
  const rollouts = [rollout('large', [rated([1, 2])]), rollout('b', [rated([1, 2])])];
  const scored = await scoreRollouts({ scorer, aggregate: 'min', wanted }, rollouts, 'policy', watch);
  expect(scored[0]).toEqual({
    problem: { id: 'large' },
    responses: [],
    error: 'PRM: response to problem large: 9 tokens, wanted at most 8',
  });
  expect(scored[1]?.responses[0]?.reward).toBe(1);
});
