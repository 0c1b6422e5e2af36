// Work units: results of finished pieces of a long phase, kept on disk until the phase is committed, so that a killed
// run repeats one piece, not the phase.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { deserialize, serialize } from 'node:v8';
import { ifThere } from '../core/files.js';
import { writeDurable } from './durable.js';

const HASH_BYTES = 32;

/** Keeps a value of plain objects, arrays and typed arrays. */
export async function keepUnit(path: string, value: unknown): Promise<void> {
  const body = serialize(value);
  await writeDurable(path, Buffer.concat([createHash('sha256').update(body).digest(), body]));
}

/** The value kept at `path`; undefined where there is none, or where the file is not what was written. */
export async function readUnit<T>(path: string): Promise<{ readonly value: T } | undefined> {
  const bytes = await ifThere(readFile(path));
  if (!bytes || bytes.length <= HASH_BYTES) return undefined;
  const body = bytes.subarray(HASH_BYTES);
  const intact = createHash('sha256').update(body).digest().equals(bytes.subarray(0, HASH_BYTES));
  return intact ? { value: deserialize(body) as T } : undefined;
}
