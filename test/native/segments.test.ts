// The backward by segments against the backward through one graph: the same bits whatever is run again, on every backbone.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openFolder } from '../../src/checkpoint/folder.js';
import { engineWeights } from '../../src/checkpoint/parameters.js';
import { addon, type ModelSpec, type NativeModel, type RawExample } from '../../src/engine/binding.js';
import { aliasOf, type DescribedModel, describeModel } from '../../src/engine/open.js';
import type { Picture } from '../../src/images/decode.js';
import { tokenisePrompt } from '../../src/text/prompt.js';
import { tinyBackbone, tinyBackbones } from '../fakes/backbones.js';
import { removeTemporary as removeFolders } from '../fakes/model-folder.js';
import { image, optimizer, prompt, removeTemporary, spec, stream, temporary } from './tiny-model.js';

afterAll(removeTemporary);
afterAll(removeFolders);

type Objective = 'response' | 'step';
const headOf = (objective: Objective): ModelSpec['head'] => (objective === 'step' ? 'mean' : 'none');
const ONE_GRAPH = 'one graph';
type How = number | typeof ONE_GRAPH;

/** Opens a model whose backward runs `how` layers again, or goes through one graph. */
function load(of: ModelSpec, how: How): Promise<NativeModel> {
  const one = how === ONE_GRAPH;
  return addon().checks.loadModel(one ? of : { ...of, recompute: how }, { oneGraph: one });
}

/** Loss, names of the parameters that are reached, and what their gradients’ bytes digest to. */
async function gradients(of: ModelSpec, how: How, batchOf: Batch, objective: Objective): Promise<unknown> {
  const model = await load(of, how);
  const { loss, gradients } = await addon().checks.gradients(model, batchOf(model), objective);
  await model.dispose();
  return { loss, gradients: Object.entries(gradients).map(([name, { data }]) => [name, digest(data)]) };
}

/** Reports of two steps and a digest of all weights after them. */
async function twoSteps(of: ModelSpec, how: How, batchOf: Batch, objective: Objective, frozen: readonly string[]) {
  const model = await load(of, how);
  await model.setOptimizer(optimizer({ frozen, clip: 0.5 }));
  const reports = [await model.trainStep(batchOf(model), objective), await model.trainStep(batchOf(model), objective)];
  const file = path.join(temporary(), 'weights.bin');
  const tensors = model.parameters().map(({ name }) => ({ name, dtype: 'F32' as const }));
  await model.save([{ path: file, header: new Uint8Array(0), tensors }]);
  await model.dispose();
  return { reports, weights: digest(readFileSync(file)) };
}

/** Stands for the bytes in a failure that can be read. */
const digest = (data: Uint8Array | Float32Array): string => createHash('sha256').update(data).digest('base64');

type Batch = (model: NativeModel) => RawExample[];

function answer(tokens: readonly number[], seed: number, weight: number): Omit<RawExample, 'tokens' | 'images'> {
  const random = stream(seed);
  const response = Int32Array.from({ length: 3 + (seed % 6) }, () => tokens[Math.floor(random() * tokens.length)] ?? 0);
  return { response, labels: Float32Array.from(response, () => random()), weight };
}

/** Questions about no, one and two pictures, some asked twice, as the backbone writes them. */
function questions({ backbone, tokenizer }: DescribedModel): Batch {
  const words = [...tokenizer.encode('cab bca')];
  const asked: readonly (readonly Picture[])[] = [
    [],
    [image(1, 60, 40)],
    [image(2), image(3, 100, 30)],
    [image(1, 60, 40)],
  ];
  return (model) =>
    asked.flatMap((images, i) => {
      const parts = backbone.render({ turns: [{ role: 'user', content: backbone.ask('a b?', images.length) }] });
      const layouts = images.map(({ width, height }) => model.imageLayout(width, height));
      const { tokens } = tokenisePrompt(parts, tokenizer, backbone, layouts);
      return Array.from({ length: 1 + (i % 2) }, (_, r) => ({
        tokens,
        images,
        ...answer(words, 10 * i + r + 1, [1, -0.5, 2][i % 3] as number),
      }));
    });
}

