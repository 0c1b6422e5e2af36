// Pictures by source, read and decoded once while they stay in a bounded cache. Paths were confined to their root when
// the data set was read.
import { createHash } from 'node:crypto';
import { UserError } from '../core/errors.js';
import { openRegularFile, readExactly } from '../core/files.js';
import type { ImageSource } from '../core/types.js';
import { decodePicture, type Picture } from './decode.js';

const MAX_FILE_BYTES = 64 * 2 ** 20;
// Decoding runs on a few threads of its own; more pictures at a time only cost memory and file handles.
const READS_AT_ONCE = 4;

export class PictureStore {
  readonly #maxPixels: number;
  readonly #cache: BoundedCache<Picture>;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** `maxPixels`: largest width x height. `cacheBytes`: decoded bytes to keep. */
  constructor({ maxPixels, cacheBytes }: { readonly maxPixels: number; readonly cacheBytes: number }) {
    this.#maxPixels = maxPixels;
    this.#cache = new BoundedCache(cacheBytes, (picture) => picture.rgb.byteLength);
  }

  /** The decoded picture; a changed file is read again. Throws UserError. */
  async get(source: ImageSource): Promise<Picture> {
    if (this.#running === READS_AT_ONCE) await new Promise<void>((resume) => this.#waiting.push(resume));
    else this.#running++;
    try {
      return await ('path' in source ? this.#fromFile(source.path) : this.#fromBytes(source.bytes, source.name));
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }

  async #fromFile(path: string): Promise<Picture> {
    const { handle, size, changed } = await openRegularFile(path);
    await using _ = handle;
    checkSize(path, size);
    const read = async (): Promise<Picture> =>
      decodePicture(await readExactly(handle, path, 0, size), path, this.#maxPixels);
    return await this.#cache.get(`${path}\0${changed}\0${size}`, read);
  }

  #fromBytes(bytes: Uint8Array, name: string): Promise<Picture> {
    checkSize(name, bytes.length);
    const digest = createHash('sha256').update(bytes).digest('hex');
    return this.#cache.get(digest, () => decodePicture(bytes, name, this.#maxPixels));
  }
}

function checkSize(name: string, bytes: number): void {
  if (bytes > MAX_FILE_BYTES) throw new UserError(`${name}: size: ${bytes} bytes, wanted at most ${MAX_FILE_BYTES}`);
}

/** Promised values bounded by the sum of their sizes; the least recently used go first. Asking twice for a key while its value is made waits for the same promise; a failed one is forgotten. */
export class BoundedCache<T> {
  readonly #entries = new Map<string, { readonly value: Promise<T>; size: number }>();
  readonly #maxSize: number;
  readonly #sizeOf: (value: T) => number;
  #size = 0;

  /** `sizeOf` in the unit of `maxSize`, above 0. A value larger than the whole cache is returned and not kept. */
  constructor(maxSize: number, sizeOf: (value: T) => number) {
    this.#maxSize = maxSize;
    this.#sizeOf = sizeOf;
  }

  get size(): number {
    return this.#size;
  }

  get(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.#entries.get(key);
    if (known) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known.value;
    }
    const value = make();
    const entry = { value, size: 0 };
    this.#entries.set(key, entry);
    value.then(
      (made) => this.#keep(key, entry, this.#sizeOf(made)),
      () => this.#entries.delete(key),
    );
    return value;
  }

  #keep(key: string, entry: { size: number }, size: number): void {
    if (size > this.#maxSize) {
      this.#entries.delete(key);
      return;
    }
    entry.size = size;
    this.#size += size;
    for (const [oldest, { size }] of this.#entries) {
      if (this.#size <= this.#maxSize) break;
      // Size 0: still being made.
      if (size === 0) continue;
      this.#entries.delete(oldest);
      this.#size -= size;
    }
  }
}
