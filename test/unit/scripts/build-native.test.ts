import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const base = mkdtempSync(path.join(os.tmpdir(), 'mstar-build-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** A program on PATH in place of the real one. */
function program(name: string, body: string): void {
  const file = path.join(base, 'bin', name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
}

/** A folder with what is looked for in a LibTorch. */
function libtorch(name: string): string {
  const folder = path.join(base, name);
  const files = ['lib/libtorch_cpu.so', 'lib/libc10.so', 'include/ATen/ATen.h', 'include/torch/headeronly/version.h'];
  for (const file of files) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), '');
  }
  const version = '#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 13\n#define TORCH_VERSION_PATCH 0\n';
  writeFileSync(path.join(folder, files[3]!), version);
  return folder;
}

const calls = path.join(base, 'calls');
program(
  'cmake',
  `echo "$1" >> '${calls}'
if [ "$1" = -S ]; then
  mkdir -p "$4" && touch "$4/build.ninja" "$4/big.o"
  for flag; do case "$flag" in -DTORCH_ROOT=*) torch="\${flag#*=}"; esac; done
  printf '\\nCMAKE_HOME_DIRECTORY:INTERNAL=%s\\nTORCH_ROOT:PATH=%s\\n' "$2" "$torch" > "$4/CMakeCache.txt"
  echo '-- The CXX compiler identification is GNU'
  echo '-- CUDA plug-in skipped: no nvcc'
else
  for i in $(seq 20); do echo "[$i/20] Building CXX object a$i.o"; done
  echo 'native/a.h:1: warning: unused'
  [ -z "$BREAK" ] || exit 1
  mkdir -p "$2/../Release" && touch "$2/../Release/mstar.node"
fi`,
);
for (const name of ['python3', 'ninja', 'c++']) program(name, 'exit 1');

/** The package as it lies in a project's node_modules. */
const installed = path.join(base, 'project/node_modules/mstar');
beforeEach(() => {
  rmSync(calls, { force: true });
  rmSync(path.join(base, 'project'), { recursive: true, force: true });
  for (const name of ['scripts', 'cmake', 'CMakeLists.txt', 'package.json'])
    cpSync(path.join(root, name), path.join(installed, name), { recursive: true });
  for (const name of ['node-api-headers', 'node-addon-api'])
    cpSync(path.join(root, 'node_modules', name), path.join(base, 'project/node_modules', name), { recursive: true });
  mkdirSync(path.join(installed, 'native'));
  writeFileSync(path.join(installed, 'native/a.cpp'), 'int a;\n');
});

function build(env: Record<string, string> = {}, folder = installed) {
  const { PATH, TORCH_ROOT, XDG_CACHE_HOME, ...rest } = process.env;
  const result = spawnSync(process.execPath, ['scripts/build-native.mjs'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...rest, PATH: `${path.join(base, 'bin')}:${PATH}`, ...env },
  });
  const ran = existsSync(calls) ? readFileSync(calls, 'utf8').split('\n').slice(0, -1) : [];
  rmSync(calls, { force: true });
  return { status: result.status, lines: result.stderr.split('\n').slice(0, -1), ran };
}

test('an installed package keeps the addon and no object, and knows that it is up to date', () => {
  const torch = libtorch('torch');
  expect(build({ TORCH_ROOT: torch })).toMatchObject({ status: 0, ran: ['-S', '--build'] });
  expect(existsSync(path.join(installed, '.native/Release/mstar.node'))).toBe(true);
  expect(existsSync(path.join(installed, '.native/cmake/big.o'))).toBe(false);
  expect(build()).toEqual({ status: 0, lines: [], ran: [] });
  expect(build({ TORCH_ROOT: torch })).toEqual({ status: 0, lines: [], ran: [] });
  writeFileSync(path.join(installed, 'native/a.cpp'), 'int b;\n');
  expect(build()).toMatchObject({ status: 0, ran: ['-S', '--build'] });
});

test('a copy of a built tree is up to date; one for another LibTorch is not', () => {
  build({ TORCH_ROOT: libtorch('torch') });
  const copy = path.join(base, 'project/node_modules/copy');
  cpSync(installed, copy, { recursive: true });
  expect(build({}, copy)).toEqual({ status: 0, lines: [], ran: [] });
  expect(build({ TORCH_ROOT: libtorch('other') }, copy).ran).toEqual(['-S', '--build']);
});

