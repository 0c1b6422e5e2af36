// Where the paths of a job lie. Those that begin with hf: are looked for in the cache of the Hugging Face hub, and downloaded
// into it where something is missing. The client of the hub is loaded for such paths alone.
import { dirname, join } from 'node:path';
import { isOnHub, resolvePath } from '../config/load.js';
import { stopIfAsked, UserError } from '../core/errors.js';
import { type Display, silent } from '../run/terminal.js';
import { cachedCommit, type HubName, missingAt, PICTURES, parseName, placeOf } from './names.js';

export interface Places {
  /** Absolute form of a path. */
  of(path: string): string;
  /** The commit that each path of the hub stands for, by the path as it was written. */
  readonly commits: Commits;
  /** Folders that the files of data sets are links into. */
  readonly links: readonly string[];
}

export type Commits = Readonly<Record<string, string>>;

export interface FindOptions {
  readonly display?: Display | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What paths stood for when a run began. */
  readonly commits?: Commits | undefined;
  /** Milliseconds before a download that failed is tried again; doubled each time. */
  readonly waitMs?: number;
}

/**
 * Finds the places of paths, those of the hub at the commits given or at their revisions. What the cache holds is used without a
 * question to the hub.
 * @throws UserError where a path of the hub can neither be found nor downloaded
 */
export async function findPlaces(
  paths: readonly (string | undefined)[],
  { display = silent, signal, commits = {}, waitMs = 1000 }: FindOptions = {},
): Promise<Places> {
  const found = new Map<string, { readonly place: string; readonly commit: string }>();
  const links = new Set<string>();
  for (const path of new Set(paths)) {
    if (path === undefined || !isOnHub(path)) continue;
    const name = parseName(path);
    const { folderOf, download } = await import('./download.js');
    const folder = folderOf(name);
    const commit = commits[path] ?? (await cachedCommit(folder, name.revision));
    const at = await inCache(name, folder, commit, () => download(name, { commit, display, signal, waitMs }));
    found.set(path, { place: placeOf(folder, at, name.path), commit: at });
    if (name.type === 'dataset') links.add(join(folder, 'blobs'));
    stopIfAsked(signal);
  }
  return {
    of: (path) => found.get(path)?.place ?? resolvePath(path),
    commits: Object.fromEntries([...found].map(([path, { commit }]) => [path, commit])),
    links: [...links],
  };
}

/** The place of one path. */
export async function findPlace(path: string, options?: FindOptions): Promise<string> {
  return (await findPlaces([path], options)).of(path);
}

/** How a data set is read, as far as paths go. */
interface Roots {
  readonly imageRoot?: string | undefined;
  readonly linkRoot?: readonly string[] | undefined;
}

/**
 * Finds a data set and the folders of its pictures.
 * @returns the file, and how it is read: without an image root pictures lie beside it; paths that are not of the hub stay as they are
 */
export async function findData<R extends Roots>(
  file: string,
  reading: R,
  options?: FindOptions,
): Promise<{ readonly file: string; readonly reading: R & { readonly imageRoot: string } }> {
  const { imageRoot, linkRoot = [] } = reading;
  return placeData(await findPlaces([file, imageRoot, ...linkRoot], options), file, reading);
}

/** The same where the places are known. */
export function placeData<R extends Roots>({ of, links }: Places, file: string, reading: R) {
  const at = (path: string): string => (isOnHub(path) ? of(path) : path);
  const imageRoot = at(reading.imageRoot ?? dirname(at(file)));
  const linkRoot = [...(reading.linkRoot ?? []).map(at), ...links];
  return { file: at(file), reading: { ...reading, imageRoot, ...(linkRoot.length > 0 && { linkRoot }) } };
}

/** The commit at which all that is needed lies in the cache, after `download` where it does not yet. */
async function inCache(
  name: HubName,
  folder: string,
  commit: string | undefined,
  download: () => Promise<{ commit: string } | { unreachable: string }>,
): Promise<string> {
  const missing = commit === undefined ? undefined : await missingAt(placeOf(folder, commit, name.path), name);
  if (commit !== undefined && missing?.length === 0) return commit;
  const offline = /^(1|on|yes|true)$/i.test(process.env.HF_HUB_OFFLINE ?? '');
  const got = offline ? { unreachable: 'HF_HUB_OFFLINE is set' } : await download();
  if ('commit' in got) return got.commit;
  // Some folders have no such file, and only the hub could say which files a folder of a data set has.
  const mayDo = missing?.every((one) => one === PICTURES || one.startsWith('perhaps'));
  if (commit !== undefined && mayDo) return commit;
  const { written, type, repo, path } = name;
  const lacks = missing === undefined ? 'it' : missing.slice(0, 3).join(', ');
  const what = type === 'model' ? repo : `--repo-type dataset ${repo} ${path}`;
  throw new UserError(
    `${written}: hub: ${got.unreachable}, and ${folder} lacks ${lacks}; wanted that folder copied from a machine where \`hf download ${what}\` was run, or a path to the files`,
    'ERR_FILE',
  );
}
