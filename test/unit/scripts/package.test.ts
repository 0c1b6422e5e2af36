import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const manifest = JSON.parse(read('package.json'));
const [listing] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--no-update-notifier'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }),
);
const packed = new Set<string>(listing.files.map(({ path: name }: { path: string }) => name));
const missing = (files: readonly string[]) => files.filter((file) => !packed.has(file));
const under = (folder: string) =>
  readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));

/** A script with all that it imports from the tree. */
function withImports(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, name] of read(file).matchAll(/\b(?:from|import) '(\.[^']+)'/g))
    withImports(path.join(path.dirname(file), name!), seen);
  return seen;
}

test('the package holds whatever the scripts that build it import', () => {
  const scripts = [manifest.scripts.install, ...JSON.parse(read('binding.gyp')).targets[0].actions[0].action];
  const entries = scripts.join(' ').match(/scripts\/[\w-]+\.mjs/g)!;
  expect(entries.length).toBeGreaterThan(0);
  expect(missing(entries.flatMap((entry: string) => [...withImports(entry)]))).toEqual([]);
});

test('the package holds whatever CMakeLists.txt and the files it includes name', () => {
  const included = [...read('CMakeLists.txt').matchAll(/\binclude\((\S+\.cmake)\)/g)].map(([, file]) => file!);
  expect(included).toContain('cmake/cuda.cmake');
  const named = ['CMakeLists.txt', ...included].flatMap((file) =>
    [...read(file).matchAll(/\b(?:scripts|native)\/[\w./-]+\.(?:mjs|h)\b/g)].map(([name]) => name),
  );
  expect(missing([...included, ...named, ...under('native')])).toEqual([]);
});

test('the package holds its entries, its assets and its examples', () => {
  const entries = [manifest.main, manifest.types, ...Object.values<string>(manifest.bin), 'binding.gyp', 'README.md'];
  expect(missing([...entries, ...under('assets'), ...under('examples')])).toEqual([]);
});

test('the package holds the pages that its messages and its README name', () => {
  const pages = [...under('src'), 'README.md'].flatMap((file) =>
    [...read(file).matchAll(/\bdocs\/[\w/-]+\.md\b/g)].map(([page]) => page),
  );
  expect(pages).toContain('docs/run-folder.md');
  expect(missing([...new Set(pages)])).toEqual([]);
});

test('the package has a compiled file for every source and no map to sources that it lacks', () => {
  const compiled = under('src')
    .filter((file) => !file.endsWith('.d.ts'))
    .map((file) => file.replace(/^src/, 'dist').replace(/\.ts$/, '.js'));
  expect(existsSync(path.join(root, 'dist'))).toBe(true);
  expect(missing(compiled)).toEqual([]);
  expect([...packed].filter((file) => file.endsWith('.map'))).toEqual([]);
});

test('npm has a script to start, so that it does not fetch headers to run node-gyp', () => {
  expect(manifest.scripts.install).toBe('node scripts/install.mjs');
});

test('the package holds the scripts that its sources import, and none of those for work on a clone', () => {
  const imported = under('src').flatMap((file) =>
    [...read(file).matchAll(/from '(?:\.\.\/)+(scripts\/[\w-]+\.mjs)'/g)].map(([, name]) => name!),
  );
  expect(imported).toEqual(['scripts/prebuilt.mjs']);
  expect(missing(imported.flatMap((file) => [...withImports(file)]))).toEqual([]);
  const shipped = [...packed].filter((file) => file.startsWith('scripts/'));
  const needed = ['scripts/install.mjs', 'scripts/build-native.mjs', 'scripts/libtorch.mjs'];
  expect(shipped.sort()).toEqual([...new Set(needed.flatMap((file) => [...withImports(file)]))].sort());
});
