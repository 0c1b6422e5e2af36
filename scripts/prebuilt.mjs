// Chooses among the prebuilt addons that npm installed beside this package, and the LibTorch that the chosen one runs with.
// Installing falls back to build-native.mjs where none fits; src/engine/binding.ts loads what fits. pack-prebuilt.mjs makes
// the packages.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { version as fetched } from './download-libtorch.mjs';
import { runtimeFolders, versionOf } from './libtorch.mjs';
import { root, SetupError } from './log.mjs';

/** Name of the package of a variant: the processor alone, or the major version of CUDA whose kernels come with the addon. */
export const packageName = (variant) => `@mstar/linux-x64-${variant}`;
export const variants = ['cpu', 'cuda12', 'cuda13'];
/** What the addon asks of a processor: a table of /proc/cpuinfo names it so. */
export const instructions = ['avx2'];

/** What addons are chosen by: `glibcxx` and `glibc` are undefined where this system has others. */
export function thisMachine() {
  process.report.excludeNetwork = true;
  const { header, sharedObjects } = process.report.getReport();
  const library = sharedObjects.find((file) => path.basename(file).startsWith('libstdc++.so'));
  return {
    platform: `${process.platform}-${process.arch}`,
    napi: Number(process.versions.napi),
    glibc: header.glibcVersionRuntime,
    glibcxx: library && newest(readFileSync(library, 'latin1'), 'GLIBCXX_'),
    instructions: existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8').split(/\s+/) : [],
  };
}

/** The newest version of a family of symbols that a text names, such as `3.4.30` of `GLIBCXX_`. */
export function newest(text, family) {
  const versions = [...text.matchAll(new RegExp(`\\b${family}(\\d+(?:\\.\\d+)+)\\b`, 'g'))].map(
    ([, version]) => version,
  );
  return versions.sort(compare).at(-1);
}

function compare(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  const at = left.findIndex((number, i) => number !== right[i]);
  return at < 0 ? left.length - right.length : left[at] - (right[at] ?? -1);
}

/**
 * The addon to load and the folder of its LibTorch, undefined where that is not there and is the one that libtorch.mjs
 * fetches: `{ file, torch }`; or `{ why }`, part of a line, where no addon fits.
 */
export function prebuilt(from = root, machine = thisMachine()) {
  const require = createRequire(path.join(from, 'package.json'));
  const { version } = require('./package.json');
  const refused = [];
  const fitting = variants.flatMap((variant) => {
    const name = packageName(variant);
    try {
      const file = require.resolve(`${name}/package.json`);
      const found = JSON.parse(readFileSync(file, 'utf8'));
      const addon = path.join(path.dirname(file), 'mstar.node');
      const problem =
        found.version !== version
          ? `is ${found.version}, wanted ${version}`
          : found.mstar && existsSync(addon)
            ? misfit(found.mstar, machine)
            : 'is damaged';
      if (!problem) return [{ ...found.mstar, name, file: addon }];
      refused.push(`${name} ${problem}`);
    } catch (error) {
      // Without a code it is no JSON: npm was stopped, or the disk is full.
      if (error.code !== 'MODULE_NOT_FOUND') refused.push(`${name} is damaged`);
    }
    return [];
  });
  if (fitting.length === 0) return { why: refused.join('; ') || `there is none for ${machine.platform}` };
  return withLibtorch(fitting);
}

/** Why an addon with these needs does not run here, or undefined where it does. */
function misfit(needs, machine) {
  if (machine.platform !== needs.platform) return `is for ${needs.platform}, this is ${machine.platform}`;
  if (!machine.glibc) return 'needs glibc, this system has another C library';
  if (compare(machine.glibc, needs.glibc) < 0) return `needs glibc ${needs.glibc}, this is ${machine.glibc}`;
  if (machine.glibcxx && compare(machine.glibcxx, needs.glibcxx) < 0)
    return `needs a libstdc++ with GLIBCXX_${needs.glibcxx}, this has ${machine.glibcxx}`;
  if (machine.napi < needs.napi) return `needs Node-API ${needs.napi}, this Node.js has ${machine.napi}`;
  const missing = needs.instructions.filter((name) => !machine.instructions.includes(name));
  return missing.length > 0 ? `needs a processor with ${missing.join(', ')}` : undefined;
}

/** The first LibTorch found that an addon was made for, and the addon whose kernels are for its CUDA. */
function withLibtorch(fitting) {
  for (const torch of runtimeFolders()) {
    if (!isThere(torch)) continue;
    const same = fitting.filter((addon) => addon.libtorch.startsWith(`${versionOf(torch).slice(0, 2).join('.')}.`));
    const cuda = cudaOf(torch);
    const best = same.find((addon) => addon.cuda === cuda) ?? same.find((addon) => !addon.cuda) ?? same[0];
    if (best) return { file: best.file, torch };
  }
  const [{ name, libtorch }] = fitting;
  const { TORCH_ROOT } = process.env;
  if (TORCH_ROOT) {
    const numbers = versionOf(TORCH_ROOT).slice(0, 2);
    const found =
      isThere(TORCH_ROOT) && numbers.every(Number.isInteger)
        ? `is LibTorch ${numbers.join('.')}`
        : 'holds no LibTorch with its headers';
    return { why: `TORCH_ROOT: ${TORCH_ROOT} ${found}, ${name} wants ${libtorch}` };
  }
  const addon = fitting.find((one) => one.libtorch === fetched);
  return addon ? { file: addon.file } : { why: `${name} wants LibTorch ${libtorch} at TORCH_ROOT` };
}

/** False for what is left of a LibTorch in the cache, which is then fetched anew. */
const isThere = (torch) => existsSync(path.join(torch, 'lib/libtorch_cpu.so'));

/** Major version of the CUDA that a LibTorch is linked to, undefined for one without. */
export function cudaOf(folder) {
  const file = path.join(folder, 'lib/libc10_cuda.so');
  if (!existsSync(file)) return undefined;
  return Number(/libcudart\.so\.(\d+)/.exec(readFileSync(file, 'latin1'))?.[1]) || undefined;
}

/**
 * Fetches LibTorch into the user's cache and returns its folder; throws SetupError with the reason. It blocks, as loading an
 * addon does, and tells its progress on standard error.
 */
export function fetchLibtorch() {
  const program = fileURLToPath(new URL('libtorch.mjs', import.meta.url));
  const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] };
  const { status, signal, stdout } = spawnSync(process.execPath, [program, '--cached'], options);
  if (signal) throw new SetupError(`fetching LibTorch was stopped by ${signal}`);
  if (status !== 0) throw new SetupError(stdout.trim());
  return stdout.trim();
}
