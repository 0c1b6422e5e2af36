// Compares the tensors of a folder with what a backbone wants: same names, same shapes, each once. Their numbers are
// looked at when the engine maps them.
import { UserError } from '../core/errors.js';
import { shown } from '../core/printable.js';
import type { WeightFile } from './safetensors.js';

export interface ParameterShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The scalar head of a process reward model, as its checkpoints hold it. `width`: hidden size of the language model. */
export function rewardHeadShapes(width: number): ParameterShape[] {
  return [
    { name: 'reward_head.weight', shape: [1, width] },
    { name: 'reward_head.bias', shape: [1] },
  ];
}

/** Throws UserError on the first tensor that is surplus, twice, misshaped or missing. `dir` is for messages. */
export function checkParameters(dir: string, weights: readonly WeightFile[], wanted: readonly ParameterShape[]): void {
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
