// `mstar runs`: the runs of a folder, and two of them side by side.
// Leaves reading to report/runs.ts.
import type { CommandModule } from 'yargs';
import { UserError } from '../core/errors.js';
import { compareRuns, listRuns } from '../report/runs.js';
import { describeSeconds } from '../run/terminal.js';
import { percent } from './recipe.js';

interface Arguments {
  readonly folder: string;
  readonly compare?: string[];
  readonly json: boolean;
}

const command: CommandModule<object, Arguments> = {
  command: 'runs [folder]',
  describe: 'list the runs of a folder, or compare two',
  builder: (yargs) =>
    yargs
      .positional('folder', { type: 'string', default: 'runs', describe: 'folder that holds run folders' })
      .option('compare', {
        type: 'string',
        array: true,
        describe: 'two run folders: the settings in which they differ, and their accuracies',
      })
      .option('json', { type: 'boolean', default: false, describe: 'as one JSON document' })
      .example('$0 runs', 'what is in runs/')
      .example('$0 runs --compare runs/a runs/b', 'two runs side by side') as never,
  async handler({ folder, compare, json }) {
    if (compare !== undefined) {
      const [first, second, ...rest] = compare;
      if (first === undefined || second === undefined || rest.length > 0)
        throw new UserError(`--compare: ${compare.length} folders, wanted two`);
      const comparison = await compareRuns(first, second);
      if (json) console.log(JSON.stringify(comparison, null, 2));
      else {
        print(['setting', first, second], comparison.settings);
        console.log('');
        print(
          ['test accuracy', first, second],
          comparison.test.map(([at, a, b]) => [at, percent(a), percent(b)]),
        );
      }
      return;
    }
    const runs = await listRuns(folder);
    if (json) console.log(JSON.stringify(runs, null, 2));
    else if (runs.length === 0) console.log(`${folder}: no runs`);
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
      print(['run', 'method', 'iterations', 'first test', 'last test', 'time', 'state'], rows);
    }
  },
};

function print(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of [head, ...rows])
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

export default command;
