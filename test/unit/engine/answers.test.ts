// Answers to questions without a data set, over the real engine and a tiny random model: one call, many at once, a stream.
import { afterAll, describe, expect, test } from 'vitest';
import { UserError } from '../../../src/core/errors.js';
import { loadModel } from '../../../src/engine/host.js';
import { addonBuilt, removeTemporary, tinyModel } from '../../fakes/model-folder.js';
import { solidPng } from '../../fakes/png.js';

afterAll(removeTemporary);

describe.skipIf(!addonBuilt)('with the engine (skipped where the addon is not built)', () => {
  test('answers to one question are drawn anew unless a seed is given', async () => {
    await using policy = await loadModel(await tinyModel());
    const ask = async (seed?: number) => {
      const [answer] = await policy.generate({ question: 'hello?', temperature: 1, maxTokens: 12, seed });
      return answer?.tokens.join();
    };
    expect(await ask(3)).toBe(await ask(3));
    expect(await ask()).not.toBe(await ask());
  });

  test('questions asked together are sampled in one call, each as when it is asked alone', async () => {
    let calls = 0;
    await using policy = await loadModel(await tinyModel(), { onRollout: () => calls++ });
    const ask = (seed: number, more = {}) =>
      policy.generate({ question: `hello ${seed}?`, temperature: 1, maxTokens: 12, seed, ...more });
    const alone = [await ask(1), await ask(2), await ask(2)];
    const others = [ask(3, { n: 0 }), ask(4, { signal: AbortSignal.abort() })].map((call) =>
      call.catch((error: Error) => error.name),
    );
    expect(await Promise.all([ask(1), ask(2), ask(2)])).toEqual(alone);
    expect(await Promise.all(others)).toEqual(['UserError', 'AbortError']);
    calls = 0;
    await Promise.all([ask(1), ask(2), ask(3, { maxTokens: 3 })]);
    expect(calls).toBe(2);
  });

  test('streamed answers are those of a call with the same seed, and who leaves early ends the sampling', async () => {
    await using policy = await loadModel(await tinyModel());
    const questions = ['one?', 'two?', 'three?'].map((question) => ({ question }));
    const options = { n: 3, temperature: 1, maxTokens: 12, seed: 7, ahead: 2 };
    const runs: Map<string, string>[] = [];
    for (let run = 0; run < 2; run++) {
      const seen = new Map<string, string>();
      for await (const { question, sample, tokens } of policy.stream(questions, options))
        seen.set(`${question}/${sample}`, tokens.join());
      runs.push(seen);
    }
    expect(runs[0]?.size).toBe(9);
    expect(new Set(runs[0]?.values()).size).toBeGreaterThan(4);
    expect([...(runs[1] ?? [])].sort()).toEqual([...(runs[0] ?? [])].sort());
    for await (const { finish } of policy.stream(questions, { n: 64, temperature: 1, maxTokens: 500 })) {
      expect(['stop', 'length']).toContain(finish);
      break;
    }
    expect(await policy.generate({ question: 'and now?', maxTokens: 2 })).toHaveLength(1);
  });

  test('a question that is given up leaves those asked with it', async () => {
    await using policy = await loadModel(await tinyModel());
    const controller = new AbortController();
    const ask = (signal?: AbortSignal) => policy.generate({ question: 'hello?', maxTokens: 40, signal });
    const [given, kept] = [ask(controller.signal).catch((error: unknown) => error), ask()];
    setImmediate(() => controller.abort('enough'));
    expect(await given).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'enough' });
    expect(await kept).toHaveLength(1);
  });

  test.each([
    [undefined, 'generate: options: missing, wanted a value of type object'],
    [{}, 'generate: question: missing, wanted a value of type string'],
    [{ question: 7 }, 'generate: question: 7, wanted a value of type string'],
    [{ question: 'q', images: null }, 'generate: images: null, wanted a value of type array'],
    [{ question: 'q', images: 'a.png' }, 'generate: images: "a.png", wanted a value of type array'],
    [{ question: 'q', images: [null] }, 'generate: images.0: null, wanted a path or encoded bytes'],
    [{ question: 'q', temprature: 1 }, 'generate: temprature: unknown, did you mean temperature?'],
    [{ question: 'q', n: '2' }, 'generate: n: "2", wanted a value of type number'],
    [{ question: 'q', signal: {} }, 'generate: signal: {}, wanted'],
  ])('one question: %j', async (given, message) => {
    await using policy = await loadModel(await tinyModel());
    const failure = await policy.generate(given as never).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UserError);
    expect((failure as Error).message).toContain(message);
  });

  test('one question is answered without a data set', async () => {
    await using model = await loadModel(await tinyModel(), { threads: 1 });
    const ask = () =>
      model.generate({
        question: 'hello?',
        images: [solidPng(9, 9, [1, 2, 3])],
        n: 3,
        temperature: 1,
        maxTokens: 8,
        seed: 4,
      });
    const answers = await ask();
    expect(answers).toHaveLength(3);
    expect(await ask()).toEqual(answers);
  });
});
