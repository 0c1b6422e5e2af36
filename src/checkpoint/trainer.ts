// Trainer state beside the weights of a checkpoint: AdamW moments, exact copies of rounded weights, the step counter.
// trainer.safetensors, or trainer-00001-of-00003.safetensors and so on where it would be large, holds exp_avg.<p> and
// exp_avg_sq.<p>, in 8-bit moments as BF16 and U8 with exp_avg_sq_scale.<p>, and, where the weights on disk are not F32, master.<p>.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { readJson } from '../core/json.js';
import { checked } from '../core/schema.js';
import { readAdapter } from './adapter.js';
import { openFolder } from './folder.js';
import { type Alias, checkParameters, engineWeights, type ParameterShape } from './parameters.js';
import { readRanges, STORED_BYTES, type StoredDtype, type TensorPlan, type WeightFile } from './safetensors.js';
import type { ExtraFile, WeightPlan } from './save.js';

/** Bytes of a file of trainer state, unless one tensor has more: small enough that the ranks of a job have one to write each. */
const FILE_BYTES = 4 * 2 ** 30;
const COUNTER_FILE = 'trainer.json';
const STATE_FILES = /^trainer(-\d{5}-of-\d{5})?\.safetensors$/;

/** Whether a file of a checkpoint is of the trainer state. */
export function isTrainerFile(name: string): boolean {
  return name === COUNTER_FILE || STATE_FILES.test(name);
}

/** The state files for these weights and moments. */
export function planTrainer(
  weights: readonly WeightPlan[],
  moments: readonly TensorPlan<StoredDtype>[],
  fileBytes = FILE_BYTES,
): WeightPlan<StoredDtype>[] {
  const rounded = weights.flatMap(({ tensors }) => tensors.filter(({ dtype }) => dtype !== 'F32'));
  // A weight may be in the files under two names.
  const shapes = new Map(rounded.map(({ name, parameter = name, shape }) => [parameter, shape]));
  const masters = [...shapes].map(
    ([parameter, shape]): TensorPlan => ({ name: `master.${parameter}`, dtype: 'F32', shape, parameter }),
  );
  const parts: TensorPlan<StoredDtype>[][] = [];
  let room = 0;
  for (const tensor of [...moments, ...masters]) {
    const bytes = tensor.shape.reduce((product, size) => product * size, STORED_BYTES[tensor.dtype]);
    if (parts.length === 0 || bytes > room) {
      parts.push([]);
      room = fileBytes;
    }
    parts.at(-1)?.push(tensor);
    room -= bytes;
  }
  const digits = (number: number) => String(number).padStart(5, '0');
  return parts.map((tensors, i) => ({
    file: `trainer${parts.length > 1 ? `-${digits(i + 1)}-of-${digits(parts.length)}` : ''}.safetensors`,
    tensors,
  }));
}

export function counterFile(version: number): ExtraFile {
  return [COUNTER_FILE, `${JSON.stringify({ version })}\n`];
}

/**
 * Reads a folder that was written with trainer state for these parameters and moments.
 * @returns files of weights (exact copies where there are any) and moments, by the engine's names, and the step counter
 * @throws UserError
 */
export async function readTrainer(
  dir: string,
  parameters: readonly ParameterShape[],
  moments: readonly TensorPlan<StoredDtype>[],
  alias?: Alias,
): Promise<{ readonly files: readonly WeightFile<StoredDtype>[]; readonly version: number }> {
  const counterPath = join(dir, COUNTER_FILE);
  const { version } = checked(z.strictObject({ version: z.int().min(0) }), await readJson(counterPath), counterPath);
  const adapter = await readAdapter(dir);
  const weights = await engineWeights(adapter ? [adapter.weights] : (await openFolder(dir)).weights, alias);
  checkParameters(dir, weights, parameters);
  const names = (await readdir(dir)).filter((name) => STATE_FILES.test(name)).sort();
  if (names.length === 0) throw new UserError(`${dir}: trainer.safetensors: missing, wanted trainer state`, 'ERR_FILE');
  const state = await Promise.all(names.map((name) => readRanges(join(dir, name), STORED_BYTES)));
  const [found, wanted] = [kindOf(state.flatMap(({ tensors }) => tensors)), kindOf(moments)];
  if (found !== wanted)
    throw new UserError(`${dir}: moments: ${found}, wanted ${wanted} as the optimizer's setting moments says`);
  const plan = planTrainer(
    weights.map(({ path, tensors }) => ({ file: path, tensors })),
    moments,
  ).flatMap(({ tensors }) => tensors);
  checkParameters(dir, state, plan);
  const exact = weights.map(({ path, tensors }) => ({ path, tensors: tensors.filter(({ dtype }) => dtype === 'F32') }));
  const parameterOf = new Map(plan.map(({ name, parameter = name }) => [name, parameter]));
  const own = state.map(({ path, tensors }) => ({
    path,
    tensors: tensors.map((tensor) => ({ ...tensor, name: parameterOf.get(tensor.name) as string })),
  }));
  return { files: [...exact, ...own], version };
}

/** The optimizer's setting `moments` with which these were kept. */
function kindOf(moments: readonly { readonly dtype: StoredDtype }[]): 'float32' | '8bit' {
  return moments.some(({ dtype }) => dtype === 'U8') ? '8bit' : 'float32';
}
