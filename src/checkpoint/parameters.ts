// The tensors of a folder against the parameters that a backbone wants: under whatever names the files hold them, with the
// same shapes, each once. Their numbers are looked at when the engine maps them.
import { open } from 'node:fs/promises';
import { UserError } from '../core/errors.js';
import { shown } from '../core/printable.js';
import type { TensorRange, WeightFile } from './safetensors.js';

export interface ParameterShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The engine's name of what files call so; undefined where they call it by that name. */
export type Alias = (name: string) => string | undefined;

/** The engine's name of a tensor. Scalar heads have other names in the checkpoints of other trainers. */
export function nameIn(alias: Alias = () => undefined): (name: string) => string {
  const head = /^(?:score_head|reward_head|value_head|v_head|v_head\.summary|score)\.(weight|bias)$/;
  return (name) => alias(name) ?? name.replace(head, 'reward_head.$1');
}

/** The scalar head of a process reward model, as its checkpoints hold it. `width`: hidden size of the language model. */
export function rewardHeadShapes(width: number): ParameterShape[] {
  return [
    { name: 'reward_head.weight', shape: [1, width] },
    { name: 'reward_head.bias', shape: [1] },
  ];
}

/** The files by the engine's names; of a tensor that is held twice under two names one is left. Throws UserError where they differ. */
export async function engineWeights(weights: readonly WeightFile[], alias?: Alias): Promise<WeightFile[]> {
  const nameOf = nameIn(alias);
  const seen = new Map<string, { readonly path: string; readonly tensor: TensorRange }>();
  const files: WeightFile[] = [];
  for (const { path, tensors } of weights) {
    const kept: TensorRange[] = [];
    for (const tensor of tensors) {
      const name = nameOf(tensor.name);
      const other = seen.get(name);
      if (!other) seen.set(name, { path, tensor });
      // The same name twice is for `checkParameters` to refuse.
      if (!other || other.tensor.name === tensor.name) kept.push({ ...tensor, name });
      else if (!(await areEqual(other.path, other.tensor, path, tensor))) {
        const wanted = `differs from ${shown(other.tensor.name)}, wanted the same tensor`;
        throw new UserError(`${path}: ${shown(tensor.name)}: ${wanted}`);
      }
    }
    files.push({ path, tensors: kept });
  }
  return files;
}

async function areEqual(path: string, a: TensorRange, otherPath: string, b: TensorRange): Promise<boolean> {
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return false;
  const piece = 8 * 2 ** 20;
  const size = a.end - a.begin;
  await using first = await open(path);
  await using second = await open(otherPath);
  for (let at = 0; at < size; at += piece) {
    const length = Math.min(piece, size - at);
    const [left, right] = await Promise.all([
      first.read(Buffer.alloc(length), 0, length, a.begin + at),
      second.read(Buffer.alloc(length), 0, length, b.begin + at),
    ]);
    if (!left.buffer.equals(right.buffer)) return false;
  }
  return true;
}

/** Throws UserError on the first tensor that is surplus, twice, misshaped or missing. `dir` is for messages. */
export function checkParameters(
  dir: string,
  weights: readonly WeightFile<string>[],
  wanted: readonly ParameterShape[],
): void {
  const shapes = new Map(wanted.map(({ name, shape }) => [name, shape]));
  const found = new Map<string, string>();
  for (const { path, tensors } of weights) {
    for (const { name, shape } of tensors) {
      const expected = shapes.get(name);
      if (!expected) throw new UserError(`${path}: ${shown(name)}: surplus, wanted no such tensor`);
      const other = found.get(name);
      if (other) throw new UserError(`${path}: ${shown(name)}: found again, it is in ${other} already`);
      if (shape.join() !== expected.join())
        throw new UserError(`${path}: ${shown(name)}: shape [${shape}], wanted [${expected}]`);
      found.set(name, path);
    }
  }
  for (const { name, shape } of wanted) {
    if (!found.has(name)) throw new UserError(`${dir}: ${shown(name)}: missing, wanted a tensor of shape [${shape}]`);
  }
}
