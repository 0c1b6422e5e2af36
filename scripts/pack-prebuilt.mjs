// `npm run pack-prebuilt [-- --out DIR] [--cuda] [--addon]`: the package as tarballs for npm that need no compiler: the package itself,
// which names the prebuilt addons as optional dependencies, and the addon that this tree is built with, in a package of its
// own. The same tree, tools and LibTorch give the same bytes. --cuda fails where the tree is built without CUDA kernels;
// --addon packs the addon alone, as a second machine does for another variant.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { builtWith, versionOf } from './libtorch.mjs';
import { output, root, run, runMain, SetupError } from './log.mjs';
import { cudaOf, instructions, newest, packageName, variants } from './prebuilt.mjs';

const own = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

/** Tarball of the package with its optional dependencies, which the manifest of a clone cannot name: `npm ci` would ask for them. */
function packMain(work, out) {
  const packed = npmPack(root, work);
  const folder = path.join(work, 'main');
  mkdirSync(folder);
  run('tar', ['-xzf', packed, '-C', folder, '--strip-components=1'], `${packed} does not unpack`);
  const optionalDependencies = Object.fromEntries(variants.map((variant) => [packageName(variant), own.version]));
  // The tree's rules of what is packed have done their work, and its tasks are not in the package.
  const { files, devDependencies, ...kept } = own;
  writeManifest(folder, { ...kept, scripts: { install: own.scripts.install }, optionalDependencies });
  return npmPack(folder, out);
}

/** Tarball of the addon as it is built here, stripped, for the variant that the LibTorch it is built with makes it. */
function packAddon(work, out, wantCuda) {
  const folder = path.join(work, 'addon');
  mkdirSync(folder);
  const install = ['--install', path.join(root, '.native/cmake'), '--prefix', folder, '--strip'];
  if (output('cmake', install) === undefined) throw new SetupError(`cmake ${install.join(' ')}: failed`);
  const torch = builtWith();
  const plugin = existsSync(path.join(folder, 'libmstar_cuda.so'));
  if (wantCuda && !plugin)
    throw new SetupError(
      `--cuda: the addon is built without CUDA kernels, with ${torch}; set TORCH_ROOT to a LibTorch with CUDA`,
    );
  const cuda = plugin ? cudaOf(torch) : undefined;
  const variant = plugin ? `cuda${cuda}` : 'cpu';
  if (process.arch !== 'x64' || !variants.includes(variant))
    throw new SetupError(
      `there is no prebuilt package for ${process.arch} and ${variant}, wanted x64 and one of ${variants.join(', ')}`,
    );
  const symbols = output('readelf', ['-V', path.join(folder, 'mstar.node')]);
  if (!symbols) throw new SetupError('missing on this machine: readelf; on Debian: apt install binutils');
  copyFileSync(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'));
  writeManifest(folder, {
    name: packageName(variant),
    version: own.version,
    description: `The native addon of ${own.name} for Linux on x64, ${plugin ? `with kernels for CUDA ${cuda}` : 'for the processor'}.`,
    license: own.license,
    os: ['linux'],
    cpu: ['x64'],
    libc: ['glibc'],
    mstar: {
      platform: 'linux-x64',
      libtorch: versionOf(torch).join('.'),
      ...(plugin ? { cuda } : {}),
      napi: own.binary.napi_versions[0],
      glibc: newest(symbols, 'GLIBC_'),
      glibcxx: newest(symbols, 'GLIBCXX_'),
      instructions,
    },
  });
  return npmPack(folder, out);
}

function writeManifest(folder, manifest) {
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** npm writes tarballs whose bytes depend on names and contents only. */
function npmPack(folder, out) {
  const answer = output('npm', ['pack', folder, '--json', '--ignore-scripts', '--pack-destination', out]);
  if (!answer) throw new SetupError(`npm pack ${folder}: failed`);
  return path.join(out, JSON.parse(answer)[0].filename);
}

function parsed(options) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw new SetupError(`pack-prebuilt: ${error.message}`);
  }
}

await runMain(async () => {
  const options = {
    out: { type: 'string', default: path.join(root, '.native/packages') },
    cuda: { type: 'boolean' },
    addon: { type: 'boolean' },
  };
  const { out, cuda, addon } = parsed(options);
  mkdirSync(out, { recursive: true });
  const work = mkdtempSync(path.join(os.tmpdir(), 'mstar-pack-'));
  try {
    const files = [...(addon ? [] : [packMain(work, out)]), packAddon(work, out, cuda)];
    for (const file of files) {
      const digest = createHash('sha256').update(readFileSync(file)).digest('hex');
      console.log(`${file}  ${(statSync(file).size / 1e6).toFixed(1)} MB  sha256 ${digest}`);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
});
