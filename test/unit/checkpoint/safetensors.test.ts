// Headers of safetensors files: what is read, what is refused, what is written.
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { buildHeader, readSafetensors } from '../../../src/checkpoint/safetensors.js';
import { UserError } from '../../../src/core/errors.js';
import { readTensors, toBytes, toFloats } from '../../../tools/tensors.js';
import { removeTemporary, temporary } from '../../fakes/model-folder.js';

afterAll(removeTemporary);

/** Writes header text and data, and reads the file. */
async function read(header: string | object, data: Uint8Array = new Uint8Array(), length?: bigint) {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(length ?? BigInt(text.length));
  const file = join(temporary(), 'w.safetensors');
  writeFileSync(file, Buffer.concat([size, text, data]));
  return readSafetensors(file);
}
const tensor = (offsets: unknown, shape: unknown = [2], dtype: unknown = 'F32') => ({
  dtype,
  shape,
  data_offsets: offsets,
});

describe('reading', () => {
  test('gives ranges in file order, whatever the order of names', async () => {
    const { tensors } = await read(
      { b: tensor([8, 16]), a: tensor([0, 8]), __metadata__: { format: 'pt' } },
      new Uint8Array(16),
    );
    const start = (tensors[0]?.begin as number) - 0;
    expect(tensors).toEqual([
      { name: 'a', dtype: 'F32', shape: [2], begin: start, end: start + 8 },
      { name: 'b', dtype: 'F32', shape: [2], begin: start + 8, end: start + 16 },
    ]);
  });

  test('scalars and empty tensors are tensors', async () => {
    const { tensors } = await read({ a: tensor([0, 4], []), b: tensor([4, 4], [0, 3]) }, new Uint8Array(4));
    expect(tensors.map(({ shape }) => shape)).toEqual([[], [0, 3]]);
  });

  const refused: [string, () => Promise<unknown>, RegExp][] = [
    [
      'metadata that is a list',
      () => read({ __metadata__: [1] }),
      /__metadata__: \[1\], wanted a value of type object/,
    ],
    ['metadata that is a text', () => read({ __metadata__: 'pt' }), /__metadata__: "pt", wanted/],
    ['metadata with a number', () => read({ __metadata__: { format: 1 } }), /format: 1, wanted a value of type string/],
    ['a header longer than the file', () => read({}, undefined, 999n), /header: 999 bytes, wanted at most 2/],
    ['a header length of 2^63', () => read({}, undefined, 1n << 63n), /header: 9223372036854775808 bytes/],
    ['a header that is not an object', () => read('[]'), /header: does not begin with \{/],
    ['leading spaces', () => read(' {}'), /does not begin with \{/],
    ['a hole', () => read({ a: tensor([4, 12]) }, new Uint8Array(12)), /"a": data_offsets begin at 4, wanted 0/],
    [
      'an overlap',
      () => read({ a: tensor([0, 8]), b: tensor([4, 12]) }, new Uint8Array(12)),
      /"b": data_offsets begin at 4, wanted 8/,
    ],
    [
      'bytes after the last tensor',
      () => read({ a: tensor([0, 8]) }, new Uint8Array(9)),
      /size: \d+ bytes, wanted \d+ by the header/,
    ],
    ['a file that ends early', () => read({ a: tensor([0, 8]) }, new Uint8Array(7)), /size: /],
    [
      'a name twice',
      () =>
        read(
          '{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}',
          new Uint8Array(4),
        ),
      /"a": given twice/,
    ],
    [
      'an integer type',
      () => read({ a: tensor([0, 16], [2], 'I64') }, new Uint8Array(16)),
      /"a": dtype "I64", wanted F32, F16 or BF16/,
    ],
    ['a negative size', () => read({ a: tensor([0, 8], [-2]) }, new Uint8Array(8)), /"a": shape \[-2\]/],
    ['a fraction', () => read({ a: tensor([0, 8.5], [2]) }, new Uint8Array(8)), /"a": data_offsets \[0,8.5\]/],
    [
      'sizes whose product overflows',
      () => read({ a: tensor([0, 8], [2 ** 32, 2 ** 32, 2 ** 32]) }, new Uint8Array(8)),
      /316912650057057350374175801344 bytes/,
    ],
    [
      'sizes beyond 2^53',
      () => read('{"a":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,8]}}', new Uint8Array(8)),
      /"a": shape/,
    ],
    ['offsets the wrong way round', () => read({ a: tensor([8, 0]) }, new Uint8Array(8)), /data_offsets \[8, 0\]/],
    ['no offsets', () => read({ a: { dtype: 'F32', shape: [2] } }), /"a": data_offsets missing/],
    ['a tensor that is null', () => read({ a: null }), /"a": dtype missing/],
    [
      'nine dimensions',
      () => read({ a: tensor([0, 4], [1, 1, 1, 1, 1, 1, 1, 1, 1]) }, new Uint8Array(4)),
      /at most 8 sizes/,
    ],
  ];
  test.each(refused)('%s is refused', async (_, open, message) => {
    const failure = await open().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UserError);
    expect((failure as Error).message).toMatch(message);
  });

  test('a file of three bytes, a folder and a device are refused', async () => {
    const file = join(temporary(), 'w.safetensors');
    writeFileSync(file, 'abc');
    await expect(readSafetensors(file)).rejects.toThrow('3 bytes');
    await expect(readSafetensors(temporary())).rejects.toThrow('not a regular file');
    await expect(readSafetensors('/dev/zero')).rejects.toThrow('not a regular file');
  });

  test('a claimed header of 100 MB in a sparse file is read in bounded time and refused', async () => {
    const file = join(temporary(), 'w.safetensors');
    const size = Buffer.alloc(9);
    size.writeBigUInt64LE(100_000_000n);
    size[8] = 0x7b;
    writeFileSync(file, size);
    truncateSync(file, 200_000_000);
    await expect(readSafetensors(file)).rejects.toThrow('syntax error');
  });
});

describe('writing', () => {
  test('a built header is read back and its data begins at a multiple of 8', async () => {
    const plans = [
      { name: 'x', dtype: 'F32' as const, shape: [2, 3] },
      { name: 'long name "quoted"', dtype: 'BF16' as const, shape: [1] },
    ];
    const file = join(temporary(), 'w.safetensors');
    writeFileSync(file, Buffer.concat([buildHeader(plans), new Uint8Array(26)]));
    const { tensors } = await readSafetensors(file);
    expect(tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape }))).toEqual(plans);
    expect((tensors[0]?.begin as number) % 8).toBe(0);
  });

  test('any name can be written, also one that objects have a meaning for', async () => {
    const file = join(temporary(), 'w.safetensors');
    const plans = ['__proto__', 'constructor', 'b'].map((name) => ({ name, dtype: 'F32' as const, shape: [1] }));
    writeFileSync(file, Buffer.concat([buildHeader(plans), new Uint8Array(12)]));
    const { tensors } = await readSafetensors(file);
    expect(tensors.map(({ name }) => name)).toEqual(['__proto__', 'constructor', 'b']);
  });

  test('tensor data is read as floats of any dtype', async () => {
    const values = Float32Array.of(0, 1, -1.5, 0.1, 65504, 1e-7);
    const dtypes = ['F32', 'F16', 'BF16'] as const;
    const file = join(temporary(), 'w.safetensors');
    const header = buildHeader(dtypes.map((dtype) => ({ name: dtype, dtype, shape: [6] })));
    writeFileSync(file, Buffer.concat([header, ...dtypes.map((dtype) => toBytes(values, dtype))]));
    const tensors = await readTensors(await readSafetensors(file), new Set(['F32', 'F16']));
    expect([...tensors.keys()]).toEqual(['F32', 'F16']);
    expect(tensors.get('F32')?.data).toEqual(values);
    expect(tensors.get('F16')?.data[3]).toBe(0.0999755859375);
  });
});

