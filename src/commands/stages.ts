// `mstar warmup`, `mstar label` and `mstar train-prm`: the recipe up to one of its first stages.
import { join } from 'node:path';
import { decimal, percent } from '../page/format.js';
import { recipeFlags, runRecipe } from './recipe.js';
import { verb } from './result.js';

export const warmup = verb({
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
});

export const label = verb({
  command: 'label',
  describe: 'label the steps of sampled responses by Monte-Carlo completions (after the warm-up)',
  builder: (yargs) =>
    recipeFlags(yargs)
      .example('mstar label --preset demo', 'makes runs/demo/labels.jsonl')
      .example('mstar label --config recipe.yaml --set prm.completions=16', 'finer labels'),
  handler: (flags) =>
    runRecipe(flags, 'label', ({ labels }, { run }) => {
      const file = `labels: ${join(run.dir, 'labels.jsonl')}`;
      if (!labels) return [file];
      const { pairs, right, steps, meanLabel } = labels;
      return [`${pairs} pairs (${right} right), ${steps} steps, mean label ${percent(meanLabel)}`, file];
    }),
});

export const trainPrm = verb({
  command: 'train-prm',
  describe: 'train the process reward model on the labelled steps (after label)',
  builder: (yargs) =>
    recipeFlags(yargs)
      .example('mstar train-prm --preset demo', 'makes runs/demo/checkpoints/prm')
      .example('mstar train-prm --config recipe.yaml --set prm.optimizer.epochs=2', 'two passes over the labels'),
  handler: (flags) =>
    runRecipe(flags, 'train-prm', ({ prm }, { run }) => {
      const lines: string[] = [];
      if (prm) {
        const { examples, steps, firstLoss, lastLoss, heldOut } = prm;
        lines.push(`${examples} responses, ${steps} steps, loss ${decimal(firstLoss, 4)} to ${decimal(lastLoss, 4)}`);
        if (heldOut) {
          const alone = `mean label alone ${decimal(heldOut.baselineMse, 4)}`;
          lines.push(`held out: ${heldOut.responses} responses, squared error ${decimal(heldOut.mse, 4)} (${alone})`);
        }
      }
      return [...lines, `checkpoint: ${join(run.dir, 'checkpoints/prm')}`];
    }),
});
