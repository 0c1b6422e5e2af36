// Policies and scorers over the real engine and a tiny random model: sampling, learning, checkpoints, errors.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readSafetensors } from '../../../src/checkpoint/safetensors.js';
import { EngineError, UserError } from '../../../src/core/errors.js';
import type { OptimizerSettings, RolloutHooks } from '../../../src/core/ports.js';
import type { Example, Problem } from '../../../src/core/types.js';
import { checkModel } from '../../../src/engine/check.js';
import { createHost, loadModel } from '../../../src/engine/host.js';
import { addonBuilt, removeTemporary, temporary, tinyModel } from '../../fakes/model-folder.js';
import { solidPng } from '../../fakes/png.js';

afterAll(removeTemporary);

const options = {
  device: 'cpu',
  dtype: 'float32',
  threads: 2,
  tokenBudget: 4096,
  maxImagePixels: 1e6,
  prompt: { system: 'sys', solve: '{question}', givenAnswer: '{question} {answer}' },
} as const;
const host = createHost(options);
const settings: OptimizerSettings = {
  lr: 0.01,
  warmupSteps: 2,
  betas: [0.9, 0.95],
  eps: 1e-8,
  weightDecay: 0.1,
  clip: 1,
  freeze: [],
};
const sampling = { temperature: 1, topK: 0, topP: 1, maxTokens: 12 };

const problem = (index: number): Problem => ({
  id: String(index),
  question: `hello ${index}?`,
  images: [{ bytes: solidPng(20 + index, 20, [index * 40, 100, 200]), name: `${index}.png` }],
  answer: '1',
  questionType: 'free_form',
  answerType: 'text',
  choices: [],
  source: 'test',
});
const example = (index: number): Example => {
  const response = Int32Array.from({ length: 4 + index }, (_, i) => 260 + ((i * 7 + index) % 60));
  return {
    problem: problem(index),
    variant: 'solve',
    response,
    labels: Float32Array.from(response, (_, i) => (i % 3) / 2),
  };
};
const batch = [0, 1, 2].map(example);
const request = (index: number, n = 2) => ({ problem: problem(index), variant: 'solve' as const, n, key: `p${index}` });

