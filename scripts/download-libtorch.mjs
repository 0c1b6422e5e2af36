// Downloads the LibTorch that set-up and prebuilt addons take where there is none, checks its digest and unpacks it. Which
// version, from where and with which digest is said here alone; where it is kept is left to libtorch.mjs.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { output, run, SetupError, say } from './log.mjs';

export const version = '2.13.0';

const source = 'https://download.pytorch.org/whl/cpu';
/**
 * Processor -> the wheel for the CPU, a zip archive whose libraries need no Python. The wheel of another processor is
 * asked of pip alone, and cannot be checked.
 */
const archives = {
  x64: {
    name: `torch-${version}+cpu-cp311-cp311-manylinux_2_28_x86_64.whl`,
    sha256: '6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b',
  },
};

/**
 * Puts lib, include and share of LibTorch below `work`, an empty folder, and returns their folder. Throws SetupError with
 * the reasons when no source has the archive that is wanted.
 */
export async function downloadLibtorch(work, archive = archives[process.arch]) {
  const { MSTAR_LIBTORCH_MIRROR: mirror } = process.env;
  let file;
  if (mirror) file = await fromSource(mirror, archive, work);
  else if (!archive) file = fromPip(undefined, work);
  else {
    try {
      file = await fromSource(source, archive, work);
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      say(`${error.message}, trying pip`);
      try {
        file = fromPip(archive, work);
      } catch {
        throw error;
      }
    }
  }
  if (archive) await check(file, archive);
  else say(`${path.basename(file)}: its digest is not known here and is not checked`);
  say('unpacking');
  const unpacked = path.join(work, 'unpacked');
  await unpack(file, unpacked);
  return unpacked;
}

/** The archive from a folder, named by its path or its URL. */
async function fromSource(from, archive, work) {
  if (!archive) throw new SetupError(`MSTAR_LIBTORCH_MIRROR: no archive is known for ${process.arch}`);
  if (!/^https?:/.test(from)) {
    const file = path.resolve(from, archive.name);
    if (!existsSync(file)) throw new SetupError(`MSTAR_LIBTORCH_MIRROR: ${from} holds no ${archive.name}`);
    return file;
  }
  const url = `${from.replace(/\/$/, '')}/${encodeURIComponent(archive.name)}`;
  const file = path.join(work, archive.name);
  say(url);
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    const total = Number(response.headers.get('content-length'));
    await pipeline(Readable.fromWeb(response.body), progress(total), createWriteStream(file));
  } catch (error) {
    throw new SetupError(`${url}: download failed (${error.cause?.message ?? error.message})`);
  }
  return file;
}

/** The archive through pip, as pip is configured: an archive that is known, whatever Python pip runs on; else pip's choice. */
function fromPip(archive, work) {
  if (output('python3', ['-m', 'pip', '--version']) === undefined) throw new SetupError('there is no pip');
  const [, , python, , platform] = archive ? path.parse(archive.name).name.split('-') : [];
  const tags = archive
    ? ['--only-binary=:all:', '--implementation=cp', `--abi=${python}`, `--platform=${platform}`]
    : [];
  if (archive) tags.push(`--python-version=${python.slice(2)}`);
  const download = [
    '-m',
    'pip',
    'download',
    '--no-deps',
    '--retries=1',
    ...tags,
    '--dest',
    work,
    `torch==${version}+cpu`,
  ];
  run('python3', download, 'pip found no such wheel');
  const wheel = readdirSync(work).find((name) => name.endsWith('.whl'));
  if (!wheel) throw new SetupError('pip brought no wheel');
  return path.join(work, wheel);
}

async function check(file, { name, sha256 }) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const found = hash.digest('hex');
  if (found !== sha256) throw new SetupError(`${name}: SHA-256 ${found}, wanted ${sha256}`);
}

/** What a build and a run need of a wheel. */
async function unpack(archive, target) {
  // Loaded here: the other scripts run before there are packages.
  const { openPromise } = await import('yauzl');
  try {
    const zip = await openPromise(archive);
    for await (const entry of zip.eachEntry()) {
      const inside = /^torch\/((?:lib|include|share)\/.*[^/])$/.exec(entry.fileName)?.[1];
      if (!inside) continue;
      const file = path.join(target, inside);
      mkdirSync(path.dirname(file), { recursive: true });
      const mode = entry.externalFileAttributes >>> 16 || 0o644;
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(file, { mode }));
    }
  } catch (error) {
    if (error.syscall) throw error;
    throw new SetupError(`${path.basename(archive)} does not unpack: ${error.message}`);
  }
}

/** Passes chunks on and prints every tenth of `total` bytes. */
function progress(total) {
  let done = 0;
  let told = 0;
  return async function* count(chunks) {
    for await (const chunk of chunks) {
      done += chunk.length;
      const tenth = Math.floor((10 * done) / total);
      if (tenth > told) {
        told = tenth;
        say(`${tenth * 10} % of ${Math.round(total / 1e6)} MB`);
      }
      yield chunk;
    }
  };
}
