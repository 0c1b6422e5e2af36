// Moments in 8 bits, and the optimizer's state in the memory of the machine.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { NativeModel, RawExample, RawOptimizer } from '../../src/engine/binding.js';
import { image, open, optimizer, prompt, removeTemporary, stream, temporary } from './tiny-model.js';

afterAll(removeTemporary);

function batch(model: NativeModel, step: number): RawExample[] {
  return [0, 1, 2].map((i) => {
    const random = stream(10 * step + i + 1);
    const response = Int32Array.from({ length: 5 + i }, () => 3 + Math.floor(random() * 50));
    return { ...prompt(model, i, i === 0 ? [image(step)] : []), response };
  });
}

type Moments = Awaited<ReturnType<NativeModel['setOptimizer']>>;

/** Bytes of all parameters and moments. */
async function bytesOf(model: NativeModel, moments: Moments): Promise<Buffer> {
  const file = path.join(temporary(), 'state.bin');
  const tensors = [...model.parameters().map(({ name }) => ({ name, dtype: 'F32' as const })), ...moments];
  await model.save([{ path: file, header: new Uint8Array(0), tensors }]);
  return readFileSync(file);
}

/** Trains on other examples in each step. */
async function trained(
  spec: Parameters<typeof open>[0],
  settings: Partial<RawOptimizer>,
  steps: number,
): Promise<{ readonly bytes: Buffer; readonly moments: Moments; readonly losses: readonly number[] }> {
  const model = await open(spec);
  const moments = await model.setOptimizer(optimizer({ weightDecay: 0, ...settings }));
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) losses.push((await model.trainStep(batch(model, step), 'response')).loss);
  const bytes = await bytesOf(model, moments);
  await model.dispose();
  return { bytes, moments, losses };
}

describe('moments in 8 bits', () => {
  test('are bfloat16, codes and a scale for 256 numbers of each matrix, and float32 of each vector', async () => {
    const model = await open();
    const moments = await model.setOptimizer(optimizer({ moments: '8bit', frozen: ['vision_model.'] }));
    const shapes = new Map(model.parameters().map(({ name, shape }) => [name, shape]));
    const learn = [...shapes].filter(([name]) => !name.startsWith('vision_model.'));
    expect(moments).toEqual(
      learn.flatMap(([name, shape]) => {
        const numbers = shape.reduce((a, b) => a * b, 1);
        const isMatrix = shape.length >= 2;
        return [
          { name: `exp_avg.${name}`, dtype: isMatrix ? 'BF16' : 'F32', shape },
          { name: `exp_avg_sq.${name}`, dtype: isMatrix ? 'U8' : 'F32', shape },
          ...(isMatrix ? [{ name: `exp_avg_sq_scale.${name}`, dtype: 'F32', shape: [Math.ceil(numbers / 256)] }] : []),
        ];
      }),
    );
    await model.dispose();
  });

  test.each(['float32', 'bfloat16'] as const)('take a %s model the way that float32 moments do', async (dtype) => {
    const of = (moments: 'float32' | '8bit', lr: number) => trained({ dtype }, { moments, lr }, 60);
    const [start, exact, small] = [await of('float32', 0), await of('float32', 1e-4), await of('8bit', 1e-4)];
    const weights = ({ bytes }: typeof start, count: number): Float32Array =>
      new Float32Array(Uint8Array.from(bytes.subarray(0, 4 * count)).buffer);
    const model = await open();
    const count = model.parameters().reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    await model.dispose();
    const [from, to, other] = [start, exact, small].map((one) => weights(one, count)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const way = (end: Float32Array): Float64Array => Float64Array.from(end, (value, i) => value - (from[i] as number));
    const [a, b] = [way(to), way(other)];
    const dot = (x: Float64Array, y: Float64Array): number => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
    expect(dot(a, b) / dot(a, a)).toBeGreaterThan(0.95);
    expect(dot(a, b) / dot(a, a)).toBeLessThan(1.05);
    expect(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))).toBeGreaterThan(0.98);
    expect(small.bytes.equals(exact.bytes)).toBe(false);
  });
});

describe('an optimizer whose state lies in the memory of the machine', () => {
  test.each([
    ['float32', 'float32'],
    ['float32', '8bit'],
    ['bfloat16', 'float32'],
    ['bfloat16', '8bit'],
  ] as const)('steps %s weights with %s moments to the same bits', async (dtype, moments) => {
    const there = await trained({ dtype, offload: true }, { moments, clip: 0.5 }, 3);
    const here = await trained({ dtype, offload: false }, { moments, clip: 0.5 }, 3);
    expect(there.losses).toEqual(here.losses);
    expect(there.bytes.equals(here.bytes)).toBe(true);
  });
});
