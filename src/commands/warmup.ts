// `mstar warmup`: the recipe up to the warm-up checkpoint.
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { type RecipeFlags, recipeFlags, runRecipe } from './recipe.js';

const command: CommandModule<object, RecipeFlags> = {
  command: 'warmup',
  describe: 'sample chains of thought with the answer given, keep those that reach it, fine-tune on them',
  builder: (yargs) =>
    recipeFlags(yargs)
      .example('mstar warmup --preset demo', 'makes runs/demo/checkpoints/warmup')
      .example('mstar warmup --config recipe.yaml', 'then `mstar evolve --config recipe.yaml` goes on from it'),
  handler: (flags) =>
    runRecipe(flags, 'warmup', ({ warmup }, { run }) => {
      if (!warmup) return ['warmup.enabled is false: the model is taken as warmed up already'];
      const { sampled, correct, selected } = warmup.choice;
      return [
        `${sampled} responses, ${correct} reach the answer, ${selected} trained on in ${warmup.training.steps} steps`,
        `checkpoint: ${join(run.dir, 'checkpoints/warmup')}`,
      ];
    }),
};

export default command;
