// Headers of safetensors files. A header that is read says exactly what JavaScript's own JSON parser finds in it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  BYTES_PER_NUMBER,
  buildHeader,
  readSafetensors,
  type TensorPlan,
} from '../../../src/checkpoint/safetensors.js';
import { byteEdits, editBytes, editedJson, parsed, text, word } from '../inputs.js';
import { accepted, hold, holdEqual, target } from '../target.js';

const dtype = fc.constantFrom('F32', 'F16', 'BF16');
const plans = fc.uniqueArray(
  fc.record({
    name: fc.oneof(word, text).filter((name) => name !== '__metadata__' && name.isWellFormed()),
    dtype,
    shape: fc.array(fc.nat(4), { maxLength: 4 }),
  }) as fc.Arbitrary<TensorPlan>,
  { selector: ({ name }) => name, maxLength: 4 },
);

const bytesOf = ({ dtype, shape }: TensorPlan): number =>
  shape.reduce((product, size) => product * size, BYTES_PER_NUMBER[dtype]);

/** The header as an object, which is then edited; an own one, as buildHeader gives the finished bytes. */
function headerOf(tensors: readonly TensorPlan[]): unknown {
  let at = 0;
  const entries = tensors.map((plan) => {
    const begin = at;
    at += bytesOf(plan);
    return [plan.name, { dtype: plan.dtype, shape: plan.shape, data_offsets: [begin, at] }] as const;
  });
  return Object.fromEntries([['__metadata__', { format: 'pt' }], ...entries]);
}

const sizeOf = (tensors: readonly TensorPlan[]): number => tensors.reduce((sum, plan) => sum + bytesOf(plan), 0);

const edited = plans.chain((tensors) =>
  fc
    .tuple(editedJson(fc.constant(headerOf(tensors))), fc.option(fc.bigInt(0n, 2n ** 64n - 1n), { freq: 9 }))
    .map(([header, length]) => {
      const size = Buffer.alloc(8);
      size.writeBigUInt64LE(length ?? BigInt(header.length));
      return { bytes: Uint8Array.from(Buffer.concat([size, header, Buffer.alloc(sizeOf(tensors))])) };
    }),
);
const damaged = fc.tuple(plans, byteEdits(10)).map(([tensors, changes]) => ({
  bytes: editBytes(Buffer.concat([buildHeader(tensors), Buffer.alloc(sizeOf(tensors))]), changes),
}));
const whole = plans.map((tensors) => ({
  bytes: Uint8Array.from(Buffer.concat([buildHeader(tensors), Buffer.alloc(sizeOf(tensors))])),
  tensors,
}));

interface Input {
  readonly bytes: Uint8Array;
  /** What was written, where nothing was changed. */
  readonly tensors?: readonly TensorPlan[];
}

export const safetensors = target<Input>({
  name: 'safetensors',
  cases: 2500,
  input: fc.oneof({ weight: 5, arbitrary: edited }, { weight: 3, arbitrary: damaged }, whole),
  async check({ bytes, tensors }, folder) {
    const file = join(folder, 'model.safetensors');
    writeFileSync(file, bytes);
    const read = await accepted(file, () => readSafetensors(file));
    if (tensors) {
      hold(read !== undefined, 'what was written is read');
      const found = read.tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
      // Tensors of no bytes may change places with their neighbours.
      const order = (list: readonly TensorPlan[]) => [...list].sort((a, b) => (a.name < b.name ? -1 : 1));
      holdEqual(order(found), order(tensors), 'the tensors are those that were written');
    }
    if (!read) return;
    const start = 8 + Number(Buffer.from(bytes).readBigUInt64LE());
    const said = parsed(Buffer.from(bytes.subarray(8, start)).toString('utf8'))?.value as Record<string, TensorPlan>;
    hold(said !== undefined, 'an accepted header is JSON');
    const entries = new Map(Object.entries(said).filter(([name]) => name !== '__metadata__'));
    holdEqual(read.tensors.length, entries.size, 'every tensor is there');
    let at = start;
    for (const { name, dtype, shape, begin, end } of read.tensors) {
      const entry = entries.get(name) as (TensorPlan & { data_offsets: unknown }) | undefined;
      holdEqual(
        { dtype, shape, data_offsets: [begin - start, end - start] },
        { dtype: entry?.dtype, shape: entry?.shape, data_offsets: entry?.data_offsets },
        'a tensor is what the header says',
      );
      holdEqual(end - begin, bytesOf({ name, dtype, shape }), 'a range has the bytes of its shape');
      holdEqual(begin, at, 'ranges follow one another');
      at = end;
    }
    holdEqual(at, bytes.length, 'ranges end where the file ends');
  },
});
