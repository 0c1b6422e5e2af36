// Free disk space, asked before a job starts instead of found missing hours later.
import { existsSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../core/errors.js';
import { listNames } from './durable.js';

/** Bytes that this user can still write on the disk of a folder, which may be still to be made. */
export async function freeBytes(dir: string): Promise<number> {
  let existing = dir;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  const { bavail, bsize } = await statfs(existing);
  return bavail * bsize;
}

/**
 * @param dir may be a folder still to be made
 * @throws UserError where its disk has less than `bytes` free for this user
 */
export async function requireSpace(dir: string, bytes: number): Promise<void> {
  const free = await freeBytes(dir);
  if (free < bytes)
    throw new UserError(
      `${dir}: free space: ${describeBytes(free)}, wanted at least ${describeBytes(bytes)}`,
      'ERR_FILE',
    );
}

/** Bytes of the weights in a checkpoint folder. */
export async function weightBytes(dir: string): Promise<number> {
  let bytes = 0;
  for (const name of await listNames(dir)) {
    if (name.endsWith('.safetensors')) bytes += (await stat(join(dir, name))).size;
  }
  return bytes;
}

function describeBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
