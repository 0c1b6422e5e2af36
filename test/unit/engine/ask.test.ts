// Answers of a model as a stream: what is asked for when, how it ends, what is refused. On a policy that answers by hand.
import { describe, expect, test } from 'vitest';
import { Stopped, UserError } from '../../../src/core/errors.js';
import type { Policy, RolloutHooks, RolloutRequest } from '../../../src/core/ports.js';
import type { Response } from '../../../src/core/types.js';
import { type Question, type StreamedResponse, type StreamOptions, streamAnswers } from '../../../src/engine/ask.js';

const stats = {
  ...{ visionEncodes: 0, prefillTokens: 0, decodeTokens: 0, cachedPrompts: 0, recomputedTokens: 0, kvBytes: 0 },
  seconds: 0,
};
const answer = (text: string): Response => ({
  ...{ text, tokens: Int32Array.of(1), logprobs: Float32Array.of(0), ends: Uint32Array.of(text.length) },
  finish: 'stop',
});
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Answers the samples of a call from the last to the first, one a turn of the event loop. */
function answering() {
  const calls: (readonly RolloutRequest[])[] = [];
  let stopped = 0;
  const policy: Pick<Policy, 'rollout'> = {
    async rollout(requests, _sampling, _seed, { onResponse, signal }: RolloutHooks = {}) {
      calls.push(requests);
      for (const [at, { n, problem }] of [...requests.entries()].reverse())
        for (let sample = n - 1; sample >= 0; sample--) {
          await turn();
          if (signal?.aborted) {
            stopped++;
            throw new Stopped(signal.reason);
          }
          if (problem.question === 'fail') throw new UserError('picture: damaged, wanted a PNG');
          onResponse?.(at, sample, answer(`${problem.question}${sample}`));
        }
      return { responses: [], stats };
    },
  };
  return { policy, calls, stopped: () => stopped };
}

const ask = (...texts: string[]): Question[] => texts.map((question) => ({ question }));

async function all(stream: AsyncIterable<StreamedResponse>): Promise<[number, number, string][]> {
  const seen: [number, number, string][] = [];
  for await (const { question, sample, text } of stream) seen.push([question, sample, text]);
  return seen;
}

describe('answers to many questions', () => {
  test('come as they finish, each with its question and sample', async () => {
    const { policy, calls } = answering();
    const seen = await all(streamAnswers(policy, ask('a', 'b', 'c'), { n: 2, ahead: 2, seed: 5 }));
    expect(seen).toEqual([
      ...[[1, 1, 'b1'] as const, [1, 0, 'b0'] as const, [0, 1, 'a1'] as const, [0, 0, 'a0'] as const],
      ...[[2, 1, 'c1'] as const, [2, 0, 'c0'] as const],
    ]);
    expect(calls.map((requests) => requests.map(({ key }) => key))).toEqual([['seed 5/0', 'seed 5/1'], ['seed 5/2']]);
  });

  test('are not asked for before those that were sampled are taken', async () => {
    const { policy, calls } = answering();
    let given = 0;
    async function* questions(): AsyncGenerator<Question> {
      for (const question of ask('a', 'b', 'c', 'd', 'e')) {
        given++;
        yield question;
      }
    }
    const stream = streamAnswers(policy, questions(), { ahead: 2 });
    expect((await stream.next()).value).toMatchObject({ text: 'b0' });
    for (let i = 0; i < 20; i++) await turn();
    expect([given, calls.length]).toEqual([2, 1]);
    expect((await all(stream)).map(([, , text]) => text)).toEqual(['a0', 'd0', 'c0', 'e0']);
  });

  test('are sampled no more once nobody takes them', async () => {
    const { policy, calls, stopped } = answering();
    for await (const { text } of streamAnswers(policy, ask('a', 'b', 'c'), { n: 9, ahead: 1 })) {
      expect(text).toBe('a8');
      break;
    }
    expect([calls.length, stopped()]).toEqual([1, 1]);
  });

  test('end with Stopped where the signal is aborted, after those that were ready', async () => {
    const { policy } = answering();
    const controller = new AbortController();
    const seen: string[] = [];
    const failure = await (async () => {
      for await (const { text } of streamAnswers(policy, ask('a', 'b'), { n: 3, signal: controller.signal })) {
        seen.push(text);
        controller.abort('enough');
      }
    })().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Stopped);
    expect(seen).toEqual(['b2']);
  });

  test('end with what the sampling throws', async () => {
    const { policy } = answering();
    await expect(all(streamAnswers(policy, ask('fail'), {}))).rejects.toThrow('picture: damaged');
  });

  test.each<[unknown, unknown, string]>([
    [[{ question: 'q', imgs: [] }], {}, 'stream: question 0: imgs: unknown, did you mean images?'],
    [ask('q'), { temprature: 1 }, 'stream: temprature: unknown, did you mean temperature?'],
    [ask('q'), { ahead: 0 }, 'stream: ahead: 0, wanted at least 1'],
    [ask('q'), { topP: 2 }, 'topP: 2, wanted more than 0'],
  ])('%j with %j are refused', async (questions, options, message) => {
    const stream = streamAnswers(answering().policy, questions as Question[], options as StreamOptions);
    await expect(all(stream)).rejects.toThrow(message);
  });
});
