// Builds dist/ from src/ (TypeScript through tsc, every other file copied) and the programs of tools/.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { root, run, say } from './log.mjs';

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
  if (existsSync(path.join(root, to)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return undefined;
  say(`compiling ${title}`);
  rmSync(stamp, { force: true });
  run(process.execPath, [tsc, '-p', project], `${title} did not compile: see the lines above`);
  removeStale(sources, from, to);
  return () => {
    mkdirSync(path.dirname(stamp), { recursive: true });
    writeFileSync(stamp, wanted);
  };
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

/** Files below a folder of the project, as paths from its root, in a fixed order. */
function filesUnder(folder) {
  const entries = readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => path.relative(root, path.join(entry.parentPath, entry.name))).sort();
}

/** Changes when a file is added, removed or written. */
function fingerprint(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const { mtimeMs, size } = statSync(path.join(root, file));
    hash.update(`${file} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex');
}
