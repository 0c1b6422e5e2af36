// Names of checkpoints on the axes of charts; titles of phases are in src/evolve/phases.ts.
import { isIteration, kindOf, titleOf } from '../../evolve/phases.js';

/** `base`, `warm-up`, `1`, `2`... */
export function shortName(checkpoint: string): string {
  if (checkpoint === 'base') return 'base';
  return isIteration(checkpoint) ? String(Number(kindOf(checkpoint)?.about)) : titleOf(checkpoint);
}

/** Places of dynamics on an axis: the start is what the first iteration begins with. */
export function startOrNumber(iteration: number): string {
  return iteration === 0 ? 'start' : String(iteration);
}
