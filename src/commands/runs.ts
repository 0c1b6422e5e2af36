// `mstar runs`: the runs of a folder, and several of them side by side, printed or as a page.
// Leaves reading and the page to report/.
import type { CommandModule } from 'yargs';
import { UserError } from '../core/errors.js';
import { printableJson } from '../core/printable.js';
import { compareRuns, readRuns } from '../report/compare/comparison.js';
import { listRuns } from '../report/runs.js';
import { isStandardOutput, writeOutput } from '../run/output.js';
import { describeSeconds } from '../run/terminal.js';
import { print } from './print.js';
import { percent } from './recipe.js';

interface Arguments {
  readonly folder: string;
  readonly compare?: string[];
  readonly html?: string;
  readonly json: boolean;
}

const command: CommandModule<object, Arguments> = {
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
      .option('json', { type: 'boolean', default: false, describe: 'as one JSON document' })
      .example('$0 runs', 'what is in runs/')
      .example('$0 runs --compare runs/a runs/b', 'two runs side by side')
      .example('$0 runs --compare runs/a runs/b runs/c --html compare.html', 'their curves as a page') as never,
  async handler({ folder, compare, html, json }) {
    if (compare === undefined) {
      if (html !== undefined) throw new UserError('--html: given without --compare, wanted run folders to compare');
      return list(folder, json);
    }
    const runs = await readRuns(compare);
    const comparison = compareRuns(runs);
    if (html !== undefined) {
      // Charts take longer to load than the rest: only who wants them pays.
      const { renderComparison } = await import('../report/compare/page.js');
      await writeOutput({ flag: '--html', path: html }, (sink) => sink(renderComparison(runs)));
    }
    if (json) console.log(printableJson(comparison, 2));
    else if (html !== undefined) (isStandardOutput(html) ? console.error : console.log)(html);
    else {
      const { settings, test } = comparison;
      printTable(['setting', ...comparison.runs], settings);
      print('');
      printTable(
        ['test accuracy', ...comparison.runs],
        test.map(([at, ...accuracies]) => [at, ...accuracies.map(percent)]),
      );
    }
  },
};

async function list(folder: string, json: boolean): Promise<void> {
  const runs = await listRuns(folder);
  if (json) console.log(printableJson(runs, 2));
  else if (runs.length === 0) print(`${folder}: no runs`);
  else {
    const rows = runs.map(({ name, method, iterations, first, last, seconds, state }) => [
      name,
      method,
      iterations,
      percent(first),
      percent(last),
      describeSeconds(seconds),
      state,
    ]);
    printTable(['run', 'method', 'iterations', 'first test', 'last test', 'time', 'state'], rows);
  }
}

function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of [head, ...rows])
    print(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

export default command;
