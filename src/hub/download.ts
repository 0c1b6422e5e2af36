// Downloads files of the Hugging Face hub into its cache: with progress, on from where an earlier download ended, and checked
// by size and digest before they are there. Requests are made by the hub's own client; its downloads into the cache begin anew
// after every fault and check nothing, so that writing is done here.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { open, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  datasetInfo,
  downloadFile,
  getHFHubCachePath,
  getRepoFolderName,
  HubApiError,
  listFiles,
  modelInfo,
  pathsInfo,
} from '@huggingface/hub';
import { stopIfAsked, systemFault, UserError } from '../core/errors.js';
import { ifThere, makeFolder } from '../core/files.js';
import { isInside } from '../run/durable.js';
import { type Lock, lockFolder } from '../run/lock.js';
import { requireSpace } from '../run/space.js';
import type { Display } from '../run/terminal.js';
import { type HubName, isCommit, placeOf } from './names.js';

/** The files that a model needs, by name; weights of other forms are left. */
const OF_MODEL = /^(model[\w.-]*\.safetensors|adapter_model\.safetensors|[^/]+\.(json|txt|model|jinja|py))$/;
/** Times that a file is tried again while nothing of it comes. */
const TRIES = 5;
const MEGABYTE = 1e6;

/** Folder of a repository in the cache of this machine. */
export function folderOf({ type, repo }: HubName): string {
  return join(getHFHubCachePath(), getRepoFolderName({ type, name: repo }));
}

export interface DownloadOptions {
  /** Commit to fetch; where it is left undefined, the one that the revision names on the hub today. */
  readonly commit: string | undefined;
  readonly display: Display;
  readonly signal: AbortSignal | undefined;
  /** Milliseconds before the first new try of a file; doubled each time. */
  readonly waitMs: number;
}

interface HubFile {
  readonly path: string;
  readonly size: number;
  /** Name of the blob: SHA-256 of what the hub stores as large, else the id that git gives. */
  readonly oid: string;
  readonly isLarge: boolean;
}

/**
 * Brings what a name stands for into the cache. A process that finds another one at it waits.
 * @returns the commit, or why the hub cannot be asked
 * @throws UserError where the hub refuses, what comes is wrong, or nothing comes any more
 */
export async function download(
  name: HubName,
  options: DownloadOptions,
): Promise<{ commit: string } | { unreachable: string }> {
  const folder = folderOf(name);
  const source = access(name, options.signal);
  let commit: string;
  let files: HubFile[];
  try {
    commit = options.commit ?? (await commitOf(name, source));
    files = await filesOf(name, commit, source);
  } catch (error) {
    stopIfAsked(options.signal);
    if (error instanceof UserError) throw error;
    if (canPass(error)) return { unreachable: `${source.hubUrl ?? 'the hub'} cannot be asked (${reason(error)})` };
    throw refused(name, error);
  }
  const lock = await inTurn(join(dirname(folder), '.locks', getRepoFolderName({ type: name.type, name: name.repo })), {
    ...options,
    written: name.written,
  });
  try {
    await bringAll(name, folder, commit, files, source, options);
  } finally {
    await lock.release();
  }
  if (!isCommit(name.revision)) {
    const ref = join(folder, 'refs', name.revision);
    await makeFolder(dirname(ref));
    await writeFile(ref, commit);
  }
  return { commit };
}

type Access = ReturnType<typeof access>;

/** What every request takes: the repository, the token of this user, and the address where it is another hub. */
function access({ type, repo }: HubName, signal: AbortSignal | undefined) {
  const { HF_HOME, HF_TOKEN, HF_TOKEN_PATH, HF_ENDPOINT, XDG_CACHE_HOME } = process.env;
  const home = HF_HOME ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'huggingface');
  const file = HF_TOKEN_PATH ?? join(home, 'token');
  const accessToken = (HF_TOKEN || tokenIn(file)).trim();
  if (accessToken !== '' && !accessToken.startsWith('hf_'))
    throw new UserError(`${HF_TOKEN ? 'HF_TOKEN' : file}: token: of another form, wanted one that begins with hf_`);
  return {
    repo: { type, name: repo },
    fetch: ((url, init) => fetch(url, { ...init, ...(signal && { signal }) })) as typeof fetch,
    ...(accessToken !== '' && { accessToken }),
    ...(HF_ENDPOINT && { hubUrl: HF_ENDPOINT.replace(/\/+$/, '') }),
  };
}

