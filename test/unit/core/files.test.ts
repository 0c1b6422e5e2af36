import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makeFolder, readRegularFile } from '../../../src/core/files.js';

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  return { ...real, mkdir: vi.fn(real.mkdir) };
});

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mstar-files-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

test('a folder is made with those above it, and may be there', async () => {
  for (let time = 0; time < 2; time++) await makeFolder(join(dir, 'a/b'));
  expect(statSync(join(dir, 'a/b')).isDirectory()).toBe(true);
});

test('a folder that finds no room is told by what is the matter, not as missing', async () => {
  // Node's recursive mkdir on a disk without free inodes.
  const missing = Object.assign(new Error('ENOENT'), { code: 'ENOENT', path: join(dir, 'a') });
  const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', path: join(dir, 'a') });
  vi.mocked(mkdir).mockRejectedValueOnce(missing).mockRejectedValueOnce(full);
  await expect(makeFolder(join(dir, 'a/b'))).rejects.toBe(full);
  expect(vi.mocked(mkdir).mock.lastCall).toEqual([join(dir, 'a')]);
});

test('a file that cannot be opened is told in words', async () => {
  writeFileSync(join(dir, 'file'), '');
  const refusal = (path: string): Promise<string> => readRegularFile(path, 1).then(String, (error) => error.message);
  expect(await refusal(join(dir, 'x'.repeat(300)))).toMatch(/: file: name too long for this file system, wanted a/);
  expect(await refusal(join(dir, 'file/x'))).toMatch(/: file: a part of the path is no folder, wanted a readable file/);
  expect(await refusal(join(dir, 'absent'))).toMatch(/: file: no such file, wanted a readable file/);
});
