// Trainer state beside the weights of a checkpoint: AdamW moments, exact copies of rounded weights, the step counter.
// trainer.safetensors holds exp_avg.<p>, exp_avg_sq.<p> and, where the weights on disk are not F32, master.<p>.
import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from '../core/json.js';
import { checked } from '../core/schema.js';
import { type Aliases, engineWeights } from './aliases.js';
import { openFolder } from './folder.js';
import { checkParameters, type ParameterShape } from './parameters.js';
import { readSafetensors, type TensorPlan, type WeightFile } from './safetensors.js';
import type { ExtraFile, WeightPlan } from './save.js';

const STATE_FILE = 'trainer.safetensors';
const COUNTER_FILE = 'trainer.json';
const MASTER = 'master.';
const MOMENTS = ['exp_avg.', 'exp_avg_sq.'];

const counterSchema = z.strictObject({ version: z.number().int().min(0) });

/**
 * The state file for these weights; `trained` are the parameters that the optimizer moves.
 * @param nativeName the engine's name of a weight
 */
export function planTrainer(
  weights: readonly WeightPlan[],
  trained: readonly ParameterShape[],
  nativeName: (name: string) => string = (name) => name,
): WeightPlan {
  const moments = trained.flatMap(({ name, shape }) =>
    MOMENTS.map((prefix): TensorPlan => ({ name: prefix + name, dtype: 'F32', shape })),
  );
  const rounded = weights.flatMap(({ tensors }) => tensors.filter(({ dtype }) => dtype !== 'F32'));
  // A weight may be in the files under two names.
  const shapes = new Map(rounded.map(({ name, shape }) => [nativeName(name), shape]));
  const masters = [...shapes].map(([name, shape]): TensorPlan => ({ name: MASTER + name, dtype: 'F32', shape }));
  return { file: STATE_FILE, tensors: [...moments, ...masters] };
}

/** The engine's name of a tensor of the state file. */
export function engineName(name: string): string {
  return name.startsWith(MASTER) ? name.slice(MASTER.length) : name;
}

export function counterFile(version: number): ExtraFile {
  return [COUNTER_FILE, `${JSON.stringify({ version })}\n`];
}

export interface TrainerState {
  /** Weights (exact copies where there are any) and moments, by the engine's names. */
  readonly files: readonly WeightFile[];
  readonly version: number;
}

/** Reads a folder that was written with trainer state for these parameters. Throws UserError. */
export async function readTrainer(
  dir: string,
  parameters: readonly ParameterShape[],
  trained: readonly ParameterShape[],
  aliases: Aliases = {},
): Promise<TrainerState> {
  const counterPath = join(dir, COUNTER_FILE);
  const { version } = checked(counterSchema, await readJson(counterPath), counterPath);
  const folder = await openFolder(dir);
  const weights = await engineWeights(folder.weights, aliases);
  checkParameters(dir, weights, parameters);
  const state = await readSafetensors(join(dir, STATE_FILE));
  const plans = weights.map(({ path, tensors }) => ({ file: path, tensors }));
  checkParameters(dir, [state], planTrainer(plans, trained).tensors);
  const exact = weights.map(({ path, tensors }) => ({ path, tensors: tensors.filter(({ dtype }) => dtype === 'F32') }));
  const renamed = {
    path: state.path,
    tensors: state.tensors.map((tensor) => ({ ...tensor, name: engineName(tensor.name) })),
  };
  return { files: [...exact, renamed], version };
}
