// Confines picture paths of a data set to one folder, whatever links or dots they hold.
// Leaves decoding and limits on pixels to images/.
import { lstatSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../core/errors.js';

/** Why a path is refused, as `found` and `wanted` of a message. */
export interface Refusal {
  readonly found: string;
  readonly wanted: string;
}

/** Resolves relative picture paths inside a folder. Real folders are remembered, so that a path costs one `lstat`. */
export class ImageRoot {
  readonly #root: string;
  readonly #folders = new Map<string, string | Refusal>();

  /** @throws UserError where `root` is no folder that can be read */
  constructor(root: string) {
    try {
      this.#root = realpathSync.native(root);
    } catch (error) {
      throw new UserError(`${root}: image root: ${errorCode(error)}, wanted a folder`);
    }
    if (!lstatSync(this.#root).isDirectory()) throw new UserError(`${root}: image root: not a folder, wanted a folder`);
  }

  /** Absolute real path of a regular file under the root, or why not. `image`: relative path, `/` as separator. */
  resolve(image: string): string | Refusal {
    if (image.includes('\0')) return { found: 'a NUL byte', wanted: 'a file path' };
    if (path.isAbsolute(image)) return { found: 'an absolute path', wanted: 'a path relative to the image root' };
    const lexical = path.join(this.#root, image);
    if (!this.#inside(lexical)) return { found: 'leaves the image root', wanted: 'a file under it' };
    const folder = this.#folder(path.dirname(lexical));
    if (typeof folder !== 'string') return folder;
    let file = path.join(folder, path.basename(lexical));
    try {
      let kind = lstatSync(file);
      if (kind.isSymbolicLink()) {
        file = realpathSync.native(file);
        if (!this.#inside(file)) return { found: 'a link out of the image root', wanted: 'a file under it' };
        kind = lstatSync(file);
      }
      return kind.isFile() ? file : { found: 'not a regular file', wanted: 'a picture file' };
    } catch (error) {
      return { found: errorCode(error), wanted: 'a readable file under the image root' };
    }
  }

  #folder(folder: string): string | Refusal {
    let real = this.#folders.get(folder);
    if (real === undefined) {
      try {
        real = realpathSync.native(folder);
        if (real !== this.#root && !this.#inside(real)) {
          real = { found: 'a link out of the image root', wanted: 'a file under it' };
        }
      } catch (error) {
        real = { found: errorCode(error), wanted: 'a readable file under the image root' };
      }
      this.#folders.set(folder, real);
    }
    return real;
  }

  #inside(file: string): boolean {
    return file.startsWith(this.#root.endsWith(path.sep) ? this.#root : this.#root + path.sep);
  }
}

function errorCode(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
  return code === 'ENOENT' ? 'no such file' : code;
}
