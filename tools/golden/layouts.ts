// Finds how the golden folders of a backbone are laid out: the file of its name in layouts/; no list is edited.

import type { Backbone } from '#src/backbones/backbone.js';
import { UserError } from '#src/core/errors.js';
import { exportsBeside } from '#src/core/registry.js';
import type { FixtureLayout } from './inputs.js';

/** Throws UserError when there is no layout of this backbone. */
export async function layoutOf({ name }: Pick<Backbone, 'name'>): Promise<FixtureLayout> {
  const layouts = await exportsBeside<FixtureLayout>(new URL('./layouts/', import.meta.url).href, 'layout');
  const layout = layouts.get(name);
  if (!layout) throw new UserError(`golden: layout of ${name}: none, wanted tools/golden/layouts/${name}.ts`);
  return layout;
}
