// Finds the backbone of a config.json among the files of this folder; no list is edited.
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { UserError } from '../core/errors.js';
import type { Backbone } from './backbone.js';

let known: Promise<readonly Backbone[]> | undefined;

/** Every backbone of this build, by name. */
export function backbones(): Promise<readonly Backbone[]> {
  known ??= loadAll();
  return known;
}

/** The backbone that accepts the config of `file`. Throws UserError naming those that there are. */
export async function findBackbone(config: Readonly<Record<string, unknown>>, file: string): Promise<Backbone> {
  const all = await backbones();
  const found = all.find((backbone) => backbone.accepts(config));
  if (found) return found;
  const names = all.map(({ name }) => name).join(', ');
  const version = config.version === undefined ? '' : ` of version ${JSON.stringify(config.version)}`;
  throw new UserError(
    `${file}: model_type: ${JSON.stringify(config.model_type) ?? 'missing'}${version}, wanted one of a known backbone (${names})`,
  );
}

async function loadAll(): Promise<Backbone[]> {
  const folder = new URL('.', import.meta.url);
  // .js after the build, .ts where the sources run as they are.
  const entries = await readdir(fileURLToPath(folder));
  const files = entries.filter((file) => /^(?!registry\.|backbone\.)[\w-]+\.(js|ts)$/.test(file));
  const modules = await Promise.all(
    files.sort().map((file) => import(new URL(file, folder).href) as Promise<{ backbone: Backbone }>),
  );
  return modules.map(({ backbone }) => backbone);
}
