import { describe, expect, test } from 'vitest';
import { EngineError, UserError } from '../../../src/core/errors.js';
import type { Policy, RolloutRequest } from '../../../src/core/ports.js';
import type { Problem, Response, Sampling } from '../../../src/core/types.js';
import { generate, rate } from '../../../src/rollout/generate.js';
import { respond } from '../../fakes/chains.js';

const problem = (id: string): Problem => ({
  id,
  question: '?',
  images: [],
  answer: '5',
  questionType: 'free_form',
  answerType: 'integer',
  choices: [],
  source: 'test',
});
const sampling: Sampling = { temperature: 1, topK: 0, topP: 1, maxTokens: 100 };
const draw = { variant: 'solve', n: 2, sampling, seed: 1, purpose: 'test', delimiter: '\n' } as const;

/** A policy that answers 5, refuses some problems, and notes the size of each call. */
function policyRefusing(bad: readonly string[], failure: Error): { policy: Policy; calls: number[]; keys: string[] } {
  const calls: number[] = [];
  const keys: string[] = [];
  const rollout = async (requests: readonly RolloutRequest[]) => {
    calls.push(requests.length);
    keys.push(...requests.map(({ key }) => key));
    if (requests.some((request) => bad.includes(request.problem.id))) throw failure;
    const responses = requests.map(({ n }) =>
      Array.from({ length: n }, (): Response => respond('The answer is 5.', 100, 0.5)),
    );
    return {
      responses,
      stats: {
        visionEncodes: 0,
        prefillTokens: 0,
        decodeTokens: 17 * 2 * requests.length,
        cachedPrompts: 0,
        recomputedTokens: 0,
        kvBytes: 0,
        seconds: 0,
      },
    };
  };
  return { policy: { rollout } as unknown as Policy, calls, keys };
}

function watch() {
  const counted = { done: 0, tokens: 0 };
  const meter = {
    expect() {},
    skip() {},
    advance: (done: number, tokens = 0) =>
      Object.assign(counted, { done: counted.done + done, tokens: counted.tokens + tokens }),
  };
  return { counted, watch: { signal: new AbortController().signal, meter } };
}

describe('generating', () => {
  test('asks for all problems in one call, each draw named by purpose and problem', async () => {
    const { policy, calls, keys } = policyRefusing([], new Error());
    const { watch: watched, counted } = watch();
    const rollouts = await generate(policy, ['a', 'b', 'c'].map(problem), draw, watched);
    expect(calls).toEqual([3]);
    expect(keys).toEqual(['test/a', 'test/b', 'test/c']);
    expect(rollouts.map(({ responses }) => responses.map(({ grade }) => grade.verdict))).toEqual(
      Array(3).fill(['correct', 'correct']),
    );
    expect(counted).toEqual({ done: 6, tokens: 102 });
  });

  test('halves the call until the problem at fault stands alone, and keeps the order', async () => {
    const { policy, calls } = policyRefusing(['c'], new UserError('c.png: picture: damaged, wanted a PNG'));
    const { watch: watched, counted } = watch();
    const rollouts = await generate(policy, ['a', 'b', 'c', 'd'].map(problem), draw, watched);
    expect(calls).toEqual([4, 2, 2, 1, 1]);
    expect(rollouts.map((rollout) => rollout.problem.id)).toEqual(['a', 'b', 'c', 'd']);
    expect(rollouts.map(({ responses, error }) => error ?? responses.length)).toEqual([
      2,
      2,
      'c.png: picture: damaged, wanted a PNG',
      2,
    ]);
    expect(counted.done).toBe(8);
  });

  test('lets an error of the engine end the job', async () => {
    const { policy, calls } = policyRefusing(['c'], new EngineError('ERR_ENGINE', 'out of memory'));
    await expect(generate(policy, ['a', 'c'].map(problem), draw, watch().watch)).rejects.toThrow('out of memory');
    expect(calls).toEqual([2]);
  });
});

describe('a response', () => {
  test('is graded and cut into steps; its steps are judged where the truth is known', () => {
    const truth = { family: 'f', steps: ['red is 2.', '2 + 3 = 5.', 'The answer is 5.'], scene: { red: 2, blue: 3 } };
    const text = 'red is 3.\n2 + 3 = 5.\nThe answer is 5.';
    const rated = rate({ ...problem('a'), truth }, respond(text, 100, 0.5), '\n');
    expect(rated.grade.verdict).toBe('correct');
    expect(rated.steps.map(({ textStart, textEnd }) => text.slice(textStart, textEnd))).toEqual([
      'red is 3.\n',
      '2 + 3 = 5.\n',
      'The answer is 5.',
    ]);
    expect(rated.right).toEqual([false, true, true]);
    expect(rate(problem('a'), respond(text, 100, 0.5), '\n').right).toBeUndefined();
  });
});
