// Runs that stop and go on, and reward models that are saved, on every backbone: weights of each type, in one file and in shards.
// Greedy answers are those of the plain forward.
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openFolder } from '../../src/checkpoint/folder.js';
import type { OptimizerSettings } from '../../src/core/ports.js';
import type { Example, Problem } from '../../src/core/types.js';
import { addon } from '../../src/engine/binding.js';
import { createHost, type NativeHost } from '../../src/engine/host.js';
import { openModel } from '../../src/engine/open.js';
import { tokenisePrompt } from '../../src/text/prompt.js';
import { tinyBackbone, tinyBackbones } from '../fakes/backbones.js';
import { removeTemporary, temporary } from '../fakes/model-folder.js';
import { solidPng } from '../fakes/png.js';
import { sharded } from '../fakes/weights.js';
import { image, never, sampling } from './tiny-model.js';

afterAll(removeTemporary);

const host: NativeHost = createHost({
  device: 'cpu',
  dtype: 'float32',
  threads: 2,
  tokenBudget: 4096,
  maxImagePixels: 1e6,
  prompt: { solve: '{question}', givenAnswer: '{question} {answer}' },
});
const settings: OptimizerSettings = {
  lr: 3e-3,
  warmupSteps: 2,
  betas: [0.9, 0.95],
  eps: 1e-8,
  weightDecay: 0.1,
  clip: 1,
  freeze: [],
};

/** A question about `images` pictures with an answer of letters, labelled. */
function example(images: number): Example {
  const problem: Problem = {
    id: String(images),
    question: 'a b?',
    images: Array.from({ length: images }, (_, index) => ({
      bytes: solidPng(30 + 20 * index, 40, [90 * index, 10, 200]),
      name: `${index}.png`,
    })),
    answer: '1',
    questionType: 'free_form',
    answerType: 'text',
    choices: [],
    source: 'test',
  };
  const response = Int32Array.from({ length: 4 + images }, (_, i) => 70 + 5 * i);
  return { problem, variant: 'solve', response, labels: Float32Array.from(response, (_, i) => (i % 3) / 2) };
}
const batch = [0, 1, 2].map(example);
const at = batch.map(({ response }) => Uint32Array.from(response, (_, i) => i));
const filesOf = async (dir: string) =>
  (await openFolder(dir)).weights.map(({ path, tensors }) => [
    path.split('/').at(-1),
    tensors.map(({ name, dtype, shape }) => [name, dtype, shape]),
  ]);

describe.each(Object.keys(tinyBackbones))('%s', (name) => {
  test.each([
    ['F32', 1, 'float32'],
    ['F16', 1, 'float32'],
    ['BF16', 1, '8bit'],
    ['F32', 2, '8bit'],
    ['F16', 2, 'float32'],
    ['BF16', 3, 'float32'],
  ] as const)(
    'a run over %s weights in %i file(s) goes on bit for bit from %s moments',
    async (dtype, files, moments) => {
      const dir = await tinyBackbone(name, dtype);
      const source = files === 1 ? dir : await sharded(dir, files);
      await using whole = await host.openPolicy(source);
      await whole.resetOptimizer({ ...settings, moments });
      await whole.trainStep(batch);
      await whole.trainStep(batch.slice(1));
      const saved = join(temporary(), 'saved');
      await whole.save(saved, { withTrainer: true });
      const expected = [await whole.trainStep(batch), await whole.logprobs(batch)];
      expect(await filesOf(saved)).toEqual(await filesOf(source));

      await using resumed = await host.openPolicy(source);
      await resumed.resetOptimizer({ ...settings, moments });
      await resumed.restore(saved);
      expect(resumed.version).toBe(2);
      expect([await resumed.trainStep(batch), await resumed.logprobs(batch)]).toEqual(expected);
      await resumed.resetOptimizer({ ...settings, moments: moments === '8bit' ? 'float32' : '8bit' });
      await expect(resumed.restore(saved)).rejects.toThrow(`moments: ${moments}, wanted`);
    },
  );

  test.each(['F32', 'BF16'] as const)(
    'a reward model over %s weights is opened again with its scores',
    async (dtype) => {
      const source = await sharded(await tinyBackbone(name, dtype), 2);
      await using scorer = await host.openScorer(source, 'mean');
      await scorer.resetOptimizer({ ...settings, freeze: ['vision'], warmupSteps: 0 });
      const losses = [];
      for (let step = 0; step < 5; step++) losses.push((await scorer.trainStep(batch)).loss);
      expect(losses.at(-1)).toBeLessThan(losses[0] as number);
      const [first, second] = [join(temporary(), 'first'), join(temporary(), 'second')];
      await scorer.save(first);
      await using again = await host.openScorer(first, 'load');
      const scores = await again.score(batch, at);
      // The weights of a narrower file were rounded by the save.
      if (dtype === 'F32') expect(scores).toEqual(await scorer.score(batch, at));
      await again.save(second);
      await using third = await host.openScorer(second, 'load');
      expect(await third.score(batch, at)).toEqual(scores);
      expect(await filesOf(second)).toEqual(await filesOf(first));
      await expect(host.openPolicy(first)).rejects.toThrow('"reward_head.weight": surplus');
    },
  );

  test('greedy answers take the largest logit of the plain forward at every step', async () => {
    const { backbone, tokenizer, native } = await openModel(
      await tinyBackbone(name, 'F32', 5),
      { device: 'cpu', dtype: 'float32', threads: 2 },
      'none',
    );
    try {
      const pictures = [[], [image(1, 60, 40)], [image(2), image(3, 100, 30)]];
      const asked = pictures.map((images, index) => {
        const parts = backbone.render({ turns: [{ role: 'user', content: backbone.ask('a b?', images.length) }] });
        const layouts = images.map(({ width, height }) => native.imageLayout(width, height));
        return { tokens: tokenisePrompt(parts, tokenizer, backbone, layouts).tokens, images, n: 1, key: `q${index}` };
      });
      const greedy = sampling({ temperature: 0, maxTokens: 10, stop: Int32Array.of() });
      const { responses } = await native.rollout(asked, greedy, never(), null, null);
      for (const [index, [response]] of responses.entries()) {
        const { tokens, images } = asked[index] as (typeof asked)[number];
        for (let step = 0; step < 10; step++) {
          const so = Int32Array.from([...tokens, ...(response as { tokens: Int32Array }).tokens.subarray(0, step)]);
          const { logits } = await addon().checks.inspect(native, { tokens: so, images, response: new Int32Array() }, [
            'logits',
          ]);
          const { shape, data } = logits as { shape: readonly number[]; data: Float32Array };
          const last = data.subarray(data.length - (shape.at(-1) as number));
          expect(response?.tokens[step]).toBe(last.indexOf(Math.max(...last)));
        }
      }
    } finally {
      await native.dispose();
    }
  });
});