describe.skipIf(!addonBuilt)('with the engine (skipped where the addon is not built)', () => {
  test('a created model has the same bytes for the same seed and others for another', async () => {
    const bytes = async (seed: number) => readFileSync(join(await tinyModel(seed), 'model.safetensors'));
    const first = await bytes(1);
    expect(Buffer.compare(first, await bytes(1))).toBe(0);
    expect(Buffer.compare(first, await bytes(2))).not.toBe(0);
  });

  test('a created model is opened, checked and summed up', async () => {
    expect(await checkModel(await tinyModel(1, 'BF16'), options)).toMatchObject({
      backbone: 'internvl2',
      kind: 'policy',
      files: 1,
      dtypes: ['BF16'],
    });
  });

  test('responses carry text, ends and log-probabilities, in the hook and in the result', async () => {
    await using policy = await host.openPolicy(await tinyModel());
    const seen = new Map<string, unknown>();
    const progress: number[] = [];
    const { responses, stats } = await policy.rollout([request(0), request(1, 3)], sampling, 5, {
      onResponse: (r, s, response) => seen.set(`${r}.${s}`, response),
      onProgress: (done) => progress.push(done),
    });
    expect(responses.map((row) => row.length)).toEqual([2, 3]);
    for (const [r, row] of responses.entries()) {
      for (const [s, response] of row.entries()) {
        expect(seen.get(`${r}.${s}`)).toBe(response);
        expect(response.logprobs).toHaveLength(response.tokens.length);
        expect(response.ends).toHaveLength(response.tokens.length);
        expect(response.ends.at(-1) ?? 0).toBe(response.text.length);
        expect(response.tokens.length).toBeLessThanOrEqual(sampling.maxTokens);
      }
    }
    expect(stats.visionEncodes).toBe(2);
    expect(stats.decodeTokens).toBeGreaterThan(0);
  });

  test('log-probabilities of a rollout are those of the teacher-forced forward', async () => {
    await using policy = await host.openPolicy(await tinyModel());
    const { responses } = await policy.rollout([request(0, 1)], sampling, 1);
    const response = responses[0]?.[0];
    if (!response) throw new Error('no response');
    const [forced] = await policy.logprobs([{ problem: problem(0), variant: 'solve', response: response.tokens }]);
    expect(forced).toEqual(response.logprobs);
  });

  test('an aborted rollout rejects with Stopped, whose cause is the reason of the signal', async () => {
    await using policy = await host.openPolicy(await tinyModel());
    const early = AbortSignal.abort(new Error('early'));
    await expect(policy.rollout([request(0)], sampling, 1, { signal: early })).rejects.toMatchObject({
      name: 'AbortError',
      cause: { message: 'early' },
    });
    const controller = new AbortController();
    // Aborted as soon as the first of many answers is there.
    const onResponse = () => controller.abort(new Error('enough'));
    const running = policy.rollout([request(0, 1024)], { ...sampling, maxTokens: 500 }, 1, {
      signal: controller.signal,
      onResponse,
    });
    await expect(running).rejects.toMatchObject({ name: 'AbortError', cause: { message: 'enough' } });
    expect((await policy.rollout([request(0)], sampling, 1)).responses).toHaveLength(1);
  });

  test('settings without meaning are refused before the engine is asked', async () => {
    await using policy = await host.openPolicy(await tinyModel());
    const roll = (over: Partial<typeof sampling>, seed = 1) =>
      policy.rollout([request(0)], { ...sampling, ...over }, seed);
    const wanted = 'wanted 0 (greedy), or at least 1e-30';
    await expect(roll({ temperature: -1 })).rejects.toThrow(`temperature: -1, ${wanted}`);
    await expect(roll({ temperature: 1e-40 })).rejects.toThrow(`temperature: 1e-40, ${wanted}`);
    await expect(roll({ topP: 0 })).rejects.toThrow(UserError);
    await expect(roll({ topK: 1.5 })).rejects.toThrow(UserError);
    await expect(roll({ maxTokens: 0 })).rejects.toThrow(UserError);
    await expect(roll({}, -1)).rejects.toThrow('seed: -1');
    await expect(policy.rollout([request(0, 0)], sampling, 1)).rejects.toThrow('n: 0');
  });

  test('a prompt that leaves no position is refused, and a response ends with the positions', async () => {
    await using policy = await host.openPolicy(await tinyModel());
    const asked = (question: string, n = 1) => ({ ...request(0, n), problem: { ...problem(0), question } });
    await expect(policy.rollout([request(1), asked('a b '.repeat(300))], sampling, 1)).rejects.toThrow(
      /^prompt of problem 0: \d{3,4} tokens, wanted fewer than the 512 positions of the model$/,
    );
    const long = asked('a b '.repeat(100), 8);
    const { responses } = await policy.rollout([asked('a', 8), long], { ...sampling, maxTokens: 400 }, 1);
    const lengths = responses.map((row) => Math.max(...row.map(({ tokens }) => tokens.length)));
    expect(lengths[0]).toBe(400);
    const cut = responses[1]?.find(({ finish }) => finish === 'length');
    if (!cut) throw new Error('no response was cut');
    expect(cut.tokens).toHaveLength(lengths[1] as number);
    expect(cut.logprobs).toHaveLength(cut.tokens.length);
    expect(cut.ends.at(-1)).toBe(cut.text.length);
    // With its prompt it fills the positions: a token more is refused, and nothing is left to go on with.
    const whole = { problem: long.problem, variant: 'solve' as const, response: cut.tokens };
    expect((await policy.logprobs([whole]))[0]).toHaveLength(cut.tokens.length);
    await expect(policy.logprobs([{ ...whole, response: Int32Array.of(...cut.tokens, 300) }])).rejects.toThrow(
      'response to problem 0: 513 tokens with its prompt, wanted at most the 512 positions of the model',
    );
    const more = await policy.rollout([{ ...long, n: 1, prefix: cut.tokens }], sampling, 1);
    expect(more.responses[0]).toMatchObject([{ text: '', finish: 'length' }]);
  });

  test('what a hook throws rejects the call, which ends early', async () => {
    await using policy = await host.openPolicy(await tinyModel());
    const calls = { onResponse: 0 };
    const onResponse = () => {
      calls.onResponse++;
      throw new Error('mine');
    };
    const roll = (hooks: RolloutHooks) => policy.rollout([request(0, 200)], { ...sampling, maxTokens: 300 }, 1, hooks);
    await expect(roll({ onResponse })).rejects.toThrow('mine');
    expect(calls.onResponse).toBe(1);
    const later = () => Promise.reject(new Error('later'));
    await expect(roll({ onResponse: later })).rejects.toThrow('later');
    await expect(
      roll({
        onProgress() {
          throw new Error('progress');
        },
      }),
    ).rejects.toThrow('progress');
    expect((await policy.rollout([request(0)], sampling, 1)).responses).toHaveLength(1);
  });

  test.each([
    [{ wieght: 2 }, 'example: wieght: unknown, did you mean weight?'],
    [{ weight: Number.NaN }, 'weight of an example of problem'],
  ])('an example with %j is refused', async (more, message) => {
    await using policy = await loadModel(await tinyModel());
    await policy.resetOptimizer(settings);
    await expect(policy.trainStep([{ ...(batch[0] as Example), ...more }])).rejects.toThrow(message);
    const misspelt = { ...settings, weightdecay: 0 };
    await expect(policy.resetOptimizer(misspelt)).rejects.toThrow('weightdecay: unknown, did you mean weightDecay?');
  });

  test('use after dispose is an engine error with a code and the stack of the caller', async () => {
    const policy = await host.openPolicy(await tinyModel());
    await policy.dispose();
    const failure = await policy.logprobs([batch[0] as Example]).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(EngineError);
    expect(failure).toMatchObject({ code: 'ERR_DISPOSED' });
    expect((failure as Error).stack).toContain('model.test');
  });

  test.each(['F32', 'BF16', 'F16'] as const)(
    'a run that is saved and restored from %s weights goes on bit for bit',
    async (dtype) => {
      const source = await tinyModel(3, dtype);
      await using whole = await host.openPolicy(source);
      await whole.resetOptimizer(settings);
      await whole.trainStep(batch);
      await whole.trainStep(batch.slice(1));
      const saved = join(temporary(), 'saved');
      await whole.save(saved, { withTrainer: true });
      const expected = [await whole.trainStep(batch), await whole.logprobs(batch)];

      await using resumed = await host.openPolicy(source);
      await resumed.resetOptimizer(settings);
      await resumed.restore(saved);
      expect(resumed.version).toBe(2);
      expect([await resumed.trainStep(batch), await resumed.logprobs(batch)]).toEqual(expected);
    },
  );

  test('a saved folder is a model of the same form that gives the same numbers', async () => {
    const source = await tinyModel(4);
    await using policy = await host.openPolicy(source);
    await policy.resetOptimizer(settings);
    await policy.trainStep(batch);
    const saved = join(temporary(), 'saved');
    await policy.save(saved);
    expect(readdirSync(saved)).toEqual(readdirSync(source));
    const header = async (dir: string) => (await readSafetensors(join(dir, 'model.safetensors'))).tensors;
    expect(await header(saved)).toEqual(await header(source));
    await using again = await host.openPolicy(saved);
    expect(await again.logprobs(batch)).toEqual(await policy.logprobs(batch));
    expect(again.version).toBe(0);
  });

  test('frozen parts keep their bytes', async () => {
    const source = await tinyModel();
    await using policy = await host.openPolicy(source);
    await policy.resetOptimizer({ ...settings, freeze: ['vision', 'projector'], warmupSteps: 0 });
    await policy.trainStep(batch);
    const saved = join(temporary(), 'saved');
    await policy.save(saved, { withTrainer: true });
    const [before, after] = [
      readFileSync(join(source, 'model.safetensors')),
      readFileSync(join(saved, 'model.safetensors')),
    ];
    for (const { name, begin, end } of (await readSafetensors(join(saved, 'model.safetensors'))).tensors) {
      const same = before.subarray(begin, end).equals(after.subarray(begin, end));
      expect([name, same]).toEqual([name, !name.startsWith('language_model.')]);
    }
    const state = (await readSafetensors(join(saved, 'trainer.safetensors'))).tensors;
    expect(state.every(({ name }) => name.includes('.language_model.'))).toBe(true);
  });

  test('a scorer learns, is saved with its head, and is opened again', async () => {
    const source = await tinyModel();
    await using scorer = await host.openScorer(source, 'mean');
    const at = batch.map(({ response }) => Uint32Array.from(response, (_, i) => i));
    await scorer.resetOptimizer({ ...settings, freeze: ['vision'], warmupSteps: 0 });
    const first = await scorer.trainStep(batch);
    const second = await scorer.trainStep(batch);
    expect(second.loss).toBeLessThan(first.loss);
    const saved = join(temporary(), 'saved');
    await scorer.save(saved, { withTrainer: true });
    const scores = await scorer.score(batch, at);
    expect(scores.map((row) => row.length)).toEqual(batch.map(({ response }) => response.length));
    await using again = await host.openScorer(saved, 'load');
    expect(await again.score(batch, at)).toEqual(scores);
    expect(await checkModel(saved, options)).toMatchObject({ kind: 'process reward model' });
    await expect(host.openPolicy(saved)).rejects.toThrow('"reward_head.weight": surplus');
    await expect(host.openScorer(source, 'load')).rejects.toThrow('"reward_head.weight": missing');
  });

  test('trainer state needs an optimizer', async () => {
    await using policy = await host.openPolicy(await tinyModel());
    await expect(policy.save(join(temporary(), 'x'), { withTrainer: true })).rejects.toThrow('resetOptimizer first');
  });

  describe('damaged folders are refused in one line that names the file', () => {
    const damaged = async (change: (dir: string) => void) => {
      const source = await tinyModel();
      const dir = join(temporary(), 'model');
      mkdirSync(dir);
      for (const name of readdirSync(source)) copyFileSync(join(source, name), join(dir, name));
      change(dir);
      const failure = (await checkModel(dir, options).catch((error: unknown) => error)) as Error;
      expect(failure).toBeInstanceOf(UserError);
      expect(failure.message).toMatch(/^\/[^\n]+$/);
      return failure.message;
    };
    const edit = (file: string, change: (json: Record<string, never>) => void) => (dir: string) => {
      const json = JSON.parse(readFileSync(join(dir, file), 'utf8'));
      change(json);
      writeFileSync(join(dir, file), JSON.stringify(json));
    };

    test('a weight that is not finite', async () => {
      const message = await damaged((dir) => {
        const file = join(dir, 'model.safetensors');
        const bytes = readFileSync(file);
        bytes.writeFloatLE(Number.NaN, bytes.length - 4);
        writeFileSync(file, bytes);
      });
      expect(message).toMatch(/model\.safetensors: .*not finite/);
    });

    test('no tokenizer', async () => {
      expect(await damaged((dir) => rmSync(join(dir, 'tokenizer.model')))).toContain(
        'tokenizer.model: file: no such file',
      );
    });

    test('a special token without an id', async () => {
      const drop = edit('tokenizer_config.json', (json) => Object.assign(json, { added_tokens_decoder: {} }));
      expect(await damaged(drop)).toContain('tokenizer_config.json: added_tokens_decoder: no <s>');
    });

    test('a vocabulary smaller than the tokenizer', async () => {
      const shrink = edit('config.json', (json: { llm_config?: object }) =>
        Object.assign(json.llm_config ?? {}, { vocab_size: 100 }),
      );
      expect(await damaged(shrink)).toContain('vocab_size: 100, wanted at least');
    });

    test('a config whose sizes are not those of the weights', async () => {
      const grow = edit('config.json', (json: { llm_config?: object }) =>
        Object.assign(json.llm_config ?? {}, { intermediate_size: 25 }),
      );
      expect(await damaged(grow)).toMatch(/feed_forward.*shape \[24,16\], wanted \[25,16\]/);
    });
  });
});
