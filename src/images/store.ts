// Pictures by source, read and decoded once while they stay in a bounded cache. Paths were confined to their root when
// the data set was read.
import { createHash } from 'node:crypto';
import { UserError } from '../core/errors.js';
import { openRegularFile, readExactly } from '../core/files.js';
import type { ImageSource } from '../core/types.js';
import { decodePicture, type Picture } from './decode.js';
import { BoundedCache } from './lru.js';

export interface PictureLimits {
  /** Largest width x height. */
  readonly maxPixels: number;
  /** Decoded bytes to keep. */
  readonly cacheBytes: number;
}

const MAX_FILE_BYTES = 64 * 2 ** 20;
// Decoding runs on a few threads of its own; more pictures at a time only cost memory and file handles.
const READS_AT_ONCE = 4;

export class PictureStore {
  readonly #maxPixels: number;
  readonly #cache: BoundedCache<Picture>;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limits: PictureLimits) {
    this.#maxPixels = limits.maxPixels;
    this.#cache = new BoundedCache(limits.cacheBytes, (picture) => picture.rgb.byteLength);
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
    try {
      checkSize(path, size);
      const read = async (): Promise<Picture> =>
        decodePicture(await readExactly(handle, path, 0, size), path, this.#maxPixels);
      return await this.#cache.get(`${path}\0${changed}\0${size}`, read);
    } finally {
      await handle.close();
    }
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
