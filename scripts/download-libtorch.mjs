// Downloads LibTorch for the CPU from the first source that has it and unpacks it. Where it is kept, and whether it is
// usable, is left to libtorch.mjs.
import { createWriteStream, mkdirSync, readdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { output, run, SetupError, say } from './log.mjs';

/** A folder below `work` with lib, include and share. Throws SetupError with the reason when no source has them. */
export async function downloadLibtorch(version, work) {
  const archive = downloadWheel(version, work) ?? (await downloadArchive(version, work));
  say('unpacking');
  const unpacked = path.join(work, 'unpacked');
  const ready = path.join(work, 'ready');
  mkdirSync(unpacked);
  mkdirSync(ready);
  const hint = `${path.basename(archive)} does not unpack`;
  run('cmake', ['-E', 'tar', 'xf', archive], hint, { cwd: unpacked });
  const inside = path.join(unpacked, archive.endsWith('.whl') ? 'torch' : 'libtorch');
  for (const part of ['lib', 'include', 'share']) renameSync(path.join(inside, part), path.join(ready, part));
  return ready;
}

/** The CPU wheel through pip: as pip is configured, then from PyTorch's own index. Undefined when neither has it. */
function downloadWheel(version, work) {
  if (output('python3', ['-m', 'pip', '--version']) === undefined) return undefined;
  const download = ['-m', 'pip', 'download', '--no-deps', '--retries', '1', '--dest', work, `torch==${version}+cpu`];
  for (const from of [[], ['--index-url', 'https://download.pytorch.org/whl/cpu']]) {
    try {
      run('python3', [...download, ...from], 'pip found no such wheel');
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      say(`${error.message}, trying the next source`);
      continue;
    }
    const wheel = readdirSync(work).find((name) => name.endsWith('.whl'));
    if (wheel) return path.join(work, wheel);
  }
  return undefined;
}

/** The official LibTorch archive. */
async function downloadArchive(version, work) {
  if (process.arch !== 'x64') throw new SetupError(`pip has none and there is no archive for ${process.arch}`);
  const url = `https://download.pytorch.org/libtorch/cpu/libtorch-shared-with-deps-${version}%2Bcpu.zip`;
  const file = path.join(work, 'libtorch.zip');
  say(url);
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    const total = Number(response.headers.get('content-length'));
    await pipeline(Readable.fromWeb(response.body), progress(total), createWriteStream(file));
  } catch (error) {
    throw new SetupError(`download failed (${error.cause?.message ?? error.message})`);
  }
  return file;
}

/** Passes chunks on and prints every tenth of `total` bytes. */
function progress(total) {
  let done = 0;
  let told = 0;
  return async function* count(source) {
    for await (const chunk of source) {
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
