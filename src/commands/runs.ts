// `mstar runs`: the runs of a folder, and several of them side by side, printed or as a page.

import { UserError } from '../core/errors.js';
import { compareRuns } from '../jobs/compare.js';
import { percent } from '../page/format.js';
import { describeSeconds } from '../run/terminal.js';
import { listRuns } from '../views/run/runs.js';
import { type CommonFlags, printResult, tableLines, verb } from './result.js';

export default verb({
  command: 'runs [folder]',
  describe: 'list the runs of a folder, or compare some',
  builder: (yargs) =>
    yargs
      .positional('folder', { type: 'string', default: 'runs', describe: 'folder that holds run folders' })
      .option('compare', {
        type: 'string',
        array: true,
        describe: '2 to 8 run folders, finished or not: the settings in which they differ, and their accuracies',
      })
      .option('html', {
        type: 'string',
        describe: 'with --compare: write a page with their curves over each other to this file',
      })
      .example('$0 runs', 'what is in runs/')
      .example('$0 runs --compare runs/a runs/b', 'two runs side by side')
      .example('$0 runs --compare runs/a runs/b runs/c --html compare.html', 'their curves as a page'),
  async handler({ folder, compare, html, ...flags }) {
    if (compare === undefined) {
      if (html !== undefined) throw new UserError('--html: given without --compare, wanted run folders to compare');
      return list(folder, flags);
    }
    const comparison = await compareRuns(compare, { ...(html !== undefined && { html }) });
    const { settings, test } = comparison;
    const accuracies = test.map(([at, ...shares]) => [at, ...shares.map(percent)]);
    printResult(
      flags,
      comparison,
      html === undefined
        ? [
            ...tableLines([['setting', ...comparison.runs], ...settings]),
            '',
            ...tableLines([['test accuracy', ...comparison.runs], ...accuracies]),
          ]
        : [html],
      html,
    );
  },
});

async function list(folder: string, flags: CommonFlags): Promise<void> {
  const runs = await listRuns(folder);
  const rows = runs.map(({ name, method, iterations, first, last, seconds, state }) => [
    name,
    method,
    iterations,
    percent(first),
    percent(last),
    describeSeconds(seconds),
    state,
  ]);
  const head = ['run', 'method', 'iterations', 'first test', 'last test', 'time', 'state'];
  printResult(flags, runs, runs.length === 0 ? [`${folder}: no runs`] : tableLines([head, ...rows]));
}
