// Builds the addon with CMake, the one truth of the native build, and is the entry that binding.gyp gives to npm.
// Finding LibTorch is left to libtorch.mjs; npm packages and everything else of a set-up to setup.mjs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { buildDist, canBuildDist } from './dist.mjs';
import { builtWith, libtorch } from './libtorch.mjs';
import { withLock } from './lock.mjs';
import { isMain, root, run, runMain, SetupError, say, which } from './log.mjs';

const tree = path.join(root, '.native/cmake');

/** Configures where needed and builds what changed. Throws SetupError with one line that says what to do. */
export async function buildNative() {
  checkTools();
  const torch = await libtorch();
  if (!configured() || builtWith() !== torch) configure(torch);
  await build();
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
  run('cmake', args, 'cmake could not configure the addon: see the lines above');
}

/** Runs the build and shows its lines from the first one that says something was compiled. */
async function build() {
  const memoryJobs = Math.floor(os.totalmem() / 1.5e9);
  const jobs = Math.max(1, Math.min(os.availableParallelism(), memoryJobs));
  const child = spawn('cmake', ['--build', tree, '--parallel', String(jobs)], { stdio: ['ignore', 'pipe', 2] });
  const ended = once(child, 'close');
  let told = false;
  for await (const line of createInterface({ input: child.stdout })) {
    if (!told && /^\[\d+\/\d+\] (?!Re-running)|^\[ *\d+%\] Building/.test(line) && !/Re-checking globbed/.test(line)) {
      told = true;
      say('building the addon (the first time takes minutes)');
    }
    if (told) console.error(line);
  }
  const [status] = await ended;
  if (status !== 0)
    throw new SetupError('the addon did not compile: see the lines above; to use another LibTorch set TORCH_ROOT');
}

if (isMain(import.meta.url)) {
  await runMain(() =>
    withLock(root, async () => {
      await buildNative();
      if (canBuildDist()) buildDist();
    }),
  );
}
