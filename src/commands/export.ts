// `mstar export RUN`: step labels or training examples of a run, as JSON lines for other trainers.
// Leaves the lines to label/export.ts.
import { mkdir, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { CommandModule } from 'yargs';
import { EXPORT_FORMS, type ExportForm, exportLines } from '../label/export.js';
import { curvesOf } from '../report/curves.js';
import { readRun } from '../report/read.js';
import { eventFile } from '../report/tensorboard.js';

interface Arguments {
  readonly run: string;
  readonly as: ExportForm | 'tensorboard';
  readonly out: string;
}

const command: CommandModule<object, Arguments> = {
  command: 'export <run>',
  describe: 'write step labels or training examples of a run in the forms of other trainers',
  builder: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'run folder' })
      .option('as', {
        choices: [...EXPORT_FORMS, 'tensorboard'] as const,
        demandOption: true,
        describe:
          'visualprm: steps_with_score; stepwise: TRL stepwise supervision, hard labels; messages: the responses that were trained on, as conversations; tensorboard: the curves of the run, finished or not',
      })
      .option('out', {
        type: 'string',
        demandOption: true,
        describe: 'JSON-lines file to write; for tensorboard the folder of its logs',
      })
      .example('$0 export runs/demo --as visualprm --out labels.jsonl', 'soft labels for another PRM trainer') as never,
  async handler({ run, as, out }) {
    if (as === 'tensorboard') return exportCurves(run, out);
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

/** One event file, named after the run's last change: asked for again it is written over, not beside. */
async function exportCurves(run: string, out: string): Promise<void> {
  const scalars = curvesOf(await readRun(run));
  const { mtimeMs } = await stat(join(run, 'journal.jsonl'));
  const folder = join(out, basename(resolve(run)));
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) if (name.endsWith('.mstar')) await rm(join(folder, name));
  const file = join(folder, `events.out.tfevents.${Math.floor(mtimeMs / 1000)}.mstar`);
  await writeFile(file, eventFile(scalars, mtimeMs / 1000));
  console.log(`${scalars.length.toLocaleString('en-US')} scalars: ${file}`);
}

export default command;
