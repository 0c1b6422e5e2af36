// Finds LibTorch, or puts it into the per-user cache. Where it is downloaded from is left to download-libtorch.mjs,
// building against it to build-native.mjs.
// As a program it prints the folder found: CMakeLists.txt asks it when nobody has set TORCH_ROOT.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { downloadLibtorch } from './download-libtorch.mjs';
import { withLock } from './lock.mjs';
import { isMain, output, root, runMain, SetupError, say } from './log.mjs';

const version = '2.13.0';
const oldest = 11;
const newest = 14;
const needed = 'a folder with include/ATen and lib/libtorch_cpu.so';
const setRoot = `set TORCH_ROOT to a LibTorch 2.${oldest} to 2.${newest} (${needed})`;

/**
 * Folder of a usable LibTorch: TORCH_ROOT, the one this tree is built with, the installed Python's torch, the per-user
 * cache; else fetched into that cache.
 */
export async function libtorch() {
  const wanted = process.env.TORCH_ROOT;
  if (wanted) {
    const problem = unusable(wanted);
    if (problem) throw new SetupError(`TORCH_ROOT: ${wanted}: ${problem}; ${setRoot}`);
    return path.resolve(wanted);
  }
  const built = builtWith();
  if (built && !unusable(built)) return built;
  const python = pythonTorch();
  if (python) {
    const problem = unusable(python);
    if (!problem) return python;
    say(`not using ${python}: ${problem}`);
  }
  const cached = path.join(cacheFolder(), `libtorch-${version}`);
  await withLock(cached, async () => {
    if (unusable(cached)) await fetchInto(cached);
  });
  return cached;
}

/** The LibTorch that the CMake tree was configured with, or undefined. */
export function builtWith() {
  try {
    const cache = readFileSync(path.join(root, '.native/cmake/CMakeCache.txt'), 'utf8');
    return /^TORCH_ROOT:\w+=(.+)$/m.exec(cache)?.[1];
  } catch {
    return undefined;
  }
}

/** Why a folder cannot serve as LibTorch, or undefined when it can. */
function unusable(folder) {
  for (const file of ['lib/libtorch_cpu.so', 'lib/libc10.so', 'include/ATen/ATen.h']) {
    if (!existsSync(path.join(folder, file))) return `holds no ${file}`;
  }
  const headers = ['include/torch/headeronly/version.h', 'include/torch/csrc/api/include/torch/version.h'];
  const text = headers
    .filter((h) => existsSync(path.join(folder, h)))
    .map((h) => readFileSync(path.join(folder, h), 'utf8'))
    .join('\n');
  const major = Number(/TORCH_VERSION_MAJOR (\d+)/.exec(text)?.[1]);
  const minor = Number(/TORCH_VERSION_MINOR (\d+)/.exec(text)?.[1]);
  if (major !== 2 || !(minor >= oldest && minor <= newest)) {
    return `is LibTorch ${major}.${minor}, wanted 2.${oldest} to 2.${newest}`;
  }
  // A CUDA build needs CUDA's own libraries merely to load.
  const missing = /^\s*(\S+) => not found/m.exec(output('ldd', [path.join(folder, 'lib/libtorch_cpu.so')]) ?? '');
  return missing ? `needs ${missing[1]}, which is not on this machine` : undefined;
}

/** Folder of the torch package of the Python on PATH, found without importing it, or undefined. */
function pythonTorch() {
  const find =
    'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")';
  return output('python3', ['-c', find])?.trim() || undefined;
}

function cacheFolder() {
  const home = process.env.XDG_CACHE_HOME ?? '';
  return path.join(path.isAbsolute(home) ? home : path.join(os.homedir(), '.cache'), 'mstar');
}

/**
 * Fetches LibTorch and puts it at `target` in one rename: a reader sees all of it or nothing. One fetch at a time on a
 * machine; between machines that share the folder the first to finish wins.
 */
async function fetchInto(target) {
  const cache = path.dirname(target);
  mkdirSync(cache, { recursive: true });
  const own = `fetch-${os.hostname()}-`;
  // We hold the lock, so what this machine has here is left from a fetch that was killed.
  for (const name of readdirSync(cache).filter((entry) => entry.startsWith(own))) {
    rmSync(path.join(cache, name), { recursive: true, force: true });
  }
  const work = mkdtempSync(path.join(cache, own));
  try {
    say(`fetching LibTorch ${version} (CPU, about 190 MB) into ${target}`);
    const ready = await downloadLibtorch(version, work);
    const problem = unusable(ready);
    if (problem) throw new SetupError(`what was fetched ${problem}`);
    if (unusable(target)) rmSync(target, { recursive: true, force: true });
    try {
      renameSync(ready, target);
    } catch (error) {
      if (unusable(target)) throw error;
    }
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    throw new SetupError(`LibTorch: ${error.message}; check the network, or ${setRoot}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (isMain(import.meta.url)) await runMain(async () => console.log(await libtorch()));
