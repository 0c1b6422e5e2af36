// Writes a model folder: side files copied, weight files with the names, shapes, dtypes and sharding of the folder it came from.
// Tensor data is written by the engine, which is passed in; atomic commit and manifests are the run's business.
import { mkdir, open, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemFault, UserError } from '../core/errors.js';
import { makeFolder } from '../core/files.js';
import { INDEX_FILE, type ModelFolder, SINGLE_FILE } from './folder.js';
import type { ParameterShape } from './parameters.js';
import { BYTES_PER_NUMBER, buildHeader, type TensorDtype, type TensorPlan } from './safetensors.js';

/** A file for the engine to write: a complete header and the tensors that follow it, by the engine's names. */
export interface SaveFile {
  readonly path: string;
  readonly header: Uint8Array;
  readonly tensors: readonly { readonly name: string; readonly dtype: TensorDtype }[];
}

/** Tensors of one weight file, in file order. */
export interface WeightPlan {
  readonly file: string;
  readonly tensors: readonly TensorPlan[];
}

/**
 * Weight files like those of `folder`; a parameter that it lacks (a new reward head) joins the last file as F32.
 * @param nativeName the engine's name of a tensor of the folder
 */
export function planWeights(
  folder: ModelFolder,
  parameters: readonly ParameterShape[],
  nativeName: (name: string) => string = (name) => name,
): WeightPlan[] {
  const known = new Set(folder.weights.flatMap(({ tensors }) => tensors.map(({ name }) => nativeName(name))));
  const added = parameters
    .filter(({ name }) => !known.has(name))
    .map(({ name, shape }): TensorPlan => ({ name, dtype: 'F32', shape }));
  return folder.weights.map(({ path, tensors }, index) => ({
    file: basename(path),
    tensors: [
      ...tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
      ...(index === folder.weights.length - 1 ? added : []),
    ],
  }));
}

/** `file` in `dir` for the engine. `nativeName`: the engine's name of a tensor where the file's differs. */
export function saveFile(
  dir: string,
  plan: WeightPlan,
  nativeName: (name: string) => string = (name) => name,
): SaveFile {
  return {
    path: join(dir, plan.file),
    header: buildHeader(plan.tensors),
    tensors: plan.tensors.map(({ name, dtype }) => ({ name: nativeName(name), dtype })),
  };
}

/** A small file to write beside the weights. */
export type ExtraFile = readonly [name: string, contents: Uint8Array | string];

/**
 * Makes the folder `dir`, which must not exist, and fills it; everything is flushed when this resolves.
 * On failure the folder is removed again. `write` writes and flushes weight files.
 */
export async function writeFolder(
  dir: string,
  weights: readonly WeightPlan[],
  small: readonly ExtraFile[],
  write: () => Promise<void>,
): Promise<void> {
  await makeFolder(dirname(dir));
  try {
    await mkdir(dir);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(
      `${dir}: folder: ${code === 'EEXIST' ? 'exists' : (systemFault(error) ?? code)}, wanted a new folder`,
      'ERR_FILE',
    );
  }
  try {
    for (const [name, contents] of small) await writeFlushed(join(dir, name), contents);
    const index = indexFile(weights);
    if (index) await writeFlushed(join(dir, INDEX_FILE), index);
    await write();
    await flush(dir);
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

/** The index of sharded weights; undefined for the single file. */
function indexFile(weights: readonly WeightPlan[]): string | undefined {
  if (weights.length === 1 && weights[0]?.file === SINGLE_FILE) return undefined;
  const weightMap: Record<string, string> = {};
  let bytes = 0;
  for (const { file, tensors } of weights) {
    for (const { name, dtype, shape } of tensors) {
      weightMap[name] = file;
      bytes += shape.reduce((product, size) => product * size, BYTES_PER_NUMBER[dtype]);
    }
  }
  return `${JSON.stringify({ metadata: { total_size: bytes }, weight_map: weightMap }, null, 2)}\n`;
}

/** Writes a new file and flushes it to disk. */
export async function writeFlushed(file: string, contents: Uint8Array | string): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(contents);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function flush(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
