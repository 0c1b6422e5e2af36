// The record scanner: boundaries, lines, refusals, chunk borders.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Row } from '../../../src/data/formats/rows.js';
import { readRecords } from '../../../src/data/records.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mstar-records-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function all(file: string): Promise<Row[]> {
  const records: Row[] = [];
  for await (const record of readRecords(file)) records.push(record);
  return records;
}

async function read(content: string | Uint8Array): Promise<Row[]> {
  const file = path.join(folder, 'data.json');
  writeFileSync(file, content);
  return await all(file);
}

const at = (line: number) => ({ file: path.join(folder, 'data.json'), line });

describe('readRecords', () => {
  it('reads a list, one record a line or all in one line, with the line where each starts', async () => {
    expect(await read('[\n {"a": 1},\n {\n  "a": 2\n }\n,{"a":3}]\n')).toEqual([
      { index: 0, at: at(2), value: { a: 1 } },
      { index: 1, at: at(3), value: { a: 2 } },
      { index: 2, at: at(6), value: { a: 3 } },
    ]);
  });

  it('reads JSON lines, blank lines and a byte-order mark included', async () => {
    expect(await read('\ufeff{"a":1}\r\n\r\n{"a":2}')).toEqual([
      { index: 0, at: at(1), value: { a: 1 } },
      { index: 1, at: at(3), value: { a: 2 } },
    ]);
  });

  it('numbers the records of a line that holds several, as the line does not tell them apart', async () => {
    const places = (await read('[{"a":1},{"a":2},\n{"a":3}]')).map((record) => [record.at.line, record.at.record]);
    expect(places).toEqual([
      [1, 1],
      [1, 2],
      [2, undefined],
    ]);
    await expect(read('[{"a":1},{"a":2,"a":3}]')).rejects.toThrow('data.json:1: record 2: record: a key that stands');
  });

  it('is not misled by brackets, quotes and backslashes inside texts', async () => {
    const value = { text: 'a "}]{[" \\ b\n\u2028', '{"': ['\\"', {}] };
    expect((await read(JSON.stringify([value, value]))).map((record) => record.value)).toEqual([value, value]);
  });

  it('reads records that lie across chunks of a mebibyte', async () => {
    const records = Array.from({ length: 30 }, (_, i) => ({ i, text: `${'ä"\\'.repeat(20_000)}${i}` }));
    expect((await read(JSON.stringify(records, null, 1))).map((record) => record.value)).toEqual(records);
  });

  it.each([
    [':1: file: no record, wanted at least one', ''],
    [':1: file: no record, wanted at least one', '[]'],
    [':3: list: cut off by the end of the file, wanted a closing ]', '[\n{"a":1}\n'],
    [':2: record: cut off by the end of the file, wanted a whole record', '[\n{"a":1,\n"b"'],
    [':1: record: "{", wanted , or ]', '[{"a":1} {"a":2}]'],
    [':1: record: "]", wanted an object', '[{"a":1},]'],
    [':2: record: "{", wanted nothing after the list', '[{"a":1}]\n{}'],
    [':2: record: "1", wanted an object', '[\n1]'],
    [':1: record: "h", wanted an object', 'hello'],
    [':1: record: byte 0x1, wanted an object', '\u0001'],
    [':1: record 1: record: not JSON, wanted a JSON object', '[{"a":NaN}]'],
    [':2: record: not JSON, wanted a JSON object', '{"a":1}\n{"a":1]'],
    [':3: record: a key that stands twice, wanted every key once', '[\n\n{"a":1,"b":{"c":1,"c":2}}]'],
    [':1: record 1: record: nested deeper than 64, wanted a flat record', `[${'{"a":'.repeat(65)}1${'}'.repeat(65)}]`],
    [':1: record 1: record: over 1048576 bytes, wanted at most 1048576', `[{"a":"${'x'.repeat(1 << 20)}"}]`],
    [':1: record 1: record: over 1048576 bytes, wanted at most 1048576', `[{"a":"${'x'.repeat(3 << 20)}`],
  ])('refuses a file with %j', async (message, content) => {
    await expect(read(content)).rejects.toThrow(`data.json${message}`);
  });

  it('refuses text that is not UTF-8', async () => {
    const latin1 = Buffer.from('[\n{"a": "\xe9"}]', 'latin1');
    await expect(read(latin1)).rejects.toThrow('data.json:2: record: not UTF-8, wanted UTF-8 text');
  });

  it('refuses a missing file, a folder and a pipe without waiting for a writer', async () => {
    const pipe = path.join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await expect(all(path.join(folder, 'none'))).rejects.toThrow('none: file: no such file, wanted a readable file');
    await expect(all(folder)).rejects.toThrow('file: not a regular file, wanted a readable file');
    await expect(all(pipe)).rejects.toThrow('pipe: file: not a regular file');
  });

  it('stops reading when the consumer stops', async () => {
    const file = path.join(folder, 'long.json');
    writeFileSync(file, `[{"a":1},{"a":2}, this is never read`);
    for await (const record of readRecords(file)) {
      expect(record.value).toEqual({ a: 1 });
      break;
    }
  });
});
