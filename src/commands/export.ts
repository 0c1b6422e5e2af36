// `mstar export RUN`: step labels or training examples of a run, as JSON lines for other trainers.
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { makeFolder } from '../core/files.js';
import { EXPORT_FORMS, exportLines } from '../label/export.js';
import { checkOutput, checkOutputFolder, writeOutput } from '../run/output.js';
import { curvesOf } from '../views/metrics/curves.js';
import { readTimes, writeEvents } from '../views/metrics/files.js';
import { readEvents, readRun } from '../views/run/read.js';
import { type CommonFlags, printResult, verb } from './result.js';

export default verb({
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
      .example('$0 export runs/demo --as visualprm --out labels.jsonl', 'soft labels for another PRM trainer')
      .example('$0 export runs/demo --as tensorboard --out logs', 'then tensorboard --logdir logs'),
  async handler({ run, as, out, ...flags }) {
    if (as === 'tensorboard') return exportCurves(run, out, flags);
    let lines = 0;
    await writeOutput({ flag: '--out', path: out }, async (sink) => {
      for await (const line of exportLines(run, as)) {
        await sink(line);
        lines++;
      }
    });
    printResult(flags, { lines, file: out }, [`${lines.toLocaleString('en-US')} lines: ${out}`], out);
  },
});

/** One event file; asked for again it takes the place of the one before. */
async function exportCurves(run: string, out: string, flags: CommonFlags): Promise<void> {
  await readRun(run);
  const timeOf = await readTimes(run);
  const points = curvesOf(await readEvents(run));
  const metrics = points.map((point) => ({ ...point, wallSeconds: timeOf(point) ?? null }));
  const folder = join(out, basename(resolve(run)));
  await checkOutputFolder({ flag: '--out', path: folder });
  await checkOutput({ flag: '--out', path: join(folder, 'events.out.tfevents.0.mstar') });
  await makeFolder(folder);
  const { mtimeMs } = await stat(join(run, 'journal.jsonl'));
  const file = await writeEvents(folder, metrics, mtimeMs / 1000);
  const line = `${metrics.length.toLocaleString('en-US')} scalars: ${file}`;
  printResult(flags, { scalars: metrics.length, file }, [line]);
}
