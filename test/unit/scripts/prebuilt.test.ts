import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';

type Machine = Record<'platform' | 'glibc' | 'glibcxx', string | undefined> & { napi: number; instructions: string[] };
const { prebuilt, thisMachine, newest, cudaOf } = (await import(
  new URL('../../../scripts/prebuilt.mjs', import.meta.url).href
)) as {
  prebuilt: (from: string, machine: Machine) => { file?: string; torch?: string; why?: string };
  thisMachine: () => Machine;
  newest: (text: string, family: string) => string | undefined;
  cudaOf: (folder: string) => number | undefined;
};

const base = mkdtempSync(path.join(os.tmpdir(), 'mstar-prebuilt-'));
/** Of its own for each test: Node.js remembers what it resolved. */
let project = '';
let own = '';
const machine: Machine = {
  platform: 'linux-x64',
  napi: 9,
  glibc: '2.36',
  glibcxx: '3.4.30',
  instructions: ['fpu', 'avx2', 'fma'],
};
const needs = {
  platform: 'linux-x64',
  libtorch: '2.13.0',
  napi: 9,
  glibc: '2.34',
  glibcxx: '3.4.30',
  instructions: ['avx2'],
};

function write(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** A platform package beside ours. */
function install(variant: string, changes: object = {}, version = '1.0.0'): string {
  const folder = path.join(project, 'node_modules/@mstar', `linux-x64-${variant}`);
  const file = path.join(folder, 'mstar.node');
  write(path.join(folder, 'package.json'), JSON.stringify({ version, mstar: { ...needs, ...changes } }));
  write(file, '');
  return file;
}

/** A folder with what tells the version of a LibTorch, and with the CUDA that it is linked to. */
function libtorch(name: string, minor: number, cuda?: number): string {
  const folder = path.join(base, name);
  const numbers = `#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR ${minor}\n#define TORCH_VERSION_PATCH 1\n`;
  write(path.join(folder, 'include/torch/headeronly/version.h'), numbers);
  write(path.join(folder, 'lib/libtorch_cpu.so'), '');
  if (cuda) write(path.join(folder, 'lib/libc10_cuda.so'), `\0libc10.so\0libcudart.so.${cuda}\0`);
  return folder;
}

beforeEach(() => {
  project = mkdtempSync(path.join(base, 'project-'));
  own = path.join(project, 'node_modules/mstar');
  write(path.join(own, 'package.json'), JSON.stringify({ version: '1.0.0' }));
  // Neither the user's cache nor the torch of a Python on PATH.
  vi.stubEnv('XDG_CACHE_HOME', path.join(base, 'cache'));
  vi.stubEnv('TORCH_ROOT', '');
  vi.stubEnv('PATH', path.join(base, 'bin'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(path.join(base, 'cache'), { recursive: true, force: true });
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

test('an addon that fits is taken, with the LibTorch that the cache holds or that is to be fetched', () => {
  const file = install('cpu');
  expect(prebuilt(own, machine)).toEqual({ file, torch: undefined });
  const torch = libtorch('cache/mstar/libtorch-2.13.0', 13);
  expect(prebuilt(own, machine)).toEqual({ file, torch });
});

test('without a package the reason names the platform', () => {
  expect(prebuilt(own, { ...machine, platform: 'linux-arm64' })).toEqual({ why: 'there is none for linux-arm64' });
});

test('an addon is refused by what the machine lacks', () => {
  install('cpu');
  const refused = (changes: Partial<Machine>) => prebuilt(own, { ...machine, ...changes }).why;
  expect(refused({ platform: 'linux-arm64' })).toBe('@mstar/linux-x64-cpu is for linux-x64, this is linux-arm64');
  expect(refused({ glibc: undefined })).toBe('@mstar/linux-x64-cpu needs glibc, this system has another C library');
  expect(refused({ glibc: '2.9' })).toBe('@mstar/linux-x64-cpu needs glibc 2.34, this is 2.9');
  expect(refused({ glibcxx: '3.4.29' })).toBe(
    '@mstar/linux-x64-cpu needs a libstdc++ with GLIBCXX_3.4.30, this has 3.4.29',
  );
  expect(refused({ napi: 8 })).toBe('@mstar/linux-x64-cpu needs Node-API 9, this Node.js has 8');
  expect(refused({ instructions: ['avx', 'sse2'] })).toBe('@mstar/linux-x64-cpu needs a processor with avx2');
  expect(refused({ glibc: '2.100', glibcxx: '3.5', napi: 10 })).toBeUndefined();
});

test('an addon of another version of the package is refused', () => {
  install('cpu', {}, '1.0.1');
  expect(prebuilt(own, machine).why).toBe('@mstar/linux-x64-cpu is 1.0.1, wanted 1.0.0');
});

test('an addon that was written in part is refused', () => {
  rmSync(install('cpu'));
  write(path.join(project, 'node_modules/@mstar/linux-x64-cuda12/package.json'), '{"version":');
  write(path.join(project, 'node_modules/@mstar/linux-x64-cuda13/package.json'), '{"version": "1.0.0"}');
  const names = ['cpu', 'cuda12', 'cuda13'].map((variant) => `@mstar/linux-x64-${variant} is damaged`);
  expect(prebuilt(own, machine).why).toBe(names.join('; '));
});

test('what is left of a LibTorch in the cache is fetched anew, and refused at TORCH_ROOT', () => {
  const file = install('cpu');
  const torch = libtorch('cache/mstar/libtorch-2.13.0', 13);
  rmSync(path.join(torch, 'lib'), { recursive: true });
  expect(prebuilt(own, machine)).toEqual({ file, torch: undefined });
  vi.stubEnv('TORCH_ROOT', torch);
  expect(prebuilt(own, machine).why).toBe(
    `TORCH_ROOT: ${torch} holds no LibTorch with its headers, @mstar/linux-x64-cpu wants 2.13.0`,
  );
});

test('a user without a home folder has the torch of Python', () => {
  const file = install('cpu');
  vi.stubEnv('XDG_CACHE_HOME', '');
  vi.stubEnv('HOME', 'nowhere');
  const python = path.join(base, 'bin/python3');
  const torch = libtorch('python/home', 13);
  write(python, `#!/bin/sh\necho '${torch}'\n`);
  chmodSync(python, 0o755);
  expect(prebuilt(own, machine)).toEqual({ file, torch });
  rmSync(python);
});

test('the kernels are those for the CUDA of the LibTorch, or none', () => {
  const files = ['cpu', 'cuda12', 'cuda13'].map((variant) =>
    install(variant, variant === 'cpu' ? {} : { cuda: Number(variant.slice(4)) }),
  );
  const taken = (name: string, cuda?: number) => {
    const torch = libtorch(name, 13, cuda);
    vi.stubEnv('TORCH_ROOT', torch);
    const found = prebuilt(own, machine);
    expect(found.torch).toBe(torch);
    return files.indexOf(found.file!);
  };
  expect([taken('a'), taken('b', 12), taken('c', 13), taken('d', 11)]).toEqual([0, 1, 2, 0]);
});

test('an addon with kernels serves a LibTorch without CUDA where it is the only one', () => {
  const file = install('cuda12', { cuda: 12 });
  const torch = libtorch('a', 13);
  vi.stubEnv('TORCH_ROOT', torch);
  expect(prebuilt(own, machine)).toEqual({ file, torch });
});

test('a LibTorch of another version is refused where TORCH_ROOT names it, and passed over in Python', () => {
  const file = install('cpu');
  const torch = libtorch('python/torch', 14);
  vi.stubEnv('TORCH_ROOT', torch);
  expect(prebuilt(own, machine).why).toBe(`TORCH_ROOT: ${torch} is LibTorch 2.14, @mstar/linux-x64-cpu wants 2.13.0`);
  vi.stubEnv('TORCH_ROOT', path.join(base, 'none'));
  expect(prebuilt(own, machine).why).toContain('none holds no LibTorch with its headers');
  vi.stubEnv('TORCH_ROOT', '');
  const python = path.join(base, 'bin/python3');
  write(python, `#!/bin/sh\necho '${torch}'\n`);
  chmodSync(python, 0o755);
  expect(prebuilt(own, machine)).toEqual({ file, torch: undefined });
  const same = libtorch('python/same', 13);
  writeFileSync(python, `#!/bin/sh\necho '${same}'\n`);
  expect(prebuilt(own, machine)).toEqual({ file, torch: same });
  rmSync(python);
  install('cpu', { libtorch: '2.14.1' });
  expect(prebuilt(own, machine).why).toBe('@mstar/linux-x64-cpu wants LibTorch 2.14.1 at TORCH_ROOT');
});

test('versions are compared by their numbers', () => {
  expect(newest('GLIBC_2.9 GLIBC_2.34 GLIBC_2.2.5 GLIBCXX_3.4', 'GLIBC_')).toBe('2.34');
  expect(newest('GLIBC_2.9', 'GLIBCXX_')).toBeUndefined();
});

test('the CUDA of a LibTorch is what it is linked to', () => {
  expect(cudaOf(libtorch('e', 13, 12))).toBe(12);
  expect(cudaOf(libtorch('f', 13))).toBeUndefined();
});

test.skipIf(process.platform !== 'linux')('this machine tells all that an addon may need', () => {
  const { platform, napi, glibc } = thisMachine();
  expect({ platform, napi }).toEqual({
    platform: `${process.platform}-${process.arch}`,
    napi: Number(process.versions.napi),
  });
  if (glibc !== undefined) expect(glibc).toMatch(/^2\.\d+/);
});
