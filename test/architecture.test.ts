// The shape of the project as a test: who may import whom, how long a file may be, what each file opens with.
// The reasons are in CONTRIBUTING.md and docs/adr/.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const longest = 400;

/** Folder of src/ -> folders it may import besides itself. */
const imports: Record<string, readonly string[]> = {
  core: [],
  config: ['core'],
  text: ['core'],
  images: ['core'],
  checkpoint: ['core'],
  backbones: ['core', 'text'],
  // And scripts/prebuilt.mjs, which install scripts share with it and which needs no package.
  engine: ['core', 'text', 'images', 'checkpoint', 'backbones', 'scripts'],
  distributed: ['core', 'engine'],
  data: ['core'],
  problems: ['core'],
  reward: ['core'],
  judge: ['core', 'reward'],
  run: ['core'],
  hub: ['core', 'config', 'checkpoint', 'run'],
  grade: ['core', 'data', 'reward', 'run'],
  // What a run folder holds: its writers and its readers.
  record: ['core', 'data', 'run'],
  rollout: ['core', 'record', 'reward', 'run'],
  label: ['core', 'data', 'record', 'reward', 'rollout', 'run'],
  measure: ['core', 'record', 'reward'],
  evaluate: ['core', 'data', 'measure', 'record', 'reward', 'rollout', 'run'],
  evolve: ['core', 'config', 'data', 'label', 'measure', 'record', 'reward', 'rollout', 'run'],
  page: ['core', 'images'],
  // Views look at what was made; nothing that makes it knows of them.
  views: ['core', 'data', 'evaluate', 'evolve', 'images', 'label', 'measure', 'page', 'record', 'reward', 'run'],
  watch: ['core', 'evolve', 'page', 'record', 'run', 'views'],
  jobs: [
    ...['core', 'config', 'data', 'checkpoint', 'engine', 'evaluate', 'evolve', 'hub', 'label', 'page', 'problems'],
    ...['record', 'reward', 'rollout', 'run', 'views'],
  ],
  library: ['core', 'config', 'data', 'engine', 'grade', 'hub', 'jobs', 'judge', 'problems', 'reward', 'run', 'views'],
};

/** Folder of native/ -> what it may include: folders, or single headers of a folder. */
const includes: Record<string, readonly string[]> = {
  base: ['base/'],
  io: ['io/', 'base/'],
  ops: ['ops/', 'base/'],
  distributed: ['distributed/', 'base/'],
  engine: ['engine/', 'distributed/', 'ops/', 'io/', 'base/'],
  // A model implements the engine's contract and sees nothing else of it, but for the form in which kernels are compared;
  // the engine sees no model at all.
  models: [
    'models/',
    ...['backbone', 'parameters', 'segments', 'types', 'check/kernels'].map((name) => `engine/${name}.h`),
    'ops/',
    'base/',
  ],
  addon: ['addon/', 'engine/', 'distributed/', 'io/', 'base/'],
};

function filesUnder(folder: string, pattern: RegExp): string[] {
  if (!existsSync(path.join(root, folder))) return [];
  const names = readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => pattern.test(name)).map((name) => path.join(folder, name));
}

const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const folderOf = (file: string) =>
  file.startsWith('scripts') ? 'scripts' : file.split(path.sep).length > 2 ? file.split(path.sep)[1]! : '';
const matches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1]!);

const typescript = filesUnder('src', /\.ts$/);
const cpp = filesUnder('native', /\.(h|cpp|cu)$/);
const tools = filesUnder('tools', /\.ts$/);
const tests = filesUnder('test', /\.ts$/);
const programs = ['scripts', 'benchmarks', 'examples'].flatMap((folder) => filesUnder(folder, /\.(mjs|ts)$/));
const sources = [...typescript, ...tools, ...cpp, ...tests, ...programs];

