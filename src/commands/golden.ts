// `mstar golden <folder>`: compares this build with the outputs of the reference code.
// Leaves the comparison to golden/.
import type { CommandModule } from 'yargs';
import { printableJson } from '../core/printable.js';
import type { Line } from '../golden/report.js';
import { runGolden } from '../golden/run.js';
import { chooseDevice } from '../golden/session.js';
import { print } from './print.js';

interface Arguments {
  readonly folder: string;
  readonly json: boolean;
  readonly device: 'cpu' | 'cuda';
}

const command: CommandModule<object, Arguments> = {
  command: 'golden <folder>',
  describe: 'check a golden folder: one line per case and stage, exit code 1 when one differs',
  builder: (yargs) =>
    yargs
      .positional('folder', {
        type: 'string',
        demandOption: true,
        describe: 'model folder with reference outputs',
      })
      .option('device', { choices: ['cpu', 'cuda'] as const, default: 'cpu' as const, describe: 'where to compute' })
      .option('json', { type: 'boolean', default: false, describe: 'the report as one JSON document' }),
  async handler({ folder, json, device }) {
    chooseDevice(device);
    const lines = await runGolden(folder, (line) => {
      if (!json) print(line);
    });
    const failed = lines.filter(({ ok }) => !ok);
    console.log(json ? document(folder, lines, failed) : summary(lines, failed));
    if (failed.length > 0) process.exitCode = 1;
  },
};

function document(folder: string, lines: readonly Line[], failed: readonly Line[]): string {
  return printableJson({ folder, checks: lines.length, failed: failed.length, first: failed[0] ?? null, lines }, 2);
}

function summary(lines: readonly Line[], failed: readonly Line[]): string {
  const [first] = failed;
  if (!first) return `all ${lines.length} checks hold`;
  return `${failed.length} of ${lines.length} checks differ, first ${first.place}: ${first.stage}: ${first.note}`;
}

export default command;
