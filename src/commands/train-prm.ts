// `mstar train-prm`: the recipe up to the trained process reward model.
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { decimal } from '../page/format.js';
import { type RecipeFlags, recipeFlags, runRecipe } from './recipe.js';

const command: CommandModule<object, RecipeFlags> = {
  command: 'train-prm',
  describe: 'train the process reward model on the labelled steps (after label)',
  builder: (yargs) =>
    recipeFlags(yargs)
      .example('mstar train-prm --preset demo', 'makes runs/demo/checkpoints/prm')
      .example('mstar train-prm --config recipe.yaml --set prm.optimizer.epochs=2', 'two passes over the labels'),
  handler: (flags) =>
    runRecipe(flags, 'train-prm', ({ prm }, { run }) => [
      ...(prm
        ? [
            `${prm.examples} responses, ${prm.steps} steps, loss ${decimal(prm.firstLoss, 4)} to ${decimal(prm.lastLoss, 4)}`,
            ...(prm.heldOut
              ? [
                  `held out: ${prm.heldOut.responses} responses, squared error ${decimal(prm.heldOut.mse, 4)} (mean label alone ${decimal(prm.heldOut.baselineMse, 4)})`,
                ]
              : []),
          ]
        : []),
      `checkpoint: ${join(run.dir, 'checkpoints/prm')}`,
    ]),
};

export default command;
