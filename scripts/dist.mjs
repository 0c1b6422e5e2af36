// Builds dist/ from src/ (TypeScript through tsc, every other file copied) and the programs of tools/. As a program it does
// only the first, which is all that packing needs.
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { filesUnder, fingerprint, stamped } from './fingerprint.mjs';
import { withLock } from './lock.mjs';
import { isMain, makeFolder, ownTree, root, run, runMain, say } from './log.mjs';
import { installPackages } from './packages.mjs';

const tsc = 'node_modules/typescript/bin/tsc';
/** True where the sources and their compiler are: a clone, not an installed package, which brings its dist/. */
export function canBuildDist() {
  return existsSync(path.join(root, 'src')) && existsSync(path.join(root, tsc));
}

/** The package: dist/ from src/. */
export function buildDist() {
  const sources = filesUnder('src');
  const compiled = compile('TypeScript', 'tsconfig.json', sources, 'src', 'dist');
  if (!compiled) return;
  for (const file of sources.filter((name) => !name.endsWith('.ts'))) {
    const target = path.join(root, 'dist', path.relative('src', file));
    mkdirSync(path.dirname(target), { recursive: true });
    copyFileSync(path.join(root, file), target);
  }
  const cli = path.join(root, 'dist/cli.js');
  if (existsSync(cli)) chmodSync(cli, 0o755);
  compiled();
}

/** The programs of tools/, which run on dist/ and are no part of the package. */
export function buildTools() {
  compile('tools', 'tools/tsconfig.json', filesUnder('tools'), 'tools', '.native/tools')?.();
}

/**
 * Compiles when a source, a setting or the compiler changed since the last time.
 * @returns what to call when all of it is in place; undefined where nothing changed
 */
function compile(title, project, sources, from, to) {
  const stamp = path.join(root, `.native/${path.basename(to)}.stamp`);
  const wanted = fingerprint([...sources, 'tsconfig.json', project, 'package-lock.json']);
  if (existsSync(path.join(root, to)) && stamped(stamp, wanted)) return undefined;
  for (const folder of [to, '.native']) makeFolder(path.join(root, folder), `${to} is older than ${from}; ${ownTree}`);
  say(`compiling ${title}`);
  rmSync(stamp, { force: true });
  run(process.execPath, [tsc, '-p', project], `${title} did not compile: see the lines above`);
  removeStale(sources, from, to);
  return () => writeFileSync(stamp, wanted);
}

/** Removes what was built from sources that are gone. */
function removeStale(sources, from, to) {
  const current = new Set(sources.map((file) => path.relative(from, file)));
  for (const file of filesUnder(to)) {
    const name = path.relative(to, file);
    const source = name.replace(/(\.d\.ts|\.js|\.js\.map)$/, '.ts');
    if (!current.has(source) && !current.has(name)) rmSync(path.join(root, file));
  }
}

if (isMain(import.meta.url)) {
  await runMain(() =>
    withLock(root, () => {
      installPackages();
      buildDist();
    }),
  );
}
