// Rows of CSV and TSV: cells, quotes, lines, chunk borders; nothing is lost behind a quote that nobody closes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readSeparated } from '../../../src/data/separated.js';

const folder = mkdtempSync(join(tmpdir(), 'mstar-separated-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function read(contents: string | Uint8Array, maxLength = 1 << 26) {
  const file = join(folder, 'data.csv');
  writeFileSync(file, contents);
  const rows: [line: number, ...cells: string[]][] = [];
  for await (const { index, at, value } of readSeparated(file, maxLength)) {
    expect(index).toBe(rows.length);
    rows.push([at.line, ...Object.values(value as Record<string, string>)]);
  }
  return rows;
}

describe('rows', () => {
  test.each([
    ['commas', 'a,b\n1,2\n3,4\n'],
    ['tabs', 'a\tb\n1\t2\n3\t4\n'],
    ['semicolons', 'a;b\n1;2\n3;4\n'],
    ['carriage returns', 'a,b\r\n1,2\r\n3,4\r\n'],
    ['no line break at the end', 'a,b\n1,2\n3,4'],
    ['a byte order mark', '\ufeffa,b\n1,2\n3,4\n'],
    ['quotes around everything', '"a","b"\n"1","2"\n"3","4"'],
  ])('with %s', async (_, contents) => {
    expect(await read(contents)).toEqual([
      [2, '1', '2'],
      [3, '3', '4'],
    ]);
  });

  test('cells in quotes hold separators, line breaks and quotes; the line is where a row starts', async () => {
    const contents = 'a,b\n"1,\n""x""\r\n",2\n\n"",\n5" wide,"6"\r\n';
    expect(await read(contents)).toEqual([
      [2, '1,\n"x"\r\n', '2'],
      [6, '', ''],
      [7, '5" wide', '6'],
    ]);
  });

  test('other separators than that of the first line belong to cells', async () => {
    expect(await read('a\tb\n1,2;3\t4\n')).toEqual([[2, '1,2;3', '4']]);
    expect(await read('a;b,c;d\n1,2;3;4,5\n')).toEqual([[2, '1,2', '3', '4,5']]);
  });

  test('a column without a name is one, as pandas writes its index', async () => {
    expect(await read(',a\n0,x\n')).toEqual([[2, '0', 'x']]);
  });

  test('lie across chunks of a mebibyte, wherever the border falls', async () => {
    const long = 'ä"'.repeat(200_000);
    for (const shift of [0, 1, 2, 3]) {
      const rows = Array.from({ length: 9 }, (_, i) => [`${'x'.repeat(shift)}${i}`, long]);
      const contents = rows.map(([a, b]) => `${a},"${(b as string).replaceAll('"', '""')}"`).join('\n');
      const found = await read(`a,b\n${contents}`);
      expect(found.every(([, a, b], i) => a === rows[i]?.[0] && b === long)).toBe(true);
      expect(found).toHaveLength(9);
    }
  });
});

describe('refused by line', () => {
  test.each([
    [':1: file: no row, wanted at least one', 'a,b\n'],
    [':1: header: "a" twice, wanted every name once', 'a,b,a\n1,2,3\n'],
    [':3: row: 1 cells, wanted 2 as in the header', 'a,b\n1,2\n3\n4,5\n'],
    [':2: row: 3 cells, wanted 2 as in the header', 'a,b\n1,2,3\n'],
    [':3: row: a quote that is not closed, wanted a closing "', 'a,b\n1,2\n3,"4\n5,6\n7,8\n'],
    [':3: row: "c" behind a closing quote, wanted a separator', 'a,b\n1,2\n"b"c,3\n'],
    [':3: file: not UTF-8, wanted UTF-8 text', Buffer.from('a,b\n1,2\n\xe9,3\n', 'latin1')],
  ])('%s', async (message, contents) => {
    await expect(read(contents)).rejects.toThrow(`data.csv${message}`);
  });

  test('rows behind a quote that nobody closes are not lost, however many stand before it', async () => {
    const rows = (name: string) => Array.from({ length: 60_000 }, (_, i) => `${name}${i},${i}\n`).join('');
    await expect(read(`a,b\n${rows('x')}y,"7\n${rows('z')}`)).rejects.toThrow(
      ':60002: row: a quote that is not closed',
    );
  });

  test('a row over the limit', async () => {
    await expect(read(`a,b\n1,"${'x'.repeat(3 << 20)}"\n`, 1 << 20)).rejects.toThrow(
      ':2: row: over 1048576 characters',
    );
  });
});
