// Reads whole regular files of bounded size, a pipe or a device refused without waiting for it and a Git LFS pointer by
// name, and makes folders.
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises';
import { systemFault, UserError } from './errors.js';

/** What stands in place of a file that Git LFS keeps elsewhere begins so, and is short. */
const POINTER = { start: 'version https://git-lfs.github.com/spec/', most: 1024 };

/**
 * Opens a regular file for reading. The caller closes the handle.
 * @returns with its bytes, and nanoseconds of the last change of its contents, when it was opened
 * @throws UserError `file: file: found, wanted`
 */
export async function openRegularFile(
  file: string,
): Promise<{ readonly handle: FileHandle; readonly size: number; readonly changed: bigint }> {
  let handle: FileHandle;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const fault = code === 'ENOENT' ? 'no such file' : (systemFault(error) ?? code ?? 'unreadable');
    throw new UserError(`${file}: file: ${fault}, wanted a readable file`, 'ERR_FILE');
  }
  const stat = await handle.stat({ bigint: true });
  const size = Number(stat.size);
  let wrong = stat.isFile() ? undefined : 'not a regular file, wanted a readable file';
  if (stat.isFile() && size <= POINTER.most) {
    const { length } = POINTER.start;
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, 0);
    if (buffer.toString() === POINTER.start) wrong = 'a Git LFS pointer, wanted the file itself: run `git lfs pull`';
  }
  if (wrong === undefined) return { handle, size, changed: stat.mtimeNs };
  await handle.close();
  throw new UserError(`${file}: file: ${wrong}`, 'ERR_FILE');
}

/** All bytes of a regular file of at most `maxBytes`. Throws UserError. */
export async function readRegularFile(file: string, maxBytes: number): Promise<Uint8Array> {
  const { handle, size } = await openRegularFile(file);
  await using _ = handle;
  if (size > maxBytes) throw new UserError(`${file}: size: ${size} bytes, wanted at most ${maxBytes}`);
  return await readExactly(handle, file, 0, size);
}

/** `length` bytes from `position`. Throws UserError when the file ends before. */
export async function readExactly(
  handle: FileHandle,
  file: string,
  position: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
    if (bytesRead === 0)
      throw new UserError(`${file}: size: ends after ${position + done} bytes, wanted ${position + length}`);
    done += bytesRead;
  }
  return bytes;
}

/** Ends the name of whatever is being written or deleted; such leftovers of a killed process are removed at the next start. */
export const ASIDE = '.aside';

/** Makes a folder and those above it. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    const { code, path: failed = path } = error as NodeJS.ErrnoException;
    // Node says so of a disk without room for another folder; the plain call says what is the matter.
    if (code === 'ENOENT') await mkdir(failed);
    throw error;
  }
}

/** Flushes one file or folder to the disk. */
export async function syncPath(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}

/** What is asked of the system about a path; undefined where nothing is there. */
export async function ifThere<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Writes the new file `path`: each value as a line of JSON. */
export async function writeJsonLines(path: string, values: Iterable<object> | AsyncIterable<object>): Promise<void> {
  const handle = await open(path, 'w');
  try {
    let piece = '';
    for await (const value of values) {
      piece += `${JSON.stringify(value)}\n`;
      if (piece.length < 1 << 20) continue;
      await handle.appendFile(piece);
      piece = '';
    }
    await handle.appendFile(piece);
  } finally {
    await handle.close();
  }
}

/** A text file; undefined where there is none. Throws UserError where it cannot be read. */
export async function textIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new UserError(`${path}: file: ${systemFault(error) ?? code}, wanted a readable file`, 'ERR_FILE');
  }
}
