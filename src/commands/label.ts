// `mstar label`: the recipe up to the Monte-Carlo labels that the PRM is trained on.
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { percent, type RecipeFlags, recipeFlags, runRecipe } from './recipe.js';

const command: CommandModule<object, RecipeFlags> = {
  command: 'label',
  describe: 'label the steps of sampled responses by Monte-Carlo completions (after the warm-up)',
  builder: (yargs) =>
    recipeFlags(yargs)
      .example('mstar label --preset demo', 'makes runs/demo/labels.jsonl')
      .example('mstar label --config recipe.yaml --set prm.completions=16', 'finer labels'),
  handler: (flags) =>
    runRecipe(flags, 'label', ({ labels }, { run }) => [
      ...(labels
        ? [
            `${labels.pairs} pairs (${labels.right} right), ${labels.steps} steps, mean label ${percent(labels.meanLabel)}`,
          ]
        : []),
      `labels: ${join(run.dir, 'labels.jsonl')}`,
    ]),
};

export default command;