function tokenIn(file: string): string {
  try {
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  } catch (error) {
    throw new UserError(`${file}: token: ${systemFault(error)}, wanted the file that hf auth login writes`, 'ERR_FILE');
  }
}

async function commitOf({ type, repo: name, revision }: HubName, source: Access): Promise<string> {
  const wanted = { ...source, name, revision };
  const { sha } =
    type === 'model'
      ? await modelInfo({ ...wanted, additionalFields: ['sha'] })
      : await datasetInfo({ ...wanted, additionalFields: ['sha'] });
  if (!isCommit(sha)) throw new UserError(`${name}: hub: ${JSON.stringify(sha)}, wanted a commit`, 'ERR_FILE');
  return sha;
}

async function filesOf(name: HubName, revision: string, source: Access): Promise<HubFile[]> {
  const { type, path } = name;
  const wanted = { ...source, revision };
  const found: Parameters<typeof fileOf>[0][] = [];
  if (type === 'dataset') {
    const [entry] = await pathsInfo({ ...wanted, paths: [path] });
    if (entry?.type === 'file') return [fileOf(entry)];
    if (!entry) throw new UserError(`${name.written}: hub: no ${path} in ${name.repo}, wanted a file or folder of it`);
  }
  for await (const entry of listFiles({ ...wanted, ...(path !== '' && { path }), recursive: type === 'dataset' })) {
    const own = path === '' ? entry.path : entry.path.slice(path.length + 1);
    if (entry.type === 'file' && (type === 'dataset' || OF_MODEL.test(own))) found.push(entry);
  }
  return found.map(fileOf);
}

function fileOf({
  path,
  size,
  oid = '',
  lfs,
}: {
  path: string;
  size: number;
  oid?: string;
  lfs?: { oid: string; size: number };
}): HubFile {
  // Whatever server was named: what it lists stays in the cache.
  if (!isInside(path)) throw new UserError(`${JSON.stringify(path)}: hub: listed as a file, wanted a plain path`);
  if (!/^[0-9a-f]{40,64}$/.test(lfs?.oid ?? oid)) throw new UserError(`${path}: hub: no digest, wanted one`);
  return { path, size: lfs?.size ?? size, oid: lfs?.oid ?? oid, isLarge: lfs !== undefined };
}

/** Takes the lock of a repository, once no other process has it. */
async function inTurn(
  dir: string,
  { display, signal, waitMs, written }: DownloadOptions & { readonly written: string },
): Promise<Lock> {
  await makeFolder(dir);
  for (let said = false; ; said = true) {
    try {
      return await lockFolder(dir, 'download');
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (!said) display.say(`${written}: waiting for another process that downloads it (${error.message})`);
      // Two that begin at once both step back.
      await sleep(waitMs * (0.5 + Math.random()), undefined, signal && { signal }).catch(() => {});
      stopIfAsked(signal);
    }
  }
}

async function bringAll(
  name: HubName,
  folder: string,
  commit: string,
  files: readonly HubFile[],
  source: Access,
  options: DownloadOptions,
): Promise<void> {
  const blobOf = ({ oid }: HubFile): string => join(folder, 'blobs', oid);
  const wanted = files.filter((file) => !existsSync(blobOf(file)));
  const had = async (file: HubFile): Promise<number> => (await ifThere(stat(partOf(blobOf(file)))))?.size ?? 0;
  const left = wanted.reduce((sum, { size }) => sum + size, 0);
  await requireSpace(folder, left);
  await makeFolder(join(folder, 'blobs'));
  const meter = new Meter(`downloading ${name.repo}`, left, options.display);
  for (const file of wanted) {
    meter.skip(Math.min(file.size, await had(file)));
    await bring(name, file, blobOf(file), () => receiving(file, commit, source), meter, options);
  }
  for (const file of files) {
    const place = placeOf(folder, commit, file.path);
    if (existsSync(place)) continue;
    await makeFolder(dirname(place));
    await rm(place, { force: true });
    await symlink(relative(dirname(place), blobOf(file)), place);
  }
}

/** As all programs of the hub name a file of which only a part is there. */
const partOf = (blob: string): string => `${blob}.incomplete`;

