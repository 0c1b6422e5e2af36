// `mstar evolve`: the whole recipe. Prints the accuracies and where the files are.

import { join } from 'node:path';
import type { Summary } from '../evolve/summary.js';
import { decimal, percent } from '../page/format.js';
import { describeSeconds } from '../run/terminal.js';
import { notifyFlag } from './notify.js';
import { recipeFlags, runRecipe } from './recipe.js';
import { verb } from './result.js';

export default verb({
  command: 'evolve',
  describe: 'run the whole recipe: warm-up, PRM, self-evolving iterations, test',
  builder: (yargs) =>
    notifyFlag(recipeFlags(yargs))
      .option('from', {
        type: 'string',
        describe: 'run folder whose warm-up, labels and PRM a new run begins with; the settings of these must agree',
      })
      .option('watch', {
        type: 'boolean',
        default: false,
        describe: 'serve a page that follows the run, as mstar watch does',
      })
      .group(['from', 'watch', 'notify'], 'Recipe:')
      .example('mstar evolve --preset demo', 'the demonstration on generated picture problems')
      .example('mstar evolve --config recipe.yaml', 'a recipe of your own; the same line resumes it')
      .example('mstar evolve --preset demo --set seed=2 --set run.dir=runs/seed-2', 'another seed in another folder')
      .example(
        'mstar evolve --preset demo --from runs/demo --set evolve.method=rest-em --set run.dir=runs/b',
        'another method from the same warm-up and PRM',
      )
      .example('mstar evolve --preset demo --report-to tensorboard', 'curves while it runs: tensorboard --logdir runs')
      .example('mstar evolve --settings', 'every setting with its default and meaning'),
  handler: (flags) =>
    runRecipe(
      flags,
      'evolve',
      async (summary, { run }) => {
        const { writeReport } = await import('../views/run/report.js');
        const report = await writeReport(run.dir);
        return [...table(summary), '', `results: ${join(run.dir, 'summary.json')}`, `report:  ${report}`];
      },
      { from: flags.from, watch: flags.watch, notify: flags.notify },
    ),
});

/** Test accuracy of every checkpoint, then what sampling and the PRM say of the last. */
function table(summary: Summary): string[] {
  const rows = Object.entries(summary.test).map(([at, { accuracy, low, high }]) => {
    const interval = `(${percent(low)} to ${percent(high)})`;
    return `${at.padEnd(12)} ${percent(accuracy).padStart(7)}  ${interval}`;
  });
  const lines = [`test accuracy on ${summary.problems.test} problems, greedy (95 % interval)`, ...rows];
  const { final } = summary;
  if (final) {
    const { k, temperature, passAtK, rewardPassAt2 } = final.samples;
    lines.push(`Pass@${k} ${percent(passAtK)}, Reward-Pass@2 ${percent(rewardPassAt2)} at temperature ${temperature}`);
    if (final.steps)
      lines.push(
        `PRM on ${final.steps.steps} test steps: right ${percent(final.steps.accuracy)}, AUC ${decimal(final.steps.auc, 3)}`,
      );
  }
  const last = summary.iterations.at(-1)?.lucky;
  if (last) {
    const draw = last.chance === undefined ? '' : `; a random draw of as many would have ${percent(last.chance)}`;
    lines.push(
      `wrong chains among right answers: ${percent(last.before)} before selection, ${percent(last.after)} after${draw}`,
    );
  }
  const { seconds, tokens } = summary.totals;
  lines.push(
    `${describeSeconds(seconds)}, ${tokens.sampled.toLocaleString('en-US')} tokens sampled, ${tokens.trained.toLocaleString('en-US')} trained on`,
  );
  return lines;
}
