// Finds the backbone of a config.json among the files of this folder; no list is edited.
import { UserError } from '../core/errors.js';
import { exportsBeside } from '../core/registry.js';
import type { Backbone } from './backbone.js';

let known: Promise<readonly Backbone[]> | undefined;

/** Every backbone of this build, by name. */
export function backbones(): Promise<readonly Backbone[]> {
  known ??= exportsBeside<Backbone>(import.meta.url, 'backbone').then((all) => [...all.values()]);
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
