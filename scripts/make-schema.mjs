// Writes assets/recipe.schema.json from the settings: `npm run make-schema`. A test says when it is out of date.
import { writeFileSync } from 'node:fs';
import { recipeSchema, recipeSchemaFile } from '../dist/config/recipe-schema.js';

writeFileSync(recipeSchemaFile, recipeSchema());
