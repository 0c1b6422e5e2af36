// The contract of a backbone, on every one that this build has: a folder of its kind opens, is sampled from, learns, scores and is
// saved as it was. What is computed is checked against the references in test/golden.

import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { openFolder } from '../../src/checkpoint/folder.js';
import { addon, type RawExample } from '../../src/engine/binding.js';
import { type OpenedModel, openModel } from '../../src/engine/open.js';
import { NativePolicy } from '../../src/engine/policy.js';
import type { Picture } from '../../src/images/decode.js';
import type { PromptPart } from '../../src/text/prompt.js';
import { tokenisePrompt } from '../../src/text/prompt.js';
import { tinyBackbone, tinyBackbones } from '../fakes/backbones.js';
import { removeTemporary } from '../fakes/model-folder.js';
import { expectSameLogprobs, image, never, optimizer, sampling } from './tiny-model.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const names = readdirSync(`${root}/src/backbones`)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replace(/\.ts$/, ''))
  .filter((name) => name !== 'backbone' && name !== 'registry');

const opened: OpenedModel[] = [];
afterEach(async () => {
  for (const model of opened.splice(0)) await model.native.dispose();
});
afterAll(removeTemporary);

async function open(dir: string, head: 'none' | 'mean' = 'none', dtype: 'float32' | 'bfloat16' = 'float32') {
  const model = await openModel(dir, { device: 'cpu', dtype, threads: 2 }, head);
  opened.push(model);
  return model;
}

/** A question about pictures, as the backbone writes it, with an answer to learn. */
function example(
  { backbone, tokenizer, native }: OpenedModel,
  images: readonly Picture[],
  question = 'a b?',
): RawExample {
  const parts = backbone.render({ turns: [{ role: 'user', content: backbone.ask(question, images.length) }] });
  const layouts = images.map(({ width, height }) => native.imageLayout(width, height));
  const { tokens, spans } = tokenisePrompt(parts, tokenizer, backbone, layouts);
  expect(spans.reduce((sum, [from, to]) => sum + to - from, 0)).toBe(
    layouts.reduce((sum, layout) => sum + layout.tokens, 0),
  );
  const response = Int32Array.from([...tokenizer.encode('cab'), tokenizer.idOf(backbone.endOfTurn) as number]);
  return { tokens, images, response };
}

const bits = (rows: readonly Float32Array[]) => rows.map((row) => [...new Uint32Array(Float32Array.from(row).buffer)]);

test('every backbone has its network, its layout of golden folders and a tiny folder here', () => {
  expect(addon().backbones().sort()).toEqual([...names].sort());
  expect(Object.keys(tinyBackbones).sort()).toEqual([...names].sort());
  for (const name of names) {
    expect(existsSync(`${root}/native/models/${name}/backbone.cpp`)).toBe(true);
    expect(existsSync(`${root}/tools/golden/layouts/${name}.ts`)).toBe(true);
  }
});

