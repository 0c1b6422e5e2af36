// Finds how the golden folders of a backbone are laid out: the file of its name in layouts/; no list is edited.

import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Backbone } from '#src/backbones/backbone.js';
import { UserError } from '#src/core/errors.js';
import type { FixtureLayout } from './inputs.js';

/** Throws UserError when there is no layout of this backbone. */
export async function layoutOf({ name }: Pick<Backbone, 'name'>): Promise<FixtureLayout> {
  const folder = new URL('./layouts/', import.meta.url);
  // .js after the build, .ts where the sources run as they are.
  const files = (await readdir(fileURLToPath(folder))).filter((file) => /^[\w-]+\.(js|ts)$/.test(file));
  const file = files.find((candidate) => candidate.replace(/\.\w+$/, '') === name);
  if (!file) throw new UserError(`golden: layout of ${name}: none, wanted tools/golden/layouts/${name}.ts`);
  const { layout } = (await import(new URL(file, folder).href)) as { layout: FixtureLayout };
  return layout;
}
