// `mstar export RUN`: step labels or training examples of a run, as JSON lines for other trainers.
// Leaves the lines to label/export.ts.
import { open } from 'node:fs/promises';
import type { CommandModule } from 'yargs';
import { EXPORT_FORMS, type ExportForm, exportLines } from '../label/export.js';

interface Arguments {
  readonly run: string;
  readonly as: ExportForm;
  readonly out: string;
}

const command: CommandModule<object, Arguments> = {
  command: 'export <run>',
  describe: 'write step labels or training examples of a run in the forms of other trainers',
  builder: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'run folder' })
      .option('as', {
        choices: EXPORT_FORMS,
        demandOption: true,
        describe:
          'visualprm: steps_with_score; stepwise: TRL stepwise supervision, hard labels; messages: the responses that were trained on, as conversations',
      })
      .option('out', { type: 'string', demandOption: true, describe: 'JSON-lines file to write' })
      .example('$0 export runs/demo --as visualprm --out labels.jsonl', 'soft labels for another PRM trainer') as never,
  async handler({ run, as, out }) {
    let lines = 0;
    const handle = await open(out, 'w');
    try {
      for await (const line of exportLines(run, as)) {
        await handle.write(line);
        lines++;
      }
    } finally {
      await handle.close();
    }
    console.log(`${lines.toLocaleString('en-US')} lines: ${out}`);
  },
};

export default command;
