// Checks where an output (`--out`, `--html`) may go, and writes it there: a file in one rename, a pipe or a device as it is.
import { randomBytes } from 'node:crypto';
import { existsSync, type Stats } from 'node:fs';
import { access, chmod, constants, lstat, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../core/errors.js';
import { ASIDE, ifThere, makeFolder, syncPath } from '../core/files.js';

export interface Output {
  /** The flag that names it. */
  readonly flag: string;
  readonly path: string;
  /** Files that the command reads, or writes as well: it does not write over them. */
  readonly others?: readonly string[];
  /** Says that the command makes a file that run folders hold, so that it may be put into one. */
  readonly ofRun?: boolean;
}

/** Takes an output piece by piece. */
export type Sink = (piece: string | Uint8Array) => Promise<void>;

/** What stands at the path: nothing or a file to replace, something to write to, or a stream of this process. */
type Target =
  | { readonly kind: 'file'; readonly mode: number | undefined }
  | { readonly kind: 'device' }
  | { readonly kind: 'stream'; readonly stream: NodeJS.WriteStream };

/** Files and folders that belong to a run, by their name in its folder; docs/run-folder.md says what they are. */
const OF_RUN =
  /^((config\.yaml|journal\.jsonl|splits\.json|summary\.json|timings\.json|progress\.json|report\.html|metrics\.jsonl|events\.out\.tfevents\..*|lock-.*|problems(-out-of-domain)?|checkpoints|rollouts|work|labels\.jsonl|prm-held-out\.jsonl|prm\.(json|md|html)|prm-.*\.svg|evaluation\.(json|md|html)|(responses|rollouts)\.jsonl|(greedy|rollouts)\.parquet)(\.aside)?)$/;

/**
 * Refuses a place where an output must not go; call it before long work.
 * @throws UserError `flag: path: found, wanted`
 */
export async function checkOutput(output: Output): Promise<void> {
  await targetOf(output);
}

/**
 * Writes an output. A file appears or changes only once `write` has given all of it; a pipe or a device gets each piece.
 * @throws UserError where the output must not go there, before `write` is called
 */
export async function writeOutput<T>(output: Output, write: (sink: Sink) => Promise<T>): Promise<T> {
  const target = await targetOf(output);
  if (target.kind === 'file') return writeFileAt(output.path, target.mode, write);
  if (target.kind === 'stream') {
    // A reader that goes away takes the output with it, not the job.
    const send: Sink = (piece) =>
      new Promise((done, fail) => {
        target.stream.write(piece, (error) => {
          if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE') fail(error);
          else done();
        });
      });
    return write(send);
  }
  // Without O_CREAT: nothing is made where the device has gone meanwhile.
  await using handle = await open(output.path, constants.O_WRONLY);
  return await write((piece) => handle.appendFile(piece));
}

/** Whether an output goes where this process prints, so that what it says besides belongs on the standard error. */
export function isStandardOutput(path: string): boolean {
  return streamAt(path) === process.stdout;
}

/** Refuses a folder for outputs that is none, or that belongs to a run. Throws UserError. */
export async function checkOutputFolder({ flag, path }: Pick<Output, 'flag' | 'path'>): Promise<void> {
  await refuseRun(flag, path);
  const info = await ifThere(stat(path));
  if (info && !info.isDirectory())
    throw new UserError(`${flag}: ${path}: not a folder, wanted one, or a new name`, 'ERR_SETTING');
}

async function targetOf({ flag, path, others = [], ofRun = false }: Output): Promise<Target> {
  const refuse = (found: string, wanted = 'wanted a file'): never => {
    throw new UserError(`${flag}: ${path}: ${found}, ${wanted}`, 'ERR_SETTING');
  };
  if (path === '') throw new UserError(`${flag}: empty, wanted a file`, 'ERR_SETTING');
  const stream = streamAt(path);
  if (stream) return { kind: 'stream', stream };
  const isDevice = (info: Stats): boolean => info.isFIFO() || info.isCharacterDevice();
  const isSame = async (info: Stats | undefined, other: string): Promise<boolean> => {
    if (resolve(path) === resolve(other)) return true;
    const found = info && (await ifThere(stat(other)));
    return found !== undefined && found.dev === info?.dev && found.ino === info.ino;
  };
  const info = await ifThere(lstat(path));
  if (info?.isSymbolicLink()) {
    const aim = await ifThere(stat(path));
    if (aim && isDevice(aim)) return { kind: 'device' };
    refuse(`a link to ${await readlink(path)}`, 'wanted that file itself, or another one');
  }
  if (info && isDevice(info)) return { kind: 'device' };
  if (info?.isBlockDevice()) refuse('a disk');
  if (info?.isDirectory() || /[/\\]$/.test(path)) refuse('a folder');
  if (info && !info.isFile()) refuse('neither a file nor a pipe');
  for (const other of others)
    if (await isSame(info, other)) refuse('also read or written by this command', 'wanted another file');
  if (!ofRun) await refuseRun(flag, path);
  if (info) await access(path, constants.W_OK);
  return { kind: 'file', mode: info && info.mode & 0o777 };
}

/** The stream of this process that leads to what the path names, as /dev/stdout does. */
function streamAt(path: string): NodeJS.WriteStream | undefined {
  const name = /^\/(?:dev\/(?:stdout|stderr|fd\/[12])|proc\/self\/fd\/[12])$/.exec(resolve(path))?.[0];
  if (!name) return undefined;
  return name.endsWith('err') || name.endsWith('2') ? process.stderr : process.stdout;
}

/** Where a path leads with links followed, also one of something that is to be made. */
export async function realPlace(path: string): Promise<string> {
  let [there, rest] = [resolve(path), ''];
  while (!existsSync(there)) [there, rest] = [dirname(there), join(basename(there), rest)];
  return join(await realpath(there), rest);
}

/** Throws UserError for a path of a file or a folder that belongs to a run, or lies in one that does. */
async function refuseRun(flag: string, path: string): Promise<void> {
  for (let at = await realPlace(path); dirname(at) !== at; at = dirname(at)) {
    const folder = dirname(at);
    if (!OF_RUN.test(basename(at)) || !['config.yaml', 'journal.jsonl'].every((name) => existsSync(join(folder, name))))
      continue;
    throw new UserError(
      `${flag}: ${path}: ${basename(at)} belongs to the run ${folder}, wanted another place`,
      'ERR_SETTING',
    );
  }
}

async function writeFileAt<T>(path: string, mode: number | undefined, write: (sink: Sink) => Promise<T>): Promise<T> {
  const folder = dirname(path);
  await makeFolder(folder);
  // A name of its own: one made from the path could be that of another file, or too long.
  const aside = join(folder, `.mstar-${randomBytes(6).toString('hex')}${ASIDE}`);
  const handle = await open(aside, 'wx');
  let result: T;
  try {
    result = await write((piece) => handle.appendFile(piece));
    await handle.sync();
    await handle.close();
    if (mode !== undefined) await chmod(aside, mode);
    await rename(aside, path);
  } catch (error) {
    await handle.close().catch(() => {});
    await rm(aside, { force: true }).catch(() => {});
    throw error;
  }
  await syncPath(folder);
  return result;
}
