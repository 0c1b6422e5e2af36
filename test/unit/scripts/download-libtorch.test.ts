import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { zip } from '../../fakes/zip.js';

const { downloadLibtorch } = (await import(
  new URL('../../../scripts/download-libtorch.mjs', import.meta.url).href
)) as { downloadLibtorch: (work: string, archive?: { name: string; sha256: string }) => Promise<string> };

const bytes = zip({
  'torch/lib/libc10.so': 'c10',
  'torch/include/ATen/ATen.h': 'header',
  'torch/share/cmake/a.cmake': 'cmake',
  'torch/nn/module.py': 'not needed',
  'torch-1.dist-info/RECORD': 'not needed',
});
const sha256 = createHash('sha256').update(bytes).digest('hex');
const name = 'torch-1+cpu-cp311-cp311-any.whl';
const base = mkdtempSync(path.join(os.tmpdir(), 'mstar-download-'));
/** What the server answers for the name: all of it, half of it, or nothing. */
let answer: 'all' | 'half' | 'none' = 'all';
const asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(request.url!);
  if (answer === 'none') return response.writeHead(404).end();
  response.writeHead(200, { 'content-length': bytes.length });
  if (answer === 'all') return response.end(bytes);
  response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
  return undefined;
});
let url = '';
let work = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mirror/`;
});
afterAll(() => {
  server.close();
  rmSync(base, { recursive: true, force: true });
});
beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  work = mkdtempSync(path.join(base, 'work-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test('an archive is fetched from the mirror, checked, and what a build needs of it is unpacked', async () => {
  answer = 'all';
  vi.stubEnv('MSTAR_LIBTORCH_MIRROR', url);
  const folder = await downloadLibtorch(work, { name, sha256 });
  expect(asked).toEqual([`/mirror/${encodeURIComponent(name)}`]);
  const files = readdirSync(folder, { recursive: true }).map(String);
  expect(files.sort()).toEqual([
    'include',
    'include/ATen',
    'include/ATen/ATen.h',
    'lib',
    'lib/libc10.so',
    'share',
    'share/cmake',
    'share/cmake/a.cmake',
  ]);
  expect(readFileSync(path.join(folder, 'lib/libc10.so'), 'utf8')).toBe('c10');
  expect(statSync(path.join(folder, 'lib/libc10.so')).mode & 0o111).toBe(0o111);
  const told = vi.mocked(console.error).mock.calls.flat();
  expect(told).toContain('mstar: 100 % of 0 MB');
});

test('the mirror may be a folder, from which nothing is removed', async () => {
  const mirror = path.join(base, 'mirror');
  mkdirSync(mirror);
  vi.stubEnv('MSTAR_LIBTORCH_MIRROR', mirror);
  await expect(downloadLibtorch(work, { name, sha256 })).rejects.toThrow(
    `MSTAR_LIBTORCH_MIRROR: ${mirror} holds no ${name}`,
  );
  writeFileSync(path.join(mirror, name), bytes);
  await downloadLibtorch(work, { name, sha256 });
  expect(readdirSync(mirror)).toEqual([name]);
});

test('an archive with another digest is refused before it is unpacked', async () => {
  answer = 'all';
  vi.stubEnv('MSTAR_LIBTORCH_MIRROR', url);
  const wanted = 'a'.repeat(64);
  await expect(downloadLibtorch(work, { name, sha256: wanted })).rejects.toThrow(
    `${name}: SHA-256 ${sha256}, wanted ${wanted}`,
  );
  expect(readdirSync(work)).toEqual([name]);
});

test('a download that fails or breaks off is one line with its address and the reason', async () => {
  vi.stubEnv('MSTAR_LIBTORCH_MIRROR', url);
  answer = 'none';
  await expect(downloadLibtorch(work, { name, sha256 })).rejects.toThrow(
    /mirror\/torch-1\S+: download failed \(HTTP status 404\)$/,
  );
  answer = 'half';
  await expect(downloadLibtorch(work, { name, sha256 })).rejects.toThrow(/^\S+: download failed \(.+\)$/);
});
