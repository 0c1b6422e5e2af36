// TensorBoard event files: framing, checksums and fields, read back by a reader of its own.
import { expect, test } from 'vitest';
import { eventFile, eventRecord } from '../../../../src/views/metrics/tensorboard.js';
import { crc32c, readEventFile } from './events.js';

test('the checksum is that of the standard', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
});

test('a version and the start of a session come first, then a record for each scalar', () => {
  const scalars = [
    { tag: 'train/loss', step: 1, value: 2.5, wallSeconds: 1235.25 },
    { tag: 'test/accuracy', step: 70_000, value: 0.75, wallSeconds: 1236 },
  ];
  const [version, start, ...read] = readEventFile(eventFile(scalars, 1234.5));
  expect(version).toMatchObject({ wallSeconds: 1234.5, version: 'brain.Event:2', starts: false });
  expect(start).toMatchObject({ wallSeconds: 1234.5, step: 0, starts: true });
  expect(read.map(({ tag, step, value, wallSeconds }) => ({ tag, step, value, wallSeconds }))).toEqual(scalars);
});

test('a record added later is the same as one written with the file', () => {
  const scalar = { tag: 'a', step: 2 ** 40, value: -1, wallSeconds: 5 };
  const whole = Buffer.from(eventFile([scalar], 1));
  expect(whole.subarray(-eventRecord(scalar).length).equals(eventRecord(scalar))).toBe(true);
  expect(readEventFile(eventRecord(scalar))).toMatchObject([{ step: 2 ** 40, value: -1 }]);
});

test('a damaged byte is found', () => {
  const bytes = eventFile([{ tag: 'a', step: 1, value: 1, wallSeconds: 1 }], 1);
  bytes.set([0xff], bytes.length - 6);
  expect(() => readEventFile(bytes)).toThrow('data at');
});
