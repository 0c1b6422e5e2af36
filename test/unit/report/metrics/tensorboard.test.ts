// TensorBoard event files: framing, checksums and fields, read back by a reader of its own.
import { expect, test } from 'vitest';
import { eventFile } from '../../../src/report/tensorboard.js';

/** CRC-32C bit by bit. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes)
    for (let bit = 0, value = byte; bit < 8; bit++, value >>= 1)
      crc = (crc ^ value) & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return ~crc >>> 0;
}
const mask = (crc: number) => ((((crc >>> 15) | (crc << 17)) >>> 0) + 0xa282ead8) % 2 ** 32;

function records(file: Uint8Array): Buffer[] {
  const bytes = Buffer.from(file);
  const all: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    expect(bytes.readUInt32LE(at + 8)).toBe(mask(crc32c(bytes.subarray(at, at + 8))));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(bytes.readUInt32LE(at + 12 + length)).toBe(mask(crc32c(data)));
    all.push(data);
    at += 16 + length;
  }
  return all;
}

test('the checksum is that of the standard', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
});

test('a version comes first, then a record with tag, step and value for each scalar', () => {
  const scalars = [
    { tag: 'train/loss', step: 1, value: 2.5 },
    { tag: 'eval/test_accuracy', step: 70_000, value: 0.75 },
  ];
  const [version, first, second] = records(eventFile(scalars, 1234.5)) as [Buffer, Buffer, Buffer];
  expect(version.readDoubleLE(1)).toBe(1234.5);
  expect(version.toString('latin1')).toContain('brain.Event:2');
  for (const [i, { tag, value }] of scalars.entries()) {
    const bytes = [first, second][i] as Buffer;
    const at = bytes.indexOf(tag);
    expect(at).toBeGreaterThan(0);
    expect(bytes.readFloatLE(at + tag.length + 1)).toBe(value);
  }
  // 70,000 as a varint of three bytes after the key of field 2.
  expect([...second.subarray(9, 13)]).toEqual([0x10, 0xf0, 0xa2, 0x04]);
});
