// The failures that the program distinguishes: the user's input is at fault, the engine failed, or the call was stopped.
import { printable } from './printable.js';

/** Longest message, in characters; of a longer one the middle is left out: the place stands at its start, what is wanted at its end. */
const LONGEST = 600;
const END = 200;

/** What is at fault where a `UserError` is thrown; a program may tell errors apart by these. */
export type UserErrorCode =
  /** An argument, an option or a setting is missing, misspelt or without meaning. */
  | 'ERR_SETTING'
  /** What a file, a folder or a data set holds cannot be used. */
  | 'ERR_INPUT'
  /** A file or folder cannot be read or written: not there, no permission, no space. */
  | 'ERR_FILE'
  /** A run folder is in use, damaged, or holds a run of other settings. */
  | 'ERR_RUN'
  /** A function that the program gave threw (its error is the `cause`), or returned something else than it may. */
  | 'ERR_FUNCTION'
  /** Memory ran out in a job whose settings bound it. */
  | 'ERR_MEMORY'
  /** The native addon is not built or does not load. */
  | 'ERR_ADDON';

/** How a native call failed: ERR_ARGUMENT is a value of another type than the addon takes, ERR_RANK a rank of the job that is lost, ERR_ENGINE any other failure. */
export const ENGINE_ERROR_CODES = [
  'ERR_ENGINE',
  'ERR_MEMORY',
  'ERR_CANCELLED',
  'ERR_DISPOSED',
  'ERR_ARGUMENT',
  'ERR_RANK',
] as const;
/** What failed in the engine. */
export type EngineErrorCode = (typeof ENGINE_ERROR_CODES)[number];

/**
 * The input is at fault. The message is one line: `file[:line]: field: found, wanted`. It may quote what the input holds, as it is:
 * what a terminal would act on is escaped here, and a line that is too long is cut.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly code: UserErrorCode;
  constructor(message: string, code: UserErrorCode = 'ERR_INPUT') {
    const line = [...printable(message)];
    super((line.length <= LONGEST ? line : [...line.slice(0, LONGEST - END), ' ... ', ...line.slice(-END)]).join(''));
    this.code = code;
  }
}

/** A native call failed. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;
  constructor(code: EngineErrorCode, message: string) {
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

/**
 * What a function of the program comes to, which may wait for long and need not know of the signal.
 * @throws Stopped as soon as the signal is aborted
 */
export async function unlessStopped<T>(signal: AbortSignal | undefined, call: () => T | Promise<T>): Promise<T> {
  stopIfAsked(signal);
  const over = new AbortController();
  const stopped = new Promise<never>((_, fail) => {
    signal?.addEventListener('abort', () => fail(new Stopped(signal.reason)), { signal: over.signal });
  });
  try {
    return await Promise.race([call(), stopped]);
  } finally {
    over.abort();
  }
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
