// Other names under which checkpoints hold a parameter, and files seen by the engine's names.
import { open } from 'node:fs/promises';
import { UserError } from '../core/errors.js';
import { shown } from '../core/printable.js';
import type { TensorRange, WeightFile } from './safetensors.js';

/** Name in a file -> the engine's name. */
export type Aliases = Readonly<Record<string, string>>;

/** Scalar heads as other trainers call them. */
const rewardHeads: Aliases = Object.fromEntries(
  ['score_head', 'reward_head', 'value_head', 'v_head', 'v_head.summary', 'score'].flatMap((name) => [
    [`${name}.weight`, 'reward_head.weight'],
    [`${name}.bias`, 'reward_head.bias'],
  ]),
);

/** The engine's name of a tensor. */
export function nameIn(aliases: Aliases): (name: string) => string {
  const all = new Map(Object.entries({ ...rewardHeads, ...aliases }));
  return (name) => all.get(name) ?? name;
}

const PIECE = 8 * 2 ** 20;

interface Place {
  readonly path: string;
  readonly tensor: TensorRange;
}

/** The files by the engine's names; of a tensor that is held twice under two names one is left. Throws UserError where they differ. */
export async function engineWeights(weights: readonly WeightFile[], aliases: Aliases): Promise<WeightFile[]> {
  const nameOf = nameIn(aliases);
  const seen = new Map<string, Place>();
  const files: WeightFile[] = [];
  for (const { path, tensors } of weights) {
    const kept: TensorRange[] = [];
    for (const tensor of tensors) {
      const name = nameOf(tensor.name);
      const other = seen.get(name);
      // The same name twice is for parameters.ts to refuse.
      if (other && other.tensor.name !== tensor.name) await checkEqual(other, { path, tensor });
      else kept.push({ ...tensor, name });
      if (!other) seen.set(name, { path, tensor });
    }
    files.push({ path, tensors: kept });
  }
  return files;
}

async function checkEqual(a: Place, b: Place): Promise<void> {
  const differs = (): never => {
    throw new UserError(
      `${b.path}: ${shown(b.tensor.name)}: differs from ${shown(a.tensor.name)}, wanted the same tensor`,
    );
  };
  const size = a.tensor.end - a.tensor.begin;
  if (a.tensor.dtype !== b.tensor.dtype || a.tensor.shape.join() !== b.tensor.shape.join()) differs();
  await using first = await open(a.path);
  await using second = await open(b.path);
  for (let at = 0; at < size; at += PIECE) {
    const length = Math.min(PIECE, size - at);
    const [left, right] = await Promise.all([
      first.read(Buffer.alloc(length), 0, length, a.tensor.begin + at),
      second.read(Buffer.alloc(length), 0, length, b.tensor.begin + at),
    ]);
    if (!left.buffer.equals(right.buffer)) differs();
  }
}
