// Names of models and data sets on the Hugging Face hub, and what of them lies in a cache of the layout that all programs of
// the hub share: refs/REVISION, snapshots/COMMIT/PATH as links, blobs.
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ADAPTER_CONFIG, ADAPTER_FILE } from '../checkpoint/adapter.js';
import { INDEX_FILE, SINGLE_FILE } from '../checkpoint/folder.js';
import { UserError } from '../core/errors.js';
import { ifThere } from '../core/files.js';
import { readJson } from '../core/json.js';
import { isInside, listNames } from '../run/durable.js';

/** What a path `hf:...` names. */
export interface HubName {
  /** As it was written. */
  readonly written: string;
  readonly type: 'model' | 'dataset';
  /** `ORG/NAME`. */
  readonly repo: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** In the repository, `/` between its parts: of a model its folder, empty for the repository itself; of a data set a file or folder. */
  readonly path: string;
}

const NAME = /^hf:(?:\/\/)?(datasets\/)?([\w.-]+\/[\w.-]+)(?:@([^/]+))?(?:\/(.*?)\/*)?$/;

/** @throws UserError where the text names nothing */
export function parseName(written: string): HubName {
  const refuse = (found: string, wanted: string): never => {
    throw new UserError(`${written}: path: ${found}, wanted ${wanted}`, 'ERR_SETTING');
  };
  const model = 'hf:ORG/NAME or hf:ORG/NAME@REVISION';
  const [, datasets, repo = '', given = 'main', path = ''] =
    NAME.exec(written) ?? refuse('no name on the hub', `${model}, a data set as hf:datasets/ORG/NAME/FILE`);
  // As in addresses of the hub: a revision with a slash in it is written with %2F.
  const revision = given.replaceAll('%2F', '/');
  // A data set has an owner too: without one its name would be read as a model of the owner `datasets`.
  if (repo.startsWith('datasets/')) refuse('a data set without its owner', 'hf:datasets/ORG/NAME/FILE');
  if (!isInside(repo) || !isInside(revision) || (path !== '' && !isInside(path)))
    refuse('empty or dotted parts', 'a plain path');
  if (datasets !== undefined && path === '')
    refuse('a whole data set', `a file of it, like ${written}/data/train.parquet`);
  return { written, type: datasets === undefined ? 'model' : 'dataset', repo, revision, path };
}

/** The name of the same thing at a commit. */
export function atCommit(written: string, commit: string): string {
  const { type, repo, path } = parseName(written);
  return `hf:${type === 'dataset' ? 'datasets/' : ''}${repo}@${commit}${path && `/${path}`}`;
}

export const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

/** The commit that a revision stands for, as far as the folder of a repository in the cache knows. */
export async function cachedCommit(folder: string, revision: string): Promise<string | undefined> {
  if (isCommit(revision)) return revision;
  const ref = (await ifThere(readFile(join(folder, 'refs', revision), 'utf8')))?.trim();
  return ref !== undefined && isCommit(ref) ? ref : undefined;
}

/** Where a path of a repository lies in the cache. */
export const placeOf = (folder: string, commit: string, path: string): string =>
  join(folder, 'snapshots', commit, ...path.split('/'));

/**
 * What the cache lacks: of a model the files that every model has, of a data set the file itself. Whether a folder of a data
 * set is whole only the hub can tell.
 */
export async function missingAt(place: string, { type, path }: HubName): Promise<string[]> {
  if (type === 'dataset') {
    const found = await ifThere(stat(place));
    return found?.isFile() ? [] : [found ? 'perhaps some of its files' : path];
  }
  const names = await listNames(place);
  const there = (name: string): boolean => existsSync(join(place, name));
  const lacking = (...wanted: string[]): string[] => wanted.filter((name) => !there(name));
  if (there(ADAPTER_CONFIG)) return lacking(ADAPTER_FILE);
  const tokenizer = names.some((name) => /^tokenizer\.(json|model)$/.test(name)) ? [] : ['its tokenizer'];
  return [...lacking('config.json'), ...(await missingWeights(place, there)), ...tokenizer, ...lacking(PICTURES)];
}

/** Published models have it, and whoever loads a model without pictures leaves it out. */
export const PICTURES = 'preprocessor_config.json';

async function missingWeights(place: string, there: (name: string) => boolean): Promise<string[]> {
  if (there(SINGLE_FILE)) return [];
  if (!there(INDEX_FILE)) return [SINGLE_FILE];
  const index = (await readJson(join(place, INDEX_FILE))) as { readonly weight_map?: Record<string, string> } | null;
  return [...new Set(Object.values(index?.weight_map ?? {}))].filter((name) => !there(String(name)));
}
