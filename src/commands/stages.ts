// `mstar warmup`, `mstar label` and `mstar train-prm`: the recipe up to one of its first stages.
import { join } from 'node:path';
import type { ConfigSource } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { UserError } from '../core/errors.js';
import type { Summary } from '../evolve/summary.js';
import { decimal, percent } from '../page/format.js';
import { type RecipeFlags, recipeFlags, runRecipe } from './recipe.js';
import { verb } from './result.js';

interface LabelFlags {
  labels?: string | undefined;
  imageRoot?: string | undefined;
  model?: string | undefined;
  out?: string | undefined;
}

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
      .example('mstar label --config recipe.yaml', 'makes labels.jsonl in the folder of the run')
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
  describe:
    'train the process reward model on the labelled steps (after label), or on public step labels alone (--labels)',
  builder: (yargs) =>
    recipeFlags(yargs)
      .option('labels', {
        type: 'string',
        describe:
          'solutions with a label for each step (Math-Shepherd, PRM800K, VisualPRM, TRL): no data and no warm-up are needed',
      })
      .option('image-root', { type: 'string', describe: 'folder of their pictures; that of --labels when left out' })
      .option('model', { type: 'string', describe: 'model folder that becomes the PRM' })
      .option('out', { type: 'string', describe: 'run folder; the PRM is its checkpoints/prm' })
      .group(['labels', 'image-root', 'model', 'out'], 'Public labels:')
      .example(
        'mstar train-prm --labels math-shepherd.jsonl --model DIR --out runs/prm',
        'then --set prm.path=runs/prm/checkpoints/prm; the same line resumes it',
      )
      .example('mstar train-prm --config recipe.yaml', 'makes checkpoints/prm in the folder of the run')
      .example('mstar train-prm --config recipe.yaml --set prm.optimizer.epochs=2', 'two passes over the labels'),
  handler: (flags) => {
    const lines = ({ prm }: Summary, { run }: Config): string[] => {
      const lines: string[] = [];
      if (prm) {
        const { examples, steps, firstLoss, lastLoss, heldOut } = prm;
        lines.push(`${examples} responses, ${steps} steps, loss ${decimal(firstLoss, 4)} to ${decimal(lastLoss, 4)}`);
        if (heldOut) {
          const alone = `mean label alone ${decimal(heldOut.baselineMse, 4)}`;
          lines.push(`held out: ${heldOut.responses} responses, squared error ${decimal(heldOut.mse, 4)} (${alone})`);
          lines.push(`          ${heldOut.steps} steps, AUC ${decimal(heldOut.auc ?? null, 3)}`);
        }
      }
      return [...lines, `checkpoint: ${join(run.dir, 'checkpoints/prm')}`];
    };
    return runRecipe(flags, 'train-prm', lines, { values: LABELS_ALONE, given: givenBy(flags) });
  },
});

/** What is not said of a PRM that is made from labels alone. */
const LABELS_ALONE = { warmup: { enabled: false } };

/** The flags of public labels as settings. Throws UserError where one of them is alone. */
function givenBy(flags: RecipeFlags & LabelFlags): ConfigSource['flags'] {
  const { labels, imageRoot, model, out } = flags;
  if (labels === undefined) {
    const alone = Object.entries({ '--image-root': imageRoot, '--model': model, '--out': out }).find(
      ([, value]) => value,
    );
    if (alone) throw new UserError(`${alone[0]}: given without --labels, wanted both, or --set`, 'ERR_SETTING');
    return undefined;
  }
  const isAlone = flags.config === undefined && flags.preset === undefined;
  const missing =
    isAlone && Object.entries({ '--model': model, '--out': out }).find(([, value]) => value === undefined);
  if (missing) throw new UserError(`${missing[0]}: missing, wanted with --labels`, 'ERR_SETTING');
  const settings = {
    'prm.labels.file': ['--labels', labels],
    'prm.labels.imageRoot': ['--image-root', imageRoot],
    'model.path': ['--model', model],
    'run.dir': ['--out', out],
  } as const;
  const given = Object.entries(settings).flatMap(([name, [flag, text]]) =>
    text === undefined ? [] : [[name, { flag: `${flag} ${text}`, text }] as const],
  );
  return Object.fromEntries(given);
}
