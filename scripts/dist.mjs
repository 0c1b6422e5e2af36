// Builds dist/ from src/: TypeScript through tsc, every other file copied. As a program it does only that, which is all
// that packing needs.
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { filesUnder, fingerprint, stamped } from './fingerprint.mjs';
import { withLock } from './lock.mjs';
import { isMain, makeFolder, ownTree, root, run, runMain, say } from './log.mjs';
import { installPackages } from './packages.mjs';

const tsc = 'node_modules/typescript/bin/tsc';
const stamp = path.join(root, '.native/dist.stamp');

/** True where the sources and their compiler are: a clone, not an installed package, which brings its dist/. */
export function canBuildDist() {
  return existsSync(path.join(root, 'src')) && existsSync(path.join(root, tsc));
}

/** Builds when a source, a setting or the compiler changed since the last time. */
export function buildDist() {
  const sources = filesUnder('src');
  const wanted = fingerprint([...sources, 'tsconfig.json', 'package-lock.json']);
  if (existsSync(path.join(root, 'dist')) && stamped(stamp, wanted)) return;
  for (const folder of ['dist', '.native']) makeFolder(path.join(root, folder), `dist is older than src; ${ownTree}`);
  say('compiling TypeScript');
  rmSync(stamp, { force: true });
  run(process.execPath, [tsc, '-p', 'tsconfig.json'], 'TypeScript did not compile: see the lines above');
  for (const file of sources.filter((name) => !name.endsWith('.ts'))) {
    const target = path.join(root, 'dist', path.relative('src', file));
    mkdirSync(path.dirname(target), { recursive: true });
    copyFileSync(path.join(root, file), target);
  }
  removeStale(sources);
  const cli = path.join(root, 'dist/cli.js');
  if (existsSync(cli)) chmodSync(cli, 0o755);
  writeFileSync(stamp, wanted);
}

/** Removes what was built from sources that are gone. */
function removeStale(sources) {
  const current = new Set(sources.map((file) => path.relative('src', file)));
  for (const file of filesUnder('dist')) {
    const name = path.relative('dist', file);
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
