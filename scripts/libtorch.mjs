// Finds LibTorch, or puts it into the per-user cache. Where it is downloaded from is left to download-libtorch.mjs,
// building against it to build-native.mjs.
// As a program it prints the folder found: CMakeLists.txt asks it when nobody has set TORCH_ROOT. With --cached it prints that
// of the cache, or why there is none: prebuilt addons ask it, which run with one version.
import { accessSync, constants, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { downloadLibtorch, version } from './download-libtorch.mjs';
import { withLock } from './lock.mjs';
import { isMain, makeFolder, output, root, runMain, SetupError, say } from './log.mjs';

const oldest = 11;
const newest = 14;
const needed = 'a folder with include/ATen and lib/libtorch_cpu.so';
const setCache = 'set XDG_CACHE_HOME to a folder that can be written';
const setRoot = `set TORCH_ROOT to a LibTorch 2.${oldest} to 2.${newest} (${needed})`;
/** The same where it is a version to fetch that is missing: prebuilt addons run with no other. */
const setOwnRoot = `set TORCH_ROOT to a LibTorch ${version} (${needed})`;
const setMirror = 'set MSTAR_LIBTORCH_MIRROR to a folder or URL that holds it';

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
  for (const folder of [builtWith(), pythonTorch()]) {
    if (!folder) continue;
    const problem = unusable(folder);
    if (!problem) return folder;
    say(`not using ${folder}: ${problem}`);
  }
  return cachedLibtorch();
}

/** Folder of the per-user cache, into which LibTorch is fetched where it is not there. */
async function cachedLibtorch() {
  const cached = cachedFolder();
  await withLock(cached, async () => {
    if (unusable(cached)) await fetchInto(cached);
  });
  return cached;
}

/**
 * Folders that may hold a LibTorch for an addon that is built already: TORCH_ROOT alone where it is set. The cache comes
 * before Python's, so that a torch installed later does not change the numbers of a run.
 */
export function* runtimeFolders() {
  const { TORCH_ROOT } = process.env;
  if (TORCH_ROOT) return yield path.resolve(TORCH_ROOT);
  if (cacheFolder()) yield cachedFolder();
  const python = pythonTorch();
  if (python) yield python;
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

/** Why a folder cannot serve as LibTorch to this user, or undefined when it can. */
export function unusable(folder) {
  for (const file of ['lib/libtorch_cpu.so', 'lib/libc10.so', 'include/ATen/ATen.h']) {
    try {
      accessSync(path.join(folder, file), constants.R_OK);
    } catch (error) {
      return error.code === 'EACCES' ? 'cannot be read by this user' : `holds no ${file}`;
    }
  }
  const [major, minor] = versionOf(folder);
  if (major !== 2 || !(minor >= oldest && minor <= newest)) {
    return `is LibTorch ${major}.${minor}, wanted 2.${oldest} to 2.${newest}`;
  }
  // A CUDA build needs CUDA's own libraries merely to load.
  const missing = /^\s*(\S+) => not found/m.exec(output('ldd', [path.join(folder, 'lib/libtorch_cpu.so')]) ?? '');
  return missing ? `needs ${missing[1]}, which is not on this machine` : undefined;
}

/** Major, minor and patch number as the headers of a LibTorch give them. */
export function versionOf(folder) {
  const headers = ['include/torch/headeronly/version.h', 'include/torch/csrc/api/include/torch/version.h'];
  const text = headers
    .filter((h) => existsSync(path.join(folder, h)))
    .map((h) => readFileSync(path.join(folder, h), 'utf8'))
    .join('\n');
  const number = (part) => Number(new RegExp(`TORCH_VERSION_${part} (\\d+)`).exec(text)?.[1]);
  return ['MAJOR', 'MINOR', 'PATCH'].map(number);
}

/** Folder of the torch package of the Python on PATH, found without importing it, or undefined. */
function pythonTorch() {
  const find =
    'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")';
  return output('python3', ['-c', find])?.trim() || undefined;
}

function cachedFolder() {
  const cache = cacheFolder();
  if (!cache) throw new SetupError(`LibTorch: no home folder: ${setCache}, or ${setOwnRoot}`);
  return path.join(cache, `libtorch-${version}`);
}

/** The per-user cache; undefined for a user without a home folder. */
function cacheFolder() {
  const given = process.env.XDG_CACHE_HOME ?? '';
  if (path.isAbsolute(given)) return path.join(given, 'mstar');
  let home = '';
  try {
    home = os.homedir();
  } catch {
    // Thrown for a user whom the system does not know.
  }
  return path.isAbsolute(home) ? path.join(home, '.cache', 'mstar') : undefined;
}

/**
 * Fetches LibTorch and puts it at `target` in one rename: a reader sees all of it or nothing. One fetch at a time on a
 * machine; between machines that share the folder the first to finish wins.
 */
async function fetchInto(target) {
  const cache = path.dirname(target);
  makeFolder(cache, `${setCache}, or ${setOwnRoot}`);
  const own = `fetch-${os.hostname()}-`;
  // We hold the lock, so what this machine has here is left from a fetch that was killed.
  for (const name of readdirSync(cache).filter((entry) => entry.startsWith(own))) {
    rmSync(path.join(cache, name), { recursive: true, force: true });
  }
  const work = mkdtempSync(path.join(cache, own));
  try {
    say(`fetching LibTorch ${version} (CPU, about 190 MB) into ${target}`);
    const ready = await downloadLibtorch(work);
    const problem = unusable(ready);
    if (problem) throw new SetupError(`what was fetched ${problem}`);
    if (unusable(target)) rmSync(target, { recursive: true, force: true });
    try {
      renameSync(ready, target);
    } catch (error) {
      if (unusable(target)) throw error;
    }
  } catch (error) {
    if (error instanceof SetupError)
      throw new SetupError(`LibTorch: ${error.message}; check the network, ${setMirror}, or ${setOwnRoot}`);
    if (error.syscall)
      throw new SetupError(`LibTorch: ${error.message}: ${setCache} and has room for 1 GB, or ${setOwnRoot}`);
    throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    if (process.argv[2] !== '--cached') return console.log(await libtorch());
    try {
      console.log(await cachedLibtorch());
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      console.log(error.message);
      process.exitCode = 1;
    }
  });
}