describe.each(Object.keys(tinyBackbones))('%s', (name) => {
  test.each([
    ['response', 'float32'],
    ['step', 'float32'],
    ['response', 'bfloat16'],
    ['step', 'bfloat16'],
  ] as const)(
    'of the %s objective in %s has the gradients of one graph, however many layers are run again',
    async (objective, dtype) => {
      const dir = await tinyBackbone(name);
      const described = await describeModel(await openFolder(dir));
      const { folder, backbone, numbers } = described;
      const of: ModelSpec = {
        backbone: backbone.name,
        config: numbers,
        weights: await engineWeights(folder.weights, aliasOf(described)),
        device: 'cpu',
        dtype,
        threads: 2,
        head: headOf(objective),
        // Several micro-batches, some with more than one prompt.
        tokenBudget: 120,
      };
      const whole = await gradients(of, ONE_GRAPH, questions(described), objective);
      for (let layers = 0; layers <= numbers.l_layers; layers++)
        expect(await gradients(of, layers, questions(described), objective), `${layers} layers`).toEqual(whole);
    },
  );

  test('learns the same weights with any of its parts frozen', async () => {
    const described = await describeModel(await openFolder(await tinyBackbone(name)));
    const { folder, backbone, numbers } = described;
    const weights = await engineWeights(folder.weights, aliasOf(described));
    const { vision, projector, language } = backbone.prefixes;
    for (const [frozen, dtype] of [
      [[...vision], 'float32'],
      [[...vision, ...projector], 'bfloat16'],
      [[...language], 'float32'],
      [[...vision, ...language], 'float32'],
    ] as const) {
      const of: ModelSpec = {
        backbone: backbone.name,
        config: numbers,
        weights,
        device: 'cpu',
        dtype,
        threads: 1,
        head: 'none',
        tokenBudget: 8192,
      };
      const batch = questions(described);
      const whole = await twoSteps(of, ONE_GRAPH, batch, 'response', frozen);
      for (const layers of [0, 1, numbers.l_layers])
        expect(await twoSteps(of, layers, batch, 'response', frozen), `${frozen}: ${layers}`).toEqual(whole);
    }
  });
});

describe('a model of five layers and three vision layers', () => {
  const deep = { l_layers: 5, v_layers: 3 };
  const batchOf =
    (length: number): Batch =>
    (model) =>
      [1, 2, 3].map((seed) => ({
        ...prompt(model, seed, [image(seed % 2)]),
        ...answer([7, 8, 9, 21], seed, 1),
        ...(seed === 1 && {
          response: Int32Array.from({ length }, (_, i) => 3 + (i % 50)),
          labels: new Float32Array(length).fill(0.5),
        }),
      }));

  test('has the same gradients for every number of kept layers, and from each number of threads', async () => {
    const of = spec({}, deep);
    const whole = await gradients(of, ONE_GRAPH, batchOf(9), 'response');
    for (let layers = 0; layers <= 5; layers++)
      expect(await gradients({ ...of, threads: 1 + (layers % 3) }, layers, batchOf(9), 'response')).toEqual(whole);
  });

  test('has them where the output is computed in more than one piece', async () => {
    const long = addon().decoderShape('internvl2', spec().config).headChunk + 40;
    for (const dtype of ['float32', 'bfloat16'] as const) {
      const of = spec({ dtype }, { l_layers: 1, v_layers: 1 });
      const whole = await gradients(of, ONE_GRAPH, batchOf(long), 'response');
      for (const layers of [0, 1]) expect(await gradients(of, layers, batchOf(long), 'response')).toEqual(whole);
    }
  });

  test('has no gradient where no parameter that learns is reached, and takes the step', async () => {
    const of = spec({}, deep);
    const text: Batch = (model) => [{ ...prompt(model, 1), ...answer([7, 8], 1, 1) }];
    const { reports } = await twoSteps(of, 2, text, 'response', ['language_model.', 'mlp1.']);
    expect(reports.map(({ gradNorm, version }) => [gradNorm, version])).toEqual([
      [0, 1],
      [0, 2],
    ]);
  });
});