describe('number types', () => {
  test('halves of every kind survive the way there and back', () => {
    for (const dtype of ['F16', 'BF16'] as const) {
      const all = new Uint16Array(65536).map((_, i) => i);
      // Without infinities and NaN: all exponent bits set.
      const mask = dtype === 'F16' ? 0x7c00 : 0x7f80;
      const finite = all.filter((bits) => (bits & mask) !== mask);
      const bytes = new Uint8Array(finite.buffer);
      expect(Buffer.compare(toBytes(toFloats(bytes, dtype), dtype), bytes)).toBe(0);
    }
  });

  test('rounding is to nearest, ties to even', () => {
    const half = (value: number) => new Uint16Array(toBytes(Float32Array.of(value), 'F16').slice().buffer)[0];
    expect(half(1 + 2 ** -11)).toBe(0x3c00);
    expect(half(1 + 3 * 2 ** -11)).toBe(0x3c02);
    expect(half(2 ** -25)).toBe(0);
    expect(half(3 * 2 ** -25)).toBe(2);
    expect(half(2047.5 * 2 ** -25)).toBe(0x0400);
    const brain = (value: number) => new Uint16Array(toBytes(Float32Array.of(value), 'BF16').slice().buffer)[0];
    expect(brain(1 + 2 ** -8)).toBe(0x3f80);
    expect(brain(1 + 3 * 2 ** -8)).toBe(0x3f82);
  });
});
