// The JSON Schema of a recipe, made from the settings: what editors check and complete a recipe by.
// assets/recipe.schema.json holds it; scripts/make-schema.mjs writes that file.
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from './presets.js';
import { settings } from './schema.js';

/** The file that comes with the package. */
export const recipeSchemaFile = join(packageRoot, 'assets/recipe.schema.json');

/** As text, the way the file has it. */
export function recipeSchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(settings, { io: 'input', target: 'draft-7' });
  const title = 'Recipe of mstar';
  const description =
    'Settings of a run of mstar evolve; mstar init writes a recipe, mstar evolve --settings lists them.';
  return `${JSON.stringify({ $schema, title, description, ...schema }, null, 1)}\n`;
}
