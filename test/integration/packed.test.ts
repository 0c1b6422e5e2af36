import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { builtWith } = (await import(new URL('../../scripts/libtorch.mjs', import.meta.url).href)) as {
  builtWith: () => string | undefined;
};
const { which } = (await import(new URL('../../scripts/log.mjs', import.meta.url).href)) as {
  which: (name: string) => string | undefined;
};
const base = mkdtempSync(path.join(os.tmpdir(), 'mstar-packed-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const project = path.join(base, 'project');
const bin = path.join(base, 'bin');
const modules = path.join(project, 'node_modules');
const installed = path.join(modules, 'mstar');

/** Packs into a folder and returns its tarballs. */
function pack(name: string, ...flags: string[]): string[] {
  const out = path.join(base, name);
  execFileSync(process.execPath, ['scripts/pack-prebuilt.mjs', '--out', out, ...flags], { cwd: root, stdio: 'pipe' });
  return readdirSync(out)
    .sort()
    .map((file) => path.join(out, file));
}

const digests = (files: readonly string[]) =>
  files.map((file) => createHash('sha256').update(readFileSync(file)).digest('hex'));

/** Runs Node.js in the project with nothing but Node.js and a shell on PATH. */
function node(args: readonly string[], env: Record<string, string> = {}) {
  const all = { HOME: base, PATH: bin, npm_config_cache: path.join(base, 'npm'), ...env };
  return spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8', env: all });
}

/** What the package depends on, as this clone has it: npm takes what lies there already and asks no registry. */
function layDependencies(): void {
  const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
  const names = Object.keys(packages).filter(
    (name) =>
      /^node_modules\/(?!.*\/node_modules\/)/.test(name) && !packages[name].dev && existsSync(path.join(root, name)),
  );
  mkdirSync(project);
  const copy = (...how: string[]) => spawnSync('cp', ['-a', ...how, '--parents', ...names, project], { cwd: root });
  if (copy('--link').status !== 0) expect(copy().status).toBe(0);
  const links = path.join(root, 'node_modules/.bin');
  mkdirSync(path.join(modules, '.bin'));
  for (const name of readdirSync(links)) {
    const target = readlinkSync(path.join(links, name));
    const link = path.join(modules, '.bin', name);
    if (existsSync(path.resolve(path.dirname(link), target))) symlinkSync(target, link);
  }
  writeFileSync(path.join(project, 'package.json'), '{"name":"project","version":"1.0.0","type":"module"}');
}

/** Why the addon of this tree cannot be packed here, if so: cmake notes in its build tree what it has installed. */
function whyNot(): string {
  const tree = path.join(root, '.native/cmake');
  if (process.arch !== 'x64' || !existsSync(path.join(tree, 'cmake_install.cmake'))) return 'no addon for x64 is built';
  try {
    accessSync(tree, constants.W_OK);
    return '';
  } catch {
    return 'the build tree belongs to another user';
  }
}
const why = whyNot();

test.skipIf(why !== '')(
  `an addon packed twice has the same bytes, and a project without a compiler gets an answer from the packages${why && ` (${why})`}`,
  () => {
    const tarballs = pack('first');
    expect(tarballs.map((file) => path.basename(file))).toEqual([
      expect.stringMatching(/^mstar-\d.+\.tgz$/),
      expect.stringMatching(/^mstar-linux-x64-(cpu|cuda\d+)-\d.+\.tgz$/),
    ]);
    expect(digests(pack('second', '--addon'))).toEqual(digests(tarballs.slice(1)));

    layDependencies();
    mkdirSync(bin);
    for (const name of ['node', 'sh']) symlinkSync(realpathSync(which(name)!), path.join(bin, name));
    const npm = ['install', '--offline', '--no-audit', '--no-fund', '--foreground-scripts', ...tarballs];
    const { status, stdout, stderr } = node([realpathSync(which('npm')!), ...npm]);
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/added 2 packages/);
    expect(existsSync(path.join(installed, '.native'))).toBe(false);

    writeFileSync(
      path.join(project, 'answer.mjs'),
      `import { loadModel } from 'mstar';
const model = await loadModel('mstar:tiny', { prompt: { system: 'Solve.' } });
const [{ text }] = await model.generate({ question: 'What is 2 + 3?', images: [], n: 1, temperature: 0, maxTokens: 16 });
console.log(JSON.stringify(text));
await model.dispose();
`,
    );
    const answer = node(['answer.mjs'], { TORCH_ROOT: builtWith()! });
    expect(answer.stderr).toBe('');
    expect(JSON.parse(answer.stdout).length).toBeGreaterThan(0);

    // Without a LibTorch, and without a package that fits, one line says what is missing.
    const empty = path.join(base, 'none');
    const nowhere = node(['answer.mjs'], { XDG_CACHE_HOME: base, MSTAR_LIBTORCH_MIRROR: empty });
    expect(nowhere.stderr).toContain(`LibTorch: MSTAR_LIBTORCH_MIRROR: ${empty} holds no torch-`);
    rmSync(path.join(modules, '@mstar'), { recursive: true });
    const fallback = node([path.join(installed, 'scripts/install.mjs')]);
    expect(fallback.stderr.split('\n')).toEqual([
      'mstar: no prebuilt addon fits (there is none for linux-x64): building from source',
      expect.stringMatching(/^error: missing on this machine: cmake/),
      '',
    ]);
  },
);