/** Makes one blob, from the part of it that is there already. */
async function bring(
  name: HubName,
  { path, size, oid, isLarge }: HubFile,
  blob: string,
  receive: () => Promise<Blob>,
  meter: Meter,
  { signal, waitMs }: DownloadOptions,
): Promise<void> {
  const part = partOf(blob);
  const wrong = async (found: string, wanted: string): Promise<never> => {
    await rm(part, { force: true });
    throw new UserError(`${name.written}: ${path}: ${found}, wanted ${wanted} (removed; the same command tries again)`);
  };
  for (let failed = 0; ; failed++) {
    const handle = await open(part, 'a');
    let there = (await handle.stat()).size;
    const begin = there;
    try {
      if (there > size) await wrong(`${there} bytes`, `${size}`);
      if (there < size) {
        const whole = await receive();
        if (whole.size !== size) await wrong(`${whole.size} bytes sent`, `${size}`);
        for await (const piece of Readable.fromWeb(whole.slice(begin).stream() as ReadableStream<Uint8Array>)) {
          const bytes = piece as Uint8Array;
          if (there + bytes.length > size) {
            // A server that knows no ranges sends all of it again.
            if (begin === 0) await wrong(`more than ${size} bytes sent`, `${size}`);
            await rm(part);
            throw new Error('other bytes sent than were asked for');
          }
          await handle.appendFile(bytes);
          there += bytes.length;
          meter.advance(bytes.length);
        }
        if (there < size) throw new Error('the connection ended early');
      }
      await handle.sync();
      break;
    } catch (error) {
      stopIfAsked(signal);
      if (error instanceof UserError) throw error;
      if (!canPass(error)) throw refused(name, error);
      // What came is kept, so that only tries without a byte count.
      if (there > begin) failed = 0;
      if (failed === TRIES)
        throw new UserError(
          `${name.written}: ${path}: ${reason(error)} after ${there} of ${size} bytes, wanted all (the same command goes on from there)`,
          'ERR_FILE',
        );
      await sleep(waitMs * 2 ** failed, undefined, signal && { signal }).catch(() => {});
      stopIfAsked(signal);
    } finally {
      await handle.close();
    }
  }
  const found = await digestOf(part, size, isLarge);
  if (found !== oid) await wrong(`${isLarge ? 'SHA-256' : 'git id'} ${found}`, oid);
  await rename(part, blob);
}

async function receiving({ path }: HubFile, revision: string, source: Access): Promise<Blob> {
  const whole = await downloadFile({ ...source, path, revision });
  if (!whole) throw new UserError(`${source.repo.name}: ${path}: gone from the hub, wanted a file that it lists`);
  return whole;
}

/** As the hub names blobs: SHA-256, or git's id of a small file. */
async function digestOf(path: string, size: number, isLarge: boolean): Promise<string> {
  const hash = isLarge ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer);
  return hash.digest('hex');
}

/** Whether a fault may be gone at the next try: no answer, or one that says so. */
function canPass(error: unknown): boolean {
  if (error instanceof HubApiError) return error.statusCode >= 500 || [408, 429].includes(error.statusCode);
  return systemFault(error) === undefined;
}

/** A fault of the network in a few words. */
function reason(error: unknown): string {
  if (error instanceof HubApiError) return `status ${error.statusCode}`;
  const { cause, message } = error as { readonly cause?: { readonly code?: string }; readonly message?: string };
  return cause?.code ?? message ?? String(error);
}

function refused({ written, repo }: HubName, error: unknown): unknown {
  if (!(error instanceof HubApiError)) return error;
  const { statusCode: status } = error;
  const wanted = [401, 403].includes(status)
    ? `a repository that is there and a token that may read it: HF_TOKEN, or hf auth login (the terms of a gated one are accepted on the page of ${repo})`
    : 'a repository and a revision that are there';
  return new UserError(`${written}: hub: status ${status}, wanted ${wanted}`, 'ERR_FILE');
}

/** Bytes that have come, their rate and how long the rest will take. */
class Meter {
  readonly #title: string;
  readonly #total: number;
  readonly #display: Display;
  readonly #began = performance.now();
  #there = 0;
  #come = 0;

  constructor(title: string, total: number, display: Display) {
    this.#title = title;
    this.#total = total;
    this.#display = display;
  }

  /** Bytes that an earlier download left. */
  skip(bytes: number): void {
    this.#there += bytes;
  }

  advance(bytes: number): void {
    this.#come += bytes;
    const rate = this.#come / Math.max(0.001, (performance.now() - this.#began) / 1000);
    const done = this.#there + this.#come;
    this.#display.show({
      title: `${this.#title}, MB`,
      done: Math.round(done / MEGABYTE),
      total: Math.round(this.#total / MEGABYTE),
      fraction: Math.min(1, done / this.#total),
      secondsLeft: Math.max(0, this.#total - done) / rate,
      tokensPerSecond: undefined,
      note: `${(rate / MEGABYTE).toFixed(1)} MB/s`,
    });
  }
}