test('a build that failed is tried again', () => {
  const env = { TORCH_ROOT: libtorch('torch') };
  const failed = build({ ...env, BREAK: '1' });
  expect(failed.status).toBe(1);
  expect(failed.lines.at(-1)).toBe(
    'error: the addon did not compile: see the lines above; to use another LibTorch set TORCH_ROOT',
  );
  expect(build(env)).toMatchObject({ status: 0, ran: ['--build'] });
});

test('steps are told as progress at every tenth, warnings as they are, and nothing else', () => {
  const { lines } = build({ TORCH_ROOT: libtorch('torch') });
  const steps = lines.filter((line) => / \d+ of 20 files, /.test(line));
  expect(steps).toHaveLength(11);
  expect(steps[0]).toMatch(/^mstar: building the addon: 1 of 20 files, about \d+ s left$/);
  expect(steps.at(-1)).toMatch(/^mstar: building the addon: 20 of 20 files, took \d+ s$/);
  expect(lines.filter((line) => !steps.includes(line))).toEqual([
    `mstar: configuring with LibTorch at ${path.join(base, 'torch')}`,
    'mstar: CUDA plug-in skipped: no nvcc',
    'mstar: building the addon (the first time takes minutes)',
    'native/a.h:1: warning: unused',
  ]);
});

test('a terminal has one line of progress, which a warning does not run into', async () => {
  const { buildProgress } = (await import(new URL('../../../scripts/progress.mjs', import.meta.url).href)) as {
    buildProgress: (stream: object, now: () => number) => { line(text: string): void; end(): void };
  };
  let written = '';
  let time = 0;
  const stream = { isTTY: true, write: (text: string) => (written += text) };
  const progress = buildProgress(stream, () => time);
  for (const [seconds, line] of [
    [60, '[1/4] Building CXX object a.o'],
    [90, '[3/4] Building CXX object b.o'],
    [91, 'a.h:1: warning: unused'],
    [240, '[4/4] Linking'],
  ] as const) {
    time = seconds * 1000;
    progress.line(line);
  }
  progress.end();
  const of = 'mstar: building the addon:';
  expect(written).toBe(
    `\r${of} 1 of 4 files, about 3 min left\x1b[K\r${of} 3 of 4 files, about 30 s left\x1b[K\n` +
      `a.h:1: warning: unused\n\r${of} 4 of 4 files, took 4 min\x1b[K\n`,
  );
});

test('make tells percents', async () => {
  const { buildProgress } = await import(new URL('../../../scripts/progress.mjs', import.meta.url).href);
  let written = '';
  const progress = buildProgress({ write: (text: string) => (written += text) }, () => 0);
  for (const line of ['-- Configuring done', '[  5%] Building CXX object a.o', '[100%] Built target mstar'])
    progress.line(line);
  progress.end();
  expect(written).toBe('mstar: building the addon: 5 %, about 1 s left\nmstar: building the addon: 100 %, took 1 s\n');
});

test('a cache folder that cannot be written is one line with both ways out', () => {
  const wanted =
    /^error: \S+\/mstar: cannot be written \(.+\): set XDG_CACHE_HOME to a folder that can be written, or set TORCH_ROOT to a LibTorch 2\.13\.0 \(.+\)$/;
  for (const env of [{ HOME: '/dev/null' }, { HOME: '/proc/none' }, { XDG_CACHE_HOME: '/dev/null/cache' }] as Record<
    string,
    string
  >[]) {
    const { status, lines, ran } = build(env);
    expect({ status, ran, count: lines.length }).toEqual({ status: 1, ran: [], count: 1 });
    expect(lines[0]).toMatch(wanted);
  }
  expect(build({ HOME: '' }).lines).toEqual([
    expect.stringMatching(/^error: LibTorch: no home folder: set XDG_CACHE_HOME .+, or set TORCH_ROOT /),
  ]);
});

test('the LibTorch of the last build that is gone is named before another is looked for', () => {
  const torch = libtorch('gone');
  build({ TORCH_ROOT: torch });
  rmSync(torch, { recursive: true });
  const { lines } = build({ XDG_CACHE_HOME: '/dev/null/cache' });
  expect(lines[0]).toBe(`mstar: not using ${torch}: holds no lib/libtorch_cpu.so`);
  expect(lines).toHaveLength(2);
});
