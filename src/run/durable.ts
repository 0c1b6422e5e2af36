// Files that are whole or absent after a crash: written aside, flushed, renamed, folder flushed.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ASIDE, ifThere, makeFolder, syncPath } from '../core/files.js';

/** Replaces `path` by `data` in one rename. */
export async function writeDurable(path: string, data: string | Uint8Array): Promise<void> {
  await putDurable(path, (aside) => writeFile(aside, data));
}

/** Like `writeDurable`, for content that `write` puts into the file (or folder) whose name it is given. */
export async function putDurable(path: string, write: (aside: string) => Promise<void>): Promise<void> {
  const aside = path + ASIDE;
  await rm(aside, { recursive: true, force: true });
  await makeFolder(dirname(path));
  try {
    await write(aside);
    await syncTree(aside);
    await replace(aside, path);
  } catch (error) {
    await rm(aside, { recursive: true, force: true }).catch(() => {});
    throw error;
  }
  await syncPath(dirname(path));
}

/** Moves a file or folder out of the way in one rename, then deletes it: no reader ever sees half of it. */
export async function removeDurable(path: string): Promise<void> {
  const aside = `${path}.old${ASIDE}`;
  await rm(aside, { recursive: true, force: true });
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await syncPath(dirname(path));
  await rm(aside, { recursive: true, force: true });
}

/** Deletes what writes and deletions of a killed process left in a folder. */
export async function sweepAside(dir: string): Promise<void> {
  for (const name of await listNames(dir)) {
    if (name.endsWith(ASIDE)) await rm(join(dir, name), { recursive: true, force: true });
  }
}

/** Names in a folder, sorted; none where the folder is missing. */
export async function listNames(dir: string): Promise<string[]> {
  return ((await ifThere(readdir(dir))) ?? []).sort();
}

/** Whether a path, with `/` between its parts, stays in the folder it starts in: for paths that a file of a run names. */
export function isInside(path: string): boolean {
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !/[\\\0:]/.test(part));
}

/** SHA-256 of a file, in hex, read in pieces. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer);
  return hash.digest('hex');
}

async function syncTree(path: string): Promise<void> {
  let names: string[] = [];
  try {
    names = await readdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTDIR') throw error;
  }
  for (const name of names) await syncTree(join(path, name));
  await syncPath(path);
}

/** A folder cannot be renamed over one that has content, so the old one is moved away first. */
async function replace(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    await removeDurable(to);
    await rename(from, to);
  }
}