/** Files of src/ that a file imports, by path from the root. */
function importsOf(file: string): string[] {
  const named = matches(read(file), /(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+)'/g);
  return named.map((name) => path.join(path.dirname(file), name).replace(/\.js$/, '.ts'));
}

/** Project headers that a C++ file includes, by path from native/. */
const includesOf = (file: string) => matches(read(file), /^#include "([^"]+)"/gm);

describe('TypeScript', () => {
  test('every folder of src has its place in the order of imports', () => {
    const folders = new Set(typescript.map(folderOf).filter((folder) => folder !== '' && folder !== 'commands'));
    expect([...folders].filter((folder) => !(folder in imports))).toEqual([]);
  });

  test('imports go in one direction', () => {
    const wrong = typescript.flatMap((file) => {
      const from = folderOf(file);
      const allowed = imports[from];
      if (!allowed) return [];
      const bad = importsOf(file).filter((to) => folderOf(to) !== from && !allowed.includes(folderOf(to)));
      return bad.map((to) => `${file} imports ${to}`);
    });
    expect(wrong).toEqual([]);
  });

  test('only cli.ts imports the commands', () => {
    const wrong = typescript.filter((file) => folderOf(file) !== 'commands' && file !== path.join('src', 'cli.ts'));
    expect(wrong.filter((file) => importsOf(file).some((to) => folderOf(to) === 'commands'))).toEqual([]);
  });

  test('only engine/binding.ts loads the binary', () => {
    const loaders = typescript.filter((file) => /\.node\b['"`]|process\.dlopen/.test(read(file)));
    expect(loaders).toEqual([path.join('src', 'engine', 'binding.ts')]);
  });

  test('only core/duckdb.ts opens DuckDB and names files to it, so that no path is taken for a pattern', () => {
    const users = typescript.filter((file) => /DuckDBInstance|\bread_(parquet|csv|json)\w*\(/.test(read(file)));
    expect(users).toEqual([path.join('src', 'core', 'duckdb.ts')]);
  });

  test('only hub/download.ts knows the client of the hub, and is loaded by nobody who does not need it', () => {
    const files = (pattern: RegExp) => typescript.filter((file) => pattern.test(read(file)));
    expect(files(/@huggingface\/hub/)).toEqual([path.join('src', 'hub', 'download.ts')]);
    expect(files(/from '[^']*\/download\.js'/)).toEqual([]);
  });

  test('every backbone has a layout for its golden folders', () => {
    const names = typescript.map((file) => /^src\/backbones\/(?!registry|backbone)([\w-]+)\.ts$/.exec(file)?.[1]);
    const without = names.filter((name) => name && !tools.includes(`tools/golden/layouts/${name}.ts`));
    expect(without).toEqual([]);
  });

  test('sources import only packages that package.json declares', () => {
    const declared = Object.keys(JSON.parse(read('package.json')).dependencies);
    const wrong = typescript.flatMap((file) => {
      const packages = matches(read(file), /^(?:import|export)\b[^;]*?\bfrom '([^.'][^']*)'/gm);
      const names = packages.filter((name) => !name.startsWith('node:'));
      const base = names.map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'));
      return base.filter((name) => !declared.includes(name)).map((name) => `${file} imports ${name}`);
    });
    expect(wrong).toEqual([]);
  });
});

describe('C++', () => {
  test('every folder of native has its place in the order of includes', () => {
    expect([...new Set(cpp.map(folderOf))].filter((folder) => !(folder in includes))).toEqual([]);
  });

  test('includes go in one direction', () => {
    const wrong = cpp.flatMap((file) => {
      const allowed = includes[folderOf(file)] ?? [];
      const bad = includesOf(file).filter((header) => !allowed.some((start) => header.startsWith(start)));
      return bad.map((header) => `${file} includes ${header}`);
    });
    expect(wrong).toEqual([]);
  });

  test('no model includes another model', () => {
    const model = (header: string) => /^models\/([^/]+)\//.exec(header)?.[1];
    const wrong = cpp.flatMap((file) => {
      const own = model(path.relative('native', file));
      const others = includesOf(file).filter(
        (header) => own !== undefined && ![own, 'layers', undefined].includes(model(header)),
      );
      return others.map((header) => `${file} includes ${header}`);
    });
    expect(wrong).toEqual([]);
  });

  test('Node-API is seen only by the addon', () => {
    const seen = cpp.filter((file) => /#include <(napi|node_api)\.h>/.test(read(file)));
    expect(seen.filter((file) => folderOf(file) !== 'addon')).toEqual([]);
  });

  test('CUDA is seen only by ops/cuda and base', () => {
    const seen = cpp.filter((file) => /#include [<"](cuda|c10\/cuda|ATen\/cuda|nccl)/.test(read(file)));
    expect(seen.filter((file) => !/^native\/(ops\/cuda|base)\//.test(file))).toEqual([]);
  });

  test('nothing includes the headers that take longest to compile', () => {
    expect(cpp.filter((file) => /#include <torch\/(torch|all|script|extension)\.h>/.test(read(file)))).toEqual([]);
  });

  test('every backbone has a folder in native/models and a file in src/backbones', () => {
    const folders = new Set(cpp.map((file) => /^native\/models\/([^/]+)\/backbone\.cpp$/.exec(file)?.[1]));
    const names = [...folders].filter((name) => name !== undefined);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !typescript.includes(`src/backbones/${name}.ts`))).toEqual([]);
  });
});

describe('every file', () => {
  test(`is at most ${longest} lines long`, () => {
    const lengths = sources.map((file) => [file, read(file).split('\n').length - 1] as const);
    expect(lengths.filter(([, lines]) => lines > longest)).toEqual([]);
  });

  test('opens with a comment that says what it does, unless it is a test, whose name and sentences say it', () => {
    const opening = /^(#!.*\n)?(#pragma once\n)?\/\/ \S/;
    const silent = sources.filter((file) => !opening.test(read(file)));
    expect(silent.filter((file) => !file.endsWith('.test.ts'))).toEqual([]);
  });
});
