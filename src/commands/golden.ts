// `mstar golden <folder>`: compares this build with the outputs of the reference code.
// Leaves the comparison to golden/.
import type { CommandModule } from 'yargs';
import type { Line } from '../golden/report.js';
import { runGolden } from '../golden/run.js';
import { chooseDevice } from '../golden/session.js';
import { print } from './print.js';
import { type CommonFlags, printResult } from './result.js';

interface Arguments extends CommonFlags {
  readonly folder: string;
  readonly device: 'cpu' | 'cuda';
}

const command: CommandModule<object, Arguments> = {
  command: 'golden <folder>',
  describe: 'check a golden folder: one line per case and stage, exit code 1 when one differs',
  builder: (yargs) =>
    yargs
      .positional('folder', {
        type: 'string',
        describe: 'model folder with reference outputs',
      })
      .option('device', { choices: ['cpu', 'cuda'] as const, default: 'cpu' as const, describe: 'where to compute' })
      .example('$0 golden golden/internvl2', 'the engine against the reference outputs of a folder') as never,

  async handler({ folder, device, ...flags }) {
    chooseDevice(device);
    const lines = await runGolden(folder, (line) => {
      if (!flags.json) print(line);
    });
    const failed = lines.filter(({ ok }) => !ok);
    printResult(flags, document(folder, lines, failed), [summary(lines, failed)]);
    if (failed.length > 0) process.exitCode = 1;
  },
};

function document(folder: string, lines: readonly Line[], failed: readonly Line[]): object {
  return { folder, checks: lines.length, failed: failed.length, first: failed[0] ?? null, lines };
}

function summary(lines: readonly Line[], failed: readonly Line[]): string {
  const [first] = failed;
  if (!first) return `all ${lines.length} checks hold`;
  return `${failed.length} of ${lines.length} checks differ, first ${first.place}: ${first.stage}: ${first.note}`;
}

export default command;
