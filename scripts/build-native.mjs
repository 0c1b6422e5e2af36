// Builds the addon with CMake, the one truth of the native build; install.mjs, binding.gyp and set-up start it.
// Finding LibTorch is left to libtorch.mjs; npm packages and everything else of a set-up to setup.mjs.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { buildDist, canBuildDist } from './dist.mjs';
import { filesUnder, fingerprint, stamped } from './fingerprint.mjs';
import { builtWith, libtorch, unusable, versionOf } from './libtorch.mjs';
import { withLock } from './lock.mjs';
import { isMain, makeFolder, ownTree, root, runMain, SetupError, say, which } from './log.mjs';
import { buildProgress } from './progress.mjs';

const tree = path.join(root, '.native/cmake');
const stamp = path.join(root, '.native/addon.stamp');

/** Configures where needed and builds what changed. Throws SetupError with one line that says what to do. */
export async function buildNative() {
  const outdated = addonOutdated();
  if (!outdated) return;
  checkTools();
  makeFolder(path.dirname(tree), `the addon ${outdated}; ${ownTree}`);
  const torch = await libtorch();
  if (!configured() || builtWith() !== torch) configure(torch);
  rmSync(stamp, { force: true });
  await build();
  writeFileSync(stamp, wantedStamp(torch));
}

/**
 * Why the addon has to be built, or undefined where it is: from these sources, against the LibTorch that is wanted, both
 * readable by this user.
 */
export function addonOutdated() {
  const built = builtWith();
  if (!built || !existsSync(path.join(root, '.native/Release/mstar.node'))) return 'is not built';
  const { TORCH_ROOT } = process.env;
  if (TORCH_ROOT && path.resolve(TORCH_ROOT) !== built) return `is built with ${built} and not with TORCH_ROOT`;
  const problem = unusable(built);
  if (problem) return `is built with ${built}, which ${problem}`;
  return stamped(stamp, wantedStamp(built)) ? undefined : 'is older than its sources';
}

function wantedStamp(torch) {
  const sources = ['CMakeLists.txt', ...filesUnder('cmake'), ...filesUnder('native')];
  return fingerprint(sources, [torch, versionOf(torch), process.arch]);
}

/** Throws one line that says what to install when a tool is missing. */
export function checkTools() {
  const missing = [];
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 17)) missing.push(`Node.js 20.17 (this is ${process.versions.node})`);
  if (!which('cmake')) missing.push('cmake 3.22 or newer');
  if (!which('ninja') && !which('make')) missing.push('ninja or make');
  if (!which(process.env.CXX?.split(' ')[0] ?? 'c++')) missing.push('a C++20 compiler (g++ 11 or newer)');
  if (missing.length === 0) return;
  throw new SetupError(`missing on this machine: ${missing.join(', ')}; on Debian: apt install g++ cmake ninja-build`);
}

/** True when CMake finished configuring this very folder; what a copied clone or a failed attempt left is removed. */
function configured() {
  const cache = path.join(tree, 'CMakeCache.txt');
  const rules = ['build.ninja', 'Makefile'].some((file) => existsSync(path.join(tree, file)));
  if (rules && readFileSync(cache, 'utf8').includes(`\nCMAKE_HOME_DIRECTORY:INTERNAL=${root}\n`)) return true;
  rmSync(tree, { recursive: true, force: true });
  return false;
}

function configure(torch) {
  say(`configuring with LibTorch at ${torch}`);
  const require = createRequire(path.join(root, 'package.json'));
  const include = [
    require('node-api-headers').include_dir,
    path.dirname(require.resolve('node-addon-api/package.json')),
  ];
  const generator = configured() || process.env.CMAKE_GENERATOR || !which('ninja') ? [] : ['-G', 'Ninja'];
  const args = ['-S', root, '-B', tree, ...generator, `-DTORCH_ROOT=${torch}`, `-DCMAKE_JS_INC=${include.join(';')}`];
  const { status, stdout, stderr } = spawnSync('cmake', args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) {
    console.error(`${stdout}${stderr}`);
    throw new SetupError('cmake could not configure the addon: see the lines above');
  }
  for (const [, line] of stdout.matchAll(/^-- (CUDA plug-in .*)/gm)) say(line);
}

/** Runs the build: its steps as progress, whatever else it prints (warnings, errors) as it is. */
async function build() {
  const memoryJobs = Math.floor(os.totalmem() / 1.5e9);
  const jobs = Math.max(1, Math.min(os.availableParallelism(), memoryJobs));
  const env = { ...process.env, NINJA_STATUS: '[%f/%t] ' };
  const child = spawn('cmake', ['--build', tree, '--parallel', String(jobs)], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  say('building the addon (the first time takes minutes)');
  const progress = buildProgress(process.stderr);
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', progress.line);
  const [status] = await ended;
  progress.end();
  if (status !== 0)
    throw new SetupError('the addon did not compile: see the lines above; to use another LibTorch set TORCH_ROOT');
}

/** Removes the objects, hundreds of megabytes that only a developer's next build needs; which LibTorch it was stays noted. */
function removeObjects() {
  for (const name of existsSync(tree) ? readdirSync(tree) : []) {
    if (name !== 'CMakeCache.txt') rmSync(path.join(tree, name), { recursive: true });
  }
}

/** The addon of an installed package, or of a clone with its dist/. */
export async function installNative() {
  await withLock(root, async () => {
    await buildNative();
    if (canBuildDist()) buildDist();
    else removeObjects();
  });
}

if (isMain(import.meta.url)) await runMain(installNative);
