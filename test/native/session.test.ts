// Sessions: calls that come one by one are computed together, each as if it were alone, and each can be given up.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type {
  NativeModel,
  NativeSession,
  RawRequest,
  RawResponse,
  RawRollout,
  RawSampling,
} from '../../src/engine/binding.js';
import {
  image,
  largestDifference,
  never,
  open,
  openTensor,
  optimizer,
  prompt,
  removeTemporary,
  sampling,
} from './tiny-model.js';

let model: NativeModel;
beforeAll(async () => {
  model = await open();
});
afterAll(async () => {
  await model.dispose();
  removeTemporary();
});

/** Calls that differ in all that a call may say. */
const calls = (on: NativeModel): { request: RawRequest; how: RawSampling }[] =>
  Array.from({ length: 12 }, (_, i) => ({
    request: { ...prompt(on, i % 5, i % 3 === 0 ? [] : [image(i % 5)]), n: 1 + (i % 4), key: `call ${i}` },
    how: sampling({
      temperature: [1, 0, 0.5, 1.5][i % 4] as number,
      topK: i % 5 === 0 ? 9 : 0,
      topP: i % 3 === 0 ? 0.8 : 1,
      maxTokens: 1 + 7 * (i % 6),
      seed: i % 7,
      ...(i % 2 === 0 && { stop: Int32Array.of(5, 9) }),
    }),
  }));

const plain = (responses: readonly RawResponse[] | undefined) =>
  (responses ?? []).map((r) => [[...r.tokens], [...r.logprobs], r.finish]);

const ask = (session: NativeSession, { request, how }: { request: RawRequest; how: RawSampling }, flag = never()) =>
  session.rollout([request], how, flag, null, null);

async function alone(on: NativeModel): Promise<unknown[]> {
  const results: unknown[] = [];
  for (const { request, how } of calls(on)) {
    const { responses } = await on.rollout([request], how, never(), null, null);
    results.push(plain(responses[0]));
  }
  return results;
}

const turn = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));

