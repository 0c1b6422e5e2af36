import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { exportsBeside } from '../../../src/core/registry.js';

const folder = mkdtempSync(join(tmpdir(), 'mstar-registry-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('what the files beside a module export is found by name; the module itself and helpers are passed over', async () => {
  const files = {
    'b.js': 'export const part = 2;',
    'a.js': 'export const part = 1;',
    'helper.js': 'export const other = 3;',
    'registry.js': 'export const part = 4;',
    'a.d.ts': 'export declare const part: number;',
    'notes.txt': 'part',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  const found = await exportsBeside<number>(pathToFileURL(join(folder, 'registry.js')).href, 'part');
  expect([...found]).toEqual([
    ['a', 1],
    ['b', 2],
  ]);
});
