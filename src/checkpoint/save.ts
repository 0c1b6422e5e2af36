// Writes a model folder: side files copied, weight files with the names, shapes, dtypes and sharding of the folder it came from.
// Tensor data is written by the engine, which is passed in; atomic commit and manifests are the run's business.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemFault, UserError } from '../core/errors.js';
import { makeFolder, syncPath } from '../core/files.js';
import { ADAPTER_FILE } from './adapter.js';
import { INDEX_FILE, type ModelFolder, SINGLE_FILE } from './folder.js';
import type { ParameterShape } from './parameters.js';
import { buildHeader, STORED_BYTES, type StoredDtype, type TensorDtype, type TensorPlan } from './safetensors.js';

/** A file for the engine to write: a complete header and the tensors that follow it, by the engine's names. */
export interface SaveFile {
  readonly path: string;
  readonly header: Uint8Array;
  readonly tensors: readonly { readonly name: string; readonly dtype: StoredDtype }[];
}

/** Tensors of one weight file, in file order. */
export interface WeightPlan<D extends StoredDtype = TensorDtype> {
  readonly file: string;
  readonly tensors: readonly TensorPlan<D>[];
  /** Texts of its header. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Weight files like those of `folder`; a parameter that it lacks (a new reward head) joins the last file as F32.
 * @param nameOf the engine's name of a tensor of the folder
 */
export function planWeights(
  folder: ModelFolder,
  parameters: readonly ParameterShape[],
  nameOf: (name: string) => string = (name) => name,
): WeightPlan[] {
  const plans = folder.weights.map(({ path, tensors }) => ({
    file: basename(path),
    tensors: tensors.map(({ name, dtype, shape }): TensorPlan => ({ name, dtype, shape, parameter: nameOf(name) })),
  }));
  const known = new Set(plans.flatMap(({ tensors }) => tensors.map(({ parameter }) => parameter)));
  for (const { name, shape } of parameters)
    if (!known.has(name)) plans.at(-1)?.tensors.push({ name, dtype: 'F32', shape });
  return plans;
}

/** `file` in `dir` for the engine. */
export function saveFile(dir: string, { file, tensors, metadata }: WeightPlan<StoredDtype>): SaveFile {
  return {
    path: join(dir, file),
    header: buildHeader(tensors, metadata),
    tensors: tensors.map(({ name, parameter = name, dtype }) => ({ name: parameter, dtype })),
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
    const isSharded = weights.length > 1 || ![SINGLE_FILE, ADAPTER_FILE].includes(weights[0]?.file as string);
    const files = isSharded ? [...small, indexFile(weights)] : small;
    for (const [name, contents] of files) await writeFile(join(dir, name), contents, { flag: 'wx', flush: true });
    await write();
    await syncPath(dir);
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

/** The index of sharded weights. */
function indexFile(weights: readonly WeightPlan[]): ExtraFile {
  const weightMap: Record<string, string> = {};
  let bytes = 0;
  for (const { file, tensors } of weights) {
    for (const { name, dtype, shape } of tensors) {
      weightMap[name] = file;
      bytes += shape.reduce((product, size) => product * size, STORED_BYTES[dtype]);
    }
  }
  return [INDEX_FILE, `${JSON.stringify({ metadata: { total_size: bytes }, weight_map: weightMap }, null, 2)}\n`];
}
