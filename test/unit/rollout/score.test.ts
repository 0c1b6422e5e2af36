import { expect, test } from 'vitest';
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
  steps: [{ textStart: 0, textEnd: 1, tokenStart: 0, tokenEnd: tokens.length }],
});
const rollout = (id: string, responses: readonly RatedResponse[]): Rollout => ({
  problem: { id } as Problem,
  responses,
});

test('the same tokens to one question are scored once; every response that is wanted has its score and reward', async () => {
  const seen: string[] = [];
  const scorer = {
    score: async (examples: Parameters<Scorer['score']>[0], ends: readonly Uint32Array[]) =>
      examples.map(({ problem, response }, i) => {
        seen.push(`${problem.id} ${response.join(' ')}`);
        return Float32Array.from(ends[i] as Uint32Array, (end) => (response[end] as number) / 8);
      }),
  } as unknown as Scorer;
  let advanced = 0;
  const meter = { expect() {}, skip() {}, advance: (count: number) => (advanced += count) };
  const rollouts = [
    rollout('a', [rated([1, 2]), rated([1, 4]), rated([1, 2]), rated([1, 6], 'wrong')]),
    rollout('b', [rated([1, 2])]),
  ];
  const wanted = ({ grade }: RatedResponse): boolean => grade.verdict === 'correct';
  const watch = { signal: new AbortController().signal, meter };
  const scored = await scoreRollouts(scorer, rollouts, 'min', wanted, watch);
  expect(seen).toEqual(['a 1 2', 'a 1 4', 'b 1 2']);
  expect(scored.map(({ responses }) => responses.map(({ reward }) => reward))).toEqual([
    [0.25, 0.5, 0.25, undefined],
    [0.25],
  ]);
  expect(advanced).toBe(4);
});
