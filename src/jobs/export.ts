// What a run made, written in the forms of other programs: step labels and training examples as lines, curves as events,
// a checkpoint as the folder of a model.
import { cp, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { hasRewardHead, openFolder } from '../checkpoint/folder.js';
import type { TensorDtype } from '../checkpoint/safetensors.js';
import { isTrainerFile } from '../checkpoint/trainer.js';
import { UserError } from '../core/errors.js';
import { ASIDE, makeFolder } from '../core/files.js';
import { createHost } from '../engine/host.js';
import { isIteration } from '../evolve/phases.js';
import { EXPORT_FORMS, exportLines } from '../label/export.js';
import { listNames } from '../run/durable.js';
import { checkOutput, checkOutputFolder, writeOutput } from '../run/output.js';
import { curvesOf } from '../views/metrics/curves.js';
import { readTimes, writeEvents } from '../views/metrics/files.js';
import { readEvents, readRun } from '../views/run/read.js';

/** `visualprm` and `stepwise`: step labels; `messages`: the responses that were trained on; `tensorboard`: the curves; `model`: a checkpoint. */
export const EXPORTS = [...EXPORT_FORMS, 'tensorboard', 'model'] as const;
export const EXPORT_DTYPES = ['float32', 'float16', 'bfloat16'] as const;

/** What of a run is written, and where. */
export interface ExportOptions {
  readonly as: (typeof EXPORTS)[number];
  /** JSON-lines file to write; for tensorboard the folder of its logs, in which the run has one of its own; for a model a new folder. */
  readonly out: string;
  /** Of a model: its name in the folder `checkpoints`; the last iteration's when left out. */
  readonly checkpoint?: string | undefined;
  /** Of a model: adds its adapter to the weights of the base, in float32. */
  readonly merge?: boolean | undefined;
  /** Of merged weights; as in the files of the base when left out. */
  readonly dtype?: (typeof EXPORT_DTYPES)[number] | undefined;
}

/** What a merge wrote, as L2 norms: what the adapter adds to the weights, and what rounding the sums took. */
export interface MergeLoss {
  readonly update: number;
  readonly lost: number;
}

/** What was written. */
export interface Exported {
  readonly file: string;
  /** Lines of the file; scalars for tensorboard; files of a model. */
  readonly count: number;
  /** Of merged weights. */
  readonly merged?: MergeLoss;
}

/** @throws UserError where the run has nothing of the kind, or `out` is no place for it */
export async function exportRun(run: string, options: ExportOptions): Promise<Exported> {
  const { as, out } = options;
  if (as === 'model') return exportModel(run, options);
  for (const name of ['checkpoint', 'merge', 'dtype'] as const)
    if (options[name] !== undefined)
      throw new UserError(`--${name}: given with --as ${as}, wanted --as model`, 'ERR_SETTING');
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

const DTYPES: Readonly<Record<(typeof EXPORT_DTYPES)[number], TensorDtype>> = {
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
};

/** A checkpoint without what only its run needs; merged, the whole model that an adapter makes of its base. */
async function exportModel(run: string, { out, checkpoint, merge, dtype }: ExportOptions): Promise<Exported> {
  await readRun(run);
  const made = (await listNames(join(run, 'checkpoints'))).filter((one) => !one.endsWith(ASIDE)).sort();
  const name = checkpoint ?? made.findLast(isIteration) ?? made.at(-1);
  if (name === undefined || !made.includes(name))
    throw new UserError(
      `--checkpoint: ${name ?? 'none made yet'}, wanted one of ${made.join(', ') || 'a run that has some'}`,
      'ERR_SETTING',
    );
  await checkOutputFolder({ flag: '--out', path: out });
  const dir = join(run, 'checkpoints', name);
  const folder = await openFolder(dir);
  if (merge && !folder.adapter)
    throw new UserError(`--merge: ${dir} holds whole weights, wanted an adapter (model.adapter)`, 'ERR_SETTING');
  if (dtype !== undefined && !merge)
    throw new UserError('--dtype: given without --merge, wanted both: nothing is rounded otherwise', 'ERR_SETTING');
  if (merge) {
    // Every number of the base has to be in memory as it is.
    const wide = folder.weights.some(({ tensors }) => tensors.some((tensor) => tensor.dtype !== 'BF16'));
    const host = createHost({
      device: 'cpu',
      dtype: wide ? 'float32' : 'bfloat16',
      threads: 0,
      maxImagePixels: 1,
      prompt: { solve: '{question}', givenAnswer: '{question}' },
    });
    await using model = await (hasRewardHead(folder) ? host.openScorer(dir, 'load') : host.openPolicy(dir));
    const merged = await model.saveMerged(out, dtype && DTYPES[dtype]);
    return { file: out, count: (await readdir(out)).length, merged };
  }
  await makeFolder(dirname(resolve(out)));
  await mkdir(out).catch(() => {
    throw new UserError(`--out: ${out}: exists, wanted a new folder`, 'ERR_SETTING');
  });
  try {
    const names = (await readdir(dir)).filter((file) => file !== 'manifest.json' && !isTrainerFile(file));
    for (const file of names) await cp(join(dir, file), join(out, file));
    return { file: out, count: names.length };
  } catch (error) {
    await rm(out, { recursive: true, force: true });
    throw error;
  }
}
