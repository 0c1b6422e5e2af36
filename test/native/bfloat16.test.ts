// bfloat16 weights with a float32 master: small updates add up, and nothing is lost between checkpoints.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { TensorRange, WeightFile } from '../../src/checkpoint/safetensors.js';
import type { NativeModel, RawExample } from '../../src/engine/binding.js';
import { open, optimizer, prompt, removeTemporary, stream, temporary } from './tiny-model.js';

afterAll(removeTemporary);

const SMALL = { l_layers: 1, v_layers: 1 };
const STEPS = 1000;

function batch(model: NativeModel): RawExample[] {
  const random = stream(40);
  const response = Int32Array.from({ length: 6 }, () => 3 + Math.floor(random() * 50));
  return [{ ...prompt(model, 0, []), response }];
}

/** Saves every parameter as `dtype` and says where they lie in the file. */
async function save(model: NativeModel, dtype: 'F32' | 'BF16'): Promise<WeightFile> {
  const file = path.join(temporary(), 'weights.bin');
  const size = dtype === 'F32' ? 4 : 2;
  let at = 0;
  const tensors = model.parameters().map(({ name, shape }): TensorRange => {
    const begin = at;
    at += size * shape.reduce((a, b) => a * b, 1);
    return { name, dtype, shape, begin, end: at };
  });
  await model.save([{ path: file, header: new Uint8Array(0), tensors: tensors.map(({ name }) => ({ name, dtype })) }]);
  return { path: file, tensors };
}

async function values(model: NativeModel): Promise<Float32Array> {
  const { path: file } = await save(model, 'F32');
  return new Float32Array(Uint8Array.from(readFileSync(file)).buffer);
}

/** Weights after many small steps minus those before; `rounded`: weights are cut to bfloat16 after every step. */
async function travelled(model: NativeModel, rounded = false): Promise<Float64Array> {
  await model.setOptimizer(optimizer({ lr: 1e-6, weightDecay: 0 }));
  const examples = batch(model);
  const start = await values(model);
  for (let step = 1; step <= STEPS; step++) {
    await model.trainStep(examples, 'response');
    if (rounded) await model.restore([await save(model, 'BF16')], step);
  }
  const end = await values(model);
  await model.dispose();
  return Float64Array.from(end, (value, i) => value - (start[i] as number));
}

/** Weights that bfloat16 holds exactly, so that every run starts from the same numbers. */
async function sameStart(): Promise<(dtype: 'float32' | 'bfloat16') => Promise<NativeModel>> {
  const made = await open({ dtype: 'bfloat16' }, SMALL);
  const weights = await save(made, 'BF16');
  await made.dispose();
  return (dtype) => open({ dtype, weights: [weights] }, SMALL);
}

const norm = (values: Float64Array): number => Math.hypot(...values);

test('a thousand steps of 1e-6 in bfloat16 follow the float32 run, and without the master they are lost', async () => {
  const start = await sameStart();
  const exact = await travelled(await start('float32'));
  const master = await travelled(await start('bfloat16'));
  const plain = await travelled(await start('bfloat16'), true);
  const apart = (found: Float64Array) => norm(found.map((value, i) => value - (exact[i] as number))) / norm(exact);
  console.log(
    `distance from the float32 run: ${apart(master).toFixed(3)} with the master, ${apart(plain).toFixed(3)} without`,
  );
  expect(apart(master)).toBeLessThan(0.15);
  expect(apart(plain)).toBeGreaterThan(0.9);
}, 300_000);

test('float32 values pass through the halves bit for bit', async () => {
  const [exact, halves] = [await open({}, SMALL), await open({ dtype: 'bfloat16' }, SMALL)];
  await halves.setOptimizer(optimizer());
  await halves.restore([await save(exact, 'F32')], 0);
  expect(await values(halves)).toEqual(await values(exact));
  await exact.dispose();
  await halves.dispose();
});

test('a model that is saved with its masters and restored goes on as if nothing had happened', async () => {
  const one = await open({ dtype: 'bfloat16' }, SMALL);
  const examples = batch(one);
  await one.setOptimizer(optimizer({ lr: 1e-5 }));
  await one.trainStep(examples, 'response');
  const masters = await save(one, 'F32');
  const moments = path.join(temporary(), 'moments.bin');
  const names = one.parameters().flatMap(({ name }) => [`exp_avg.${name}`, `exp_avg_sq.${name}`]);
  await one.save([
    { path: moments, header: new Uint8Array(0), tensors: names.map((name) => ({ name, dtype: 'F32' })) },
  ]);
  let at = 0;
  const shapes = new Map(one.parameters().map(({ name, shape }) => [name, shape]));
  const tensors = names.map((name): TensorRange => {
    const shape = shapes.get(name.replace(/^exp_avg(_sq)?\./, '')) as readonly number[];
    const begin = at;
    at += 4 * shape.reduce((a, b) => a * b, 1);
    return { name, dtype: 'F32', shape, begin, end: at };
  });
  const other = await open({ dtype: 'bfloat16' }, SMALL);
  await other.setOptimizer(optimizer({ lr: 1e-5 }));
  await other.restore([masters, { path: moments, tensors }], 1);
  for (const model of [one, other]) await model.trainStep(examples, 'response');
  expect(await values(other)).toEqual(await values(one));
  await one.dispose();
  await other.dispose();
});
