// The failures that the program distinguishes: the user's input is at fault, the engine failed, or the call was stopped.
import { printable } from './printable.js';

/** Longest message, in characters; of a longer one the middle is left out: the place stands at its start, what is wanted at its end. */
const LONGEST = 600;
const END = 200;

/**
 * The input is at fault. The message is one line: `file[:line]: field: found, wanted`. It may quote what the input holds, as it is:
 * what a terminal would act on is escaped here, and a line that is too long is cut.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  constructor(message: string) {
    const line = [...printable(message)];
    super((line.length <= LONGEST ? line : [...line.slice(0, LONGEST - END), ' ... ', ...line.slice(-END)]).join(''));
  }
}

/** A native call failed. `code` is ERR_ENGINE, ERR_DISPOSED, ERR_CANCELLED or ERR_ARGUMENT. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * The signal that a call was given is aborted; its reason is the cause. Named as the platform names its own errors of this
 * kind. A job that was stopped goes on where it ended when it is called again.
 */
export class Stopped extends Error {
  override readonly name = 'AbortError';
  readonly code = 'ABORT_ERR';
  constructor(cause?: unknown) {
    super('stopped', { cause });
  }
}

/** Call at safe points. @throws Stopped once the signal is aborted */
export function stopIfAsked(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new Stopped(signal.reason);
}

/** What the system's error codes mean for a user. */
const systemFaults: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the disk, or no room for another file (df -h, df -i)',
  EDQUOT: 'disk quota exceeded',
  EFBIG: 'file too large for this file system or limit',
  EROFS: 'read-only file system',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'is a folder',
  ENOTDIR: 'a part of the path is no folder',
  ENOENT: 'no such file or folder',
  EEXIST: 'there is a file of this name already',
  ENAMETOOLONG: 'name too long for this file system',
  ELOOP: 'a link that leads back to itself',
  EPIPE: 'its reader has gone',
  ENXIO: 'nothing there to write to',
  EMFILE: 'too many open files',
  EIO: 'input/output error',
};

/** The cause of an error of the system in words; undefined for any other error. */
export function systemFault(error: unknown): string | undefined {
  return systemFaults[(error as NodeJS.ErrnoException).code ?? ''];
}
