// `mstar golden <folder>`: compares this build with the outputs of the reference code.
// Leaves the comparison to golden/.
import type { CommandModule } from 'yargs';
import { runGolden } from '../golden/run.js';

interface Arguments {
  readonly folder: string;
}

const command: CommandModule<object, Arguments> = {
  command: 'golden <folder>',
  describe: 'check a golden folder: one line per case and stage, exit code 1 when one differs',
  builder: (yargs) =>
    yargs.positional('folder', {
      type: 'string',
      demandOption: true,
      describe: 'model folder with cases, sft, prm or extra',
    }),
  async handler({ folder }) {
    const lines = await runGolden(folder, (line) => console.log(line));
    const failed = lines.filter(({ ok }) => !ok);
    const [first] = failed;
    if (!first) {
      console.log(`all ${lines.length} checks hold`);
      return;
    }
    console.log(
      `${failed.length} of ${lines.length} checks differ, first ${first.place}: ${first.stage}: ${first.note}`,
    );
    process.exitCode = 1;
  },
};

export default command;
