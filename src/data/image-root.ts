// Confines picture paths of a data set to one folder, and those that links may lead to, whatever links or dots they
// hold.
import { lstatSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../core/errors.js';

/** Why a path is refused, as `found` and `wanted` of a message. */
export interface Refusal {
  readonly found: string;
  readonly wanted: string;
}

const linkOut: Refusal = {
  found: 'a link out of the image root',
  wanted: 'a file under it, or the folder that holds the file as --link-root (data.linkRoot of a recipe)',
};

/** Resolves picture paths inside folders. Real folders are remembered, so that a path costs one `lstat`; folders that are refused are not, as a server may be asked for any number of them. */
export class ImageRoot {
  readonly #root: string;
  /** Real paths of all folders that pictures may lie in, each with a separator at its end. */
  readonly #real: readonly string[];
  /** The same as they were given: absolute paths are written with these. */
  readonly #given: readonly string[];
  readonly #folders = new Map<string, string>();

  /**
   * @param links folders that links under the root may lead to, and absolute paths into
   * @throws UserError where one of them is not a folder that can be read
   */
  constructor(root: string, links: readonly string[] = []) {
    this.#root = ImageRoot.#realFolder(root, 'image root');
    this.#real = [this.#root, ...links.map((link) => ImageRoot.#realFolder(link, 'link root'))].map(ImageRoot.#closed);
    this.#given = [root, ...links].map((folder) => ImageRoot.#closed(path.resolve(folder)));
  }

  /** Absolute real path of a regular file, or why not. `image`: relative to the root, or absolute; `/` as separator. */
  resolve(image: string): string | Refusal {
    if (image.includes('\0')) return { found: 'a NUL byte', wanted: 'a file path' };
    const lexical = path.isAbsolute(image) ? path.normalize(image) : path.join(this.#root, image);
    if (path.isAbsolute(image)) {
      if (!ImageRoot.#within(lexical, this.#real) && !ImageRoot.#within(lexical, this.#given))
        return { found: 'an absolute path out of the image root', wanted: 'a path relative to it, or inside it' };
    } else if (!lexical.startsWith(this.#real[0] as string)) {
      return { found: 'leaves the image root', wanted: 'a file under it' };
    }
    const folder = this.#folder(path.dirname(lexical));
    if (typeof folder !== 'string') return folder;
    let file = path.join(folder, path.basename(lexical));
    try {
      let kind = lstatSync(file);
      if (kind.isSymbolicLink()) {
        file = realpathSync.native(file);
        if (!ImageRoot.#within(file, this.#real)) return linkOut;
        kind = lstatSync(file);
      }
      return kind.isFile() ? file : { found: 'not a regular file', wanted: 'a picture file' };
    } catch (error) {
      return { found: ImageRoot.#errorCode(error), wanted: 'a readable file under the image root' };
    }
  }

  #folder(folder: string): string | Refusal {
    const known = this.#folders.get(folder);
    if (known !== undefined) return known;
    let real: string;
    try {
      real = realpathSync.native(folder);
    } catch (error) {
      return { found: ImageRoot.#errorCode(error), wanted: 'a readable file under the image root' };
    }
    if (!ImageRoot.#within(ImageRoot.#closed(real), this.#real)) return linkOut;
    this.#folders.set(folder, real);
    return real;
  }

  static #realFolder(folder: string, what: string): string {
    let real: string;
    try {
      real = realpathSync.native(folder);
    } catch (error) {
      throw new UserError(`${folder}: ${what}: ${ImageRoot.#errorCode(error)}, wanted a folder`);
    }
    if (!lstatSync(real).isDirectory()) throw new UserError(`${folder}: ${what}: not a folder, wanted a folder`);
    return real;
  }

  static #closed(folder: string): string {
    return folder.endsWith(path.sep) ? folder : folder + path.sep;
  }

  static #within(file: string, folders: readonly string[]): boolean {
    return folders.some((folder) => file.startsWith(folder));
  }

  static #errorCode(error: unknown): string {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    return code === 'ENOENT' ? 'no such file' : code;
  }
}
