// Trainer state beside the weights of a checkpoint: AdamW moments, exact copies of rounded weights, the step counter.
// trainer.safetensors holds exp_avg.<p>, exp_avg_sq.<p> and, where the weights on disk are not F32, master.<p>.
import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from '../core/json.js';
import { checked } from '../core/schema.js';
import { readAdapter } from './adapter.js';
import { openFolder } from './folder.js';
import { type Alias, checkParameters, engineWeights, type ParameterShape } from './parameters.js';
import { readSafetensors, type TensorPlan, type WeightFile } from './safetensors.js';
import type { ExtraFile, WeightPlan } from './save.js';

const STATE_FILE = 'trainer.safetensors';
const COUNTER_FILE = 'trainer.json';

/** The state file for these weights; `trained` are the parameters that the optimizer moves. */
export function planTrainer(weights: readonly WeightPlan[], trained: readonly ParameterShape[]): WeightPlan {
  const moments = trained.flatMap(({ name, shape }) =>
    ['exp_avg.', 'exp_avg_sq.'].map((prefix): TensorPlan => ({ name: prefix + name, dtype: 'F32', shape })),
  );
  const rounded = weights.flatMap(({ tensors }) => tensors.filter(({ dtype }) => dtype !== 'F32'));
  // A weight may be in the files under two names.
  const shapes = new Map(rounded.map(({ name, parameter = name, shape }) => [parameter, shape]));
  const masters = [...shapes].map(
    ([parameter, shape]): TensorPlan => ({ name: `master.${parameter}`, dtype: 'F32', shape, parameter }),
  );
  return { file: STATE_FILE, tensors: [...moments, ...masters] };
}

export function counterFile(version: number): ExtraFile {
  return [COUNTER_FILE, `${JSON.stringify({ version })}\n`];
}

/**
 * Reads a folder that was written with trainer state for these parameters.
 * @returns files of weights (exact copies where there are any) and moments, by the engine's names, and the step counter
 * @throws UserError
 */
export async function readTrainer(
  dir: string,
  parameters: readonly ParameterShape[],
  trained: readonly ParameterShape[],
  alias?: Alias,
): Promise<{ readonly files: readonly WeightFile[]; readonly version: number }> {
  const counterPath = join(dir, COUNTER_FILE);
  const { version } = checked(z.strictObject({ version: z.int().min(0) }), await readJson(counterPath), counterPath);
  const adapter = await readAdapter(dir);
  const weights = await engineWeights(adapter ? [adapter.weights] : (await openFolder(dir)).weights, alias);
  checkParameters(dir, weights, parameters);
  const state = await readSafetensors(join(dir, STATE_FILE));
  const plan = planTrainer(
    weights.map(({ path, tensors }) => ({ file: path, tensors })),
    trained,
  );
  checkParameters(dir, [state], plan.tensors);
  const exact = weights.map(({ path, tensors }) => ({ path, tensors: tensors.filter(({ dtype }) => dtype === 'F32') }));
  const names = new Map(plan.tensors.map(({ name, parameter = name }) => [name, parameter]));
  const tensors = state.tensors.map((tensor) => ({ ...tensor, name: names.get(tensor.name) as string }));
  return { files: [...exact, { path: state.path, tensors }], version };
}
