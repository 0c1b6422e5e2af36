// Standard input where a verb reads a file: `-` and /dev/stdin stand for it.
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UserError } from '../core/errors.js';

export function isStandardInput(file: string): boolean {
  return file === '-' || file === '/dev/stdin';
}

/** The folder that the pictures of standard input lie in unless a flag says otherwise; those of a file lie beside it. */
export function rootOf(file: string): { readonly imageRoot?: string } {
  return isStandardInput(file) ? { imageRoot: '.' } : {};
}

/** A file's name as messages and pages say it. */
export function inputName(file: string): string {
  return isStandardInput(file) ? 'standard input' : file;
}

/**
 * Runs `work` on a file, for standard input on one that holds all of standard input and is gone afterwards: readers go back to the
 * beginning, which a pipe cannot. Refusals say `standard input` instead of its name.
 */
export async function withInput<T>(file: string, work: (file: string) => Promise<T>): Promise<T> {
  if (!isStandardInput(file)) return work(file);
  const dir = await mkdtemp(join(tmpdir(), 'mstar-input-'));
  const spooled = join(dir, 'standard-input');
  try {
    await pipeline(process.stdin, createWriteStream(spooled));
    return await work(spooled);
  } catch (error) {
    if (error instanceof UserError)
      throw new UserError(error.message.replaceAll(spooled, 'standard input'), error.code);
    throw error;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
