// Pictures that lie inside a row: bytes, a struct of bytes and path as Hugging Face writes it, or base64 text.
// Leaves decoding to images/.
import { hash } from 'node:crypto';
import type { ImageSource } from '../../core/types.js';
import { type Place, refuse, shown } from '../refuse.js';

export interface Embedded {
  readonly source: ImageSource;
  /** Digest of the encoded bytes. */
  readonly key: string;
}

/** `name` is for messages. Throws UserError where the value holds no picture. */
export function embeddedPicture(value: unknown, name: string, at: Place, field: string): Embedded {
  const bytes = bytesOf(value);
  if (!bytes || bytes.length === 0) refuse(at, field, shown(value), 'the bytes of a picture');
  return { source: { bytes: bytes as Uint8Array, name }, key: hash('sha1', bytes as Uint8Array, 'base64') };
}

/** Whether a field holds a picture at all. */
export function hasPicture(value: unknown): boolean {
  return (bytesOf(value)?.length ?? 0) > 0;
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string')
    return /^[A-Za-z0-9+/=\s]{16,}$/.test(value) ? Buffer.from(value, 'base64') : undefined;
  if (typeof value === 'object' && value !== null && 'bytes' in value)
    return bytesOf((value as { bytes: unknown }).bytes);
  return undefined;
}