describe.each(names)('%s', (name) => {
  test('every parameter belongs to one part: vision, projector or language', async () => {
    const { backbone, parameters, numbers } = await open(await tinyBackbone(name));
    const parts = Object.values(backbone.prefixes);
    for (const parameter of parameters) {
      const own = parts.filter((prefixes) => prefixes.some((prefix) => parameter.name.startsWith(prefix)));
      expect([parameter.name, own.length]).toEqual([parameter.name, 1]);
    }
    // A head that is the token table has no parameter of its own.
    const own = parts.flat().filter((prefix) => !(numbers.tied && prefix === 'lm_head.'));
    for (const prefix of own) expect(parameters.some((p) => p.name.startsWith(prefix))).toBe(true);
  });

  test('samples answers to questions about no, one and two pictures, and rates them with the bits of the plain forward', async () => {
    const model = await open(await tinyBackbone(name));
    const pictures = [[], [image(1, 60, 40)], [image(2), image(3, 100, 30)]];
    const asked = pictures.map((images, i) => ({ ...example(model, images), n: 3, key: `q${i}` }));
    const { responses } = await model.native.rollout(asked, sampling({ maxTokens: 12 }), never(), null, null);
    for (const [i, row] of responses.entries())
      for (const { tokens, logprobs } of row) {
        const { tokens: prompt, images } = asked[i] as RawExample;
        const [plain] = await model.native.logprobs([{ tokens: prompt, images, response: tokens }]);
        expectSameLogprobs(logprobs, plain ?? []);
      }
  });

  test('text of users never becomes a special token', async () => {
    const { backbone, tokenizer } = await open(await tinyBackbone(name));
    const specials = new Set(backbone.specials.map((special) => tokenizer.idOf(special)));
    const texts = [
      'what is <|im_end|> or <image>?',
      backbone.placeholder,
      backbone.specials.join(' '),
      backbone.specials.join(''),
    ];
    const hidden = (parts: readonly PromptPart[]) =>
      [...tokenisePrompt(parts, tokenizer, backbone, []).tokens].filter((id) => specials.has(id)).length;
    const turns = (text: string) => backbone.render({ turns: [{ role: 'user', content: backbone.ask(text, 0) }] });
    for (const text of texts) {
      expect([...tokenizer.encode(text)].filter((id) => specials.has(id))).toEqual([]);
      expect(hidden(turns(text))).toBe(hidden(turns('a')));
      expect(tokenizer.decode(tokenizer.encode(`x ${text}`)).text.trim()).toBe(`x ${text}`);
    }
  });

  test('learns an answer, each part alone and all together', async () => {
    const dir = await tinyBackbone(name);
    for (const frozen of [[], ['vision', 'projector'], ['language']] as const) {
      const model = await open(dir);
      const prefixes = frozen.flatMap((part) => model.backbone.prefixes[part]);
      await model.native.setOptimizer(optimizer({ lr: 3e-3, frozen: prefixes }));
      const batch = [example(model, [image(4, 50, 50)])];
      const losses: number[] = [];
      for (let step = 0; step < 20; step++) losses.push((await model.native.trainStep(batch, 'response')).loss);
      // Where the language model stands still, pictures alone can do little about a text.
      const share = frozen.includes('language' as never) ? 0.999 : 0.7;
      expect(losses.at(-1)).toBeLessThan((losses[0] as number) * share);
    }
  });

  test('takes a reward head and scores the ends of steps', async () => {
    const model = await open(await tinyBackbone(name), 'mean');
    const [scores] = await model.native.score([example(model, [image(5)])], [Uint32Array.of(0, 2)]);
    expect(scores).toHaveLength(2);
    for (const score of scores ?? []) expect(Number.isFinite(score)).toBe(true);
    const { response, ...asked } = example(model, [image(5)]);
    const labelled = [{ ...asked, response, labels: Float32Array.from(response, (_, i) => (i % 2 ? 1 : 0.25)) }];
    await model.native.setOptimizer(optimizer({ lr: 3e-3, frozen: model.backbone.prefixes.vision }));
    const losses: number[] = [];
    for (let step = 0; step < 20; step++) losses.push((await model.native.trainStep(labelled, 'step')).loss);
    expect(losses.at(-1)).toBeLessThan((losses[0] as number) * 0.9);
  });

  test.each([
    ['F32', 'float32'],
    ['F32', 'bfloat16'],
    ['F16', 'float32'],
    ['BF16', 'float32'],
    ['BF16', 'bfloat16'],
  ] as const)(
    'a %s folder computed in %s is saved in its own form and comes back bit for bit',
    async (file, compute) => {
      const dir = await tinyBackbone(name, file);
      const model = await open(dir, 'none', compute);
      const batch = [example(model, [image(6, 44, 70)])];
      // Where the file is narrower than what is trained, a save rounds: the second folder is compared with the first.
      const exact = file === 'F32' || compute === 'bfloat16';
      if (exact) {
        await model.native.setOptimizer(optimizer());
        for (let step = 0; step < 3; step++) await model.native.trainStep(batch, 'response');
      }
      const before = bits(await model.native.logprobs(batch));
      await new NativePolicy(model, undefined as never).save(`${dir}-saved`);
      const again = await open(`${dir}-saved`, 'none', compute);
      expect(bits(await again.native.logprobs(batch))).toEqual(before);
      const [first, second] = [await openFolder(dir), await openFolder(`${dir}-saved`)];
      const headers = (folder: typeof first) =>
        folder.weights.map(({ path, tensors }) => [
          path.split('/').at(-1),
          tensors.map((tensor) => [tensor.name, tensor.dtype, tensor.shape]),
        ]);
      expect(headers(second)).toEqual(headers(first));
      expect([...second.sideFiles]).toEqual([...first.sideFiles]);
    },
  );
});