describe('a session', () => {
  test('answers calls as rollouts of each alone do, whatever order they come in', async () => {
    const wanted = await alone(model);
    for (const order of ['together', 'one by one', 'backwards'] as const) {
      const session = await model.openSession();
      const indexed = [...calls(model).entries()];
      if (order === 'backwards') indexed.reverse();
      const asked: [number, Promise<RawRollout>][] = [];
      for (const [i, call] of indexed) {
        asked.push([i, ask(session, call)]);
        if (order === 'one by one') await turn(1);
      }
      for (const [i, result] of asked) expect(plain((await result).responses[0]), order).toEqual(wanted[i]);
      await session.close();
    }
  });

  test('does so with the tensor executor as well, where calls of one batch draw in different ways', async () => {
    const tensor = await openTensor({ threads: 1, kvBytes: 2 << 20 });
    const some = calls(tensor)
      .slice(0, 5)
      .map(({ request, how }) => ({ request, how: { ...how, maxTokens: 9 } }));
    const session = await tensor.openSession();
    const results = await Promise.all(some.map((call) => ask(session, call)));
    await session.close();
    for (const [i, { responses }] of results.entries()) {
      const { request, how } = some[i] as (typeof some)[number];
      const whole = await tensor.rollout([request], how, never(), null, null);
      // Sums of a batch depend on its size here, by rounding.
      for (const [sample, { tokens, logprobs }] of (responses[0] ?? []).entries()) {
        const alone = whole.responses[0]?.[sample];
        expect([...tokens]).toEqual([...(alone?.tokens ?? [])]);
        expect(largestDifference(logprobs, alone?.logprobs ?? [])).toBeLessThan(1e-4);
      }
    }
    await tensor.dispose();
  });

  test('answers calls alike where the memory holds few of them at a time', async () => {
    const wanted = await alone(model);
    const small = await open({ kvBytes: 20 * 2 * 2 * 2 * 8 * 16 * 4 });
    const session = await small.openSession();
    const results = await Promise.all(calls(small).map((call) => ask(session, call)));
    expect(results.reduce((sum, { recomputedTokens }) => sum + recomputedTokens, 0)).toBeGreaterThan(0);
    for (const [i, { responses }] of results.entries()) expect(plain(responses[0])).toEqual(wanted[i]);
    await session.close();
    await small.dispose();
  });

  test('tells of tokens as they are drawn, of a response at its end, and gives the same in all', async () => {
    const session = await model.openSession();
    const request = { ...prompt(model, 1, [image(1)]), n: 3, key: 'told' };
    const told: number[][] = [[], [], []];
    const ended: number[][] = [];
    const { responses } = await session.rollout(
      [request],
      sampling({ maxTokens: 30, stop: new Int32Array(0) }),
      never(),
      (_, sample, { tokens }) => {
        ended[sample] = [...tokens];
      },
      null,
      (_, sample, { tokens, logprobs }) => {
        expect(logprobs).toHaveLength(tokens.length);
        told[sample]?.push(...tokens);
      },
    );
    const tokens = responses[0]?.map((response) => [...response.tokens]);
    expect(ended).toEqual(tokens);
    // The last ones come with the response.
    expect(told).toEqual(tokens?.map((all) => all.slice(0, -1)));
    await session.close();
  });

  test('gives the memory of calls back that are cancelled, before or while they are computed', async () => {
    const session = await model.openSession();
    const flags = Array.from({ length: 40 }, never);
    const long = sampling({ maxTokens: 100_000, stop: new Int32Array(0) });
    const asked = flags.map((flag, i) =>
      ask(session, { request: { ...prompt(model, 2, [image(2)]), n: 8, key: `long ${i}` }, how: long }, flag),
    );
    await expect.poll(() => session.state().kvBytes).toBeGreaterThan(0);
    expect(session.state().running).toBeGreaterThan(0);
    const beside = calls(model)[3] as ReturnType<typeof calls>[number];
    const other = ask(session, beside);
    for (const flag of flags) flag.cancel();
    const results = await Promise.allSettled(asked);
    expect(new Set(results.map((result) => (result as PromiseRejectedResult).reason.code))).toEqual(
      new Set(['ERR_CANCELLED']),
    );
    const { responses } = await other;
    await expect.poll(() => session.state()).toMatchObject({ running: 0, waiting: 0, kvBytes: 0 });
    await session.close();
    const again = await model.rollout([beside.request], beside.how, never(), null, null);
    expect(plain(responses[0])).toEqual(plain(again.responses[0]));
  });

  test('gives up one response of a call and goes on with the others', async () => {
    const session = await model.openSession();
    const request = { ...prompt(model, 1), n: 3, key: 'three' };
    const how = sampling({ maxTokens: 40, stop: new Int32Array(0) });
    const flag = never();
    let seen = 0;
    const { responses } = await session.rollout([request], how, flag, null, null, (_, sample) => {
      if (sample === 1 && ++seen === 2) flag.drop(0, 1);
    });
    await session.close();
    const whole = await model.rollout([request], how, never(), null, null);
    const [first, , third] = plain(whole.responses[0]);
    expect([plain(responses[0])[0], plain(responses[0])[2]]).toEqual([first, third]);
    expect(responses[0]?.[1]?.tokens.length === 0 || responses[0]?.[1]?.tokens.length === 40).toBe(true);
  });

  test('refuses a call that its memory cannot hold, and answers the others', async () => {
    const small = await open({ threads: 1, kvBytes: 12 * 2 * 2 * 2 * 8 * 16 * 4 });
    const session = await small.openSession();
    const huge = { tokens: new Int32Array(400).fill(4), images: [], n: 1, key: 'huge' };
    const [bad, good] = await Promise.allSettled([
      ask(session, { request: huge, how: sampling() }),
      ask(session, { request: { ...prompt(small, 1), n: 1, key: 'good' }, how: sampling() }),
    ]);
    expect((bad as PromiseRejectedResult).reason.message).toMatch(
      /^memory for keys and values: \d+ MiB are too little for a prompt of 400 tokens with its responses; give kvGib more/,
    );
    expect(good.status).toBe('fulfilled');
    await session.close();
    await small.dispose();
  });

  test('keeps the weights as they are: until it is closed the model neither learns nor samples by itself', async () => {
    const session = await model.openSession();
    const call = calls(model)[1] as ReturnType<typeof calls>[number];
    const isOpen = /a session of this model is open: close it first/;
    await expect(model.rollout([call.request], call.how, never(), null, null)).rejects.toThrow(isOpen);
    await expect(model.setOptimizer(optimizer())).rejects.toThrow(isOpen);
    await expect(model.openSession()).rejects.toThrow(isOpen);
    const scored = await model.logprobs([{ ...call.request, response: Int32Array.of(3, 4) }]);
    expect(scored[0]).toHaveLength(2);
    const last = ask(session, call);
    await session.close();
    await last;
    expect(() => ask(session, call)).toThrow(/the session was closed/);
    await model.rollout([call.request], call.how, never(), null, null);
  });

  test('ends with its model', async () => {
    const other = await open();
    const session = await other.openSession();
    const long = sampling({ maxTokens: 100_000, stop: new Int32Array(0) });
    const asked = ask(session, { request: { ...prompt(other, 1), n: 2, key: 'x' }, how: long });
    await expect.poll(() => session.state().running).toBe(2);
    const gone = other.dispose();
    await expect(asked).rejects.toThrow(/cancelled/);
    await session.close();
    await gone;
  });
});
