// The pictures of a record, in every form that data sets have: a path, bytes, Hugging Face's struct of bytes and path,
// base64, a data URI, or a list of these.
import { hash } from 'node:crypto';
import { basename } from 'node:path';
import type { ImageSource } from '../core/types.js';
import type { ReadContext } from './formats/format.js';
import { type Place, refuse, shown } from './refuse.js';

export interface Picture {
  /** Undefined where the reader was told that it is missing. */
  readonly source?: ImageSource;
  /** Tells pictures apart: the path as the file has it, or a digest of the encoded bytes. */
  readonly key: string;
}

const MAX_PATH = 4096;
const WANTED = 'the path or the bytes of a picture';
const PATTERNS = {
  base64: /^[A-Za-z0-9+/=\s]{16,}$/,
  /** Of PNG, JPEG, WebP, GIF, BMP and TIFF, in base64. */
  beginning: /^(?:iVBORw0KGgo|\/9j\/|UklGR|R0lGOD|Qk|SUkqA|TU0AK)/,
};

/** Pictures of a field, none where it is empty. Throws UserError where it holds something else, or a picture is missing. */
export function picturesOf(value: unknown, at: Place, field: string, context: ReadContext): Picture[] {
  if (value === undefined || value === null || value === '') return [];
  if (Array.isArray(value))
    return value.flatMap((entry, i) => {
      const place = value.length === 1 ? field : `${field}[${i}]`;
      const found = Array.isArray(entry) ? [] : picturesOf(entry, at, place, context);
      return found.length === 1 ? found : refuse(at, place, shown(entry), WANTED);
    });
  // The path inside Hugging Face's struct or OpenAI's `{url}`.
  const { path: inside, url } = (typeof value === 'object' ? value : {}) as { path?: unknown; url?: unknown };
  const path = inside ?? url ?? value;
  const held = typeof value === 'object' ? bytesOf(value) : undefined;
  const bytes = held ?? (typeof path === 'string' ? textPicture(path, at, field) : undefined);
  if (bytes?.length === 0) refuse(at, field, 'no bytes', WANTED);
  if (bytes) return [inMemory(bytes, at, field)];
  if (typeof path !== 'string' || path === '') refuse(at, field, shown(path), WANTED);
  if (path.length > MAX_PATH) refuse(at, field, `${path.length} characters`, `at most ${MAX_PATH}`);
  if (/^https?:\/\//.test(path)) refuse(at, field, `${shown(path)}: a web address`, 'a file: nothing is fetched');
  const found = context.pictures.resolve(path);
  if (typeof found === 'string') return [{ source: { path: found }, key: path }];
  return [missingPicture(path, found, context, at, field)];
}

/** Tells of a picture that is expected and cannot be had, or refuses it. */
export function missingPicture(
  path: string,
  why: { readonly found: string; readonly wanted: string },
  context: ReadContext,
  at: Place,
  field: string,
): Picture {
  if (!context.onMissingPicture) refuse(at, field, `${shown(path)}: ${why.found}`, why.wanted);
  context.onMissingPicture(path, why.found);
  return { key: path };
}

/** The bytes of a picture. Throws UserError where the value holds none. */
export function embeddedPicture(value: unknown, at: Place, field: string): Picture & { readonly source: ImageSource } {
  const bytes = bytesOf(value);
  if (!bytes || bytes.length === 0) refuse(at, field, shown(value), 'the bytes of a picture');
  return inMemory(bytes, at, field);
}

/** Whether a field holds the bytes of a picture. */
export function hasPicture(value: unknown): boolean {
  return (bytesOf(value)?.length ?? 0) > 0;
}

/** Whether an object is the picture itself, by its first bytes. */
export function isPicture(value: unknown): boolean {
  const bytes = typeof value === 'object' ? bytesOf(value) : undefined;
  return bytes !== undefined && PATTERNS.beginning.test(Buffer.from(bytes.subarray(0, 12)).toString('base64'));
}

/** Its name says where it lies, and not in which folder: runs hold it, and must not depend on that. */
function inMemory(bytes: Uint8Array, at: Place, field: string) {
  const record = at.record === undefined ? '' : `: record ${at.record}`;
  const name = `${basename(at.file)}:${at.line}${record}${field.endsWith(']') ? `: ${field}` : ''}`;
  return { source: { bytes, name }, key: hash('sha1', bytes, 'base64') };
}

/** Of a data URI, or of a long base64 text that begins as a picture does; a path is none of them. */
function textPicture(text: string, at: Place, field: string): Uint8Array | undefined {
  if (text.startsWith('data:')) {
    const comma = text.indexOf(',');
    const head = text.slice(0, Math.max(0, comma));
    if (!head.endsWith(';base64')) refuse(at, field, shown(head), 'a data URI in base64');
    return Buffer.from(text.slice(comma + 1), 'base64');
  }
  return PATTERNS.beginning.test(text) && text.length > 40 && PATTERNS.base64.test(text)
    ? Buffer.from(text, 'base64')
    : undefined;
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return PATTERNS.base64.test(value) ? Buffer.from(value, 'base64') : undefined;
  if (typeof value === 'object' && value !== null && 'bytes' in value)
    return bytesOf((value as { bytes: unknown }).bytes);
  return undefined;
}
