// What a run made, written in the forms of other programs: step labels and training examples as lines, curves as events.
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { makeFolder } from '../core/files.js';
import { EXPORT_FORMS, exportLines } from '../label/export.js';
import { checkOutput, checkOutputFolder, writeOutput } from '../run/output.js';
import { curvesOf } from '../views/metrics/curves.js';
import { readTimes, writeEvents } from '../views/metrics/files.js';
import { readEvents, readRun } from '../views/run/read.js';

/** `visualprm` and `stepwise`: step labels; `messages`: the responses that were trained on; `tensorboard`: the curves. */
export const EXPORTS = [...EXPORT_FORMS, 'tensorboard'] as const;

export interface ExportOptions {
  readonly as: (typeof EXPORTS)[number];
  /** JSON-lines file to write; for tensorboard the folder of its logs, in which the run has one of its own. */
  readonly out: string;
}

export interface Exported {
  readonly file: string;
  /** Lines of the file; scalars for tensorboard. */
  readonly count: number;
}

/** @throws UserError where the run has nothing of the kind, or `out` is no place for it */
export async function exportRun(run: string, { as, out }: ExportOptions): Promise<Exported> {
  if (as === 'tensorboard') return exportCurves(run, out);
  let count = 0;
  await writeOutput({ flag: '--out', path: out }, async (sink) => {
    for await (const line of exportLines(run, as)) {
      await sink(line);
      count++;
    }
  });
  return { file: out, count };
}

/** One event file; asked for again it takes the place of the one before. */
async function exportCurves(run: string, out: string): Promise<Exported> {
  await readRun(run);
  const timeOf = await readTimes(run);
  const points = curvesOf(await readEvents(run));
  const metrics = points.map((point) => ({ ...point, wallSeconds: timeOf(point) ?? null }));
  const folder = join(out, basename(resolve(run)));
  await checkOutputFolder({ flag: '--out', path: folder });
  await checkOutput({ flag: '--out', path: join(folder, 'events.out.tfevents.0.mstar') });
  await makeFolder(folder);
  const { mtimeMs } = await stat(join(run, 'journal.jsonl'));
  return { file: await writeEvents(folder, metrics, mtimeMs / 1000), count: metrics.length };
}
