// How far a run has come and when it is over (P4): by optimizer steps, the same number for every method, or by iterations.
// Pure functions of settings and counts. Leaves the work to the loop.
import type { Config } from '../config/schema.js';

/** Sums over the iterations so far. */
export interface Reached {
  readonly iterations: number;
  /** Optimizer steps of the policy. */
  readonly steps: number;
  /** Iterations that took questions without answers. */
  readonly mixed: number;
}

export const START: Reached = { iterations: 0, steps: 0, mixed: 0 };

type Limits = Pick<Config['evolve'], 'method' | 'steps' | 'iterations'>;
type Shared = Limits & Pick<Config['evolve'], 'evenly'>;

/** What an iteration adds. */
export function reach(
  before: Reached,
  { training, unlabelled }: { readonly training: { readonly steps: number }; readonly unlabelled: number },
): Reached {
  return {
    iterations: before.iterations + 1,
    steps: before.steps + training.steps,
    mixed: before.mixed + (unlabelled > 0 ? 1 : 0),
  };
}

/** Whether no iteration is to follow. */
export function isOver({ method, steps, iterations }: Limits, reached: Reached): boolean {
  if (method === 'sft') return reached.iterations >= 1;
  return (steps > 0 && reached.steps >= steps) || (iterations > 0 && reached.iterations >= iterations);
}

/** Share of the training that is done, 0..1: of whichever limit is nearer. */
export function shareDone({ steps, iterations }: Limits, reached: Reached): number {
  const bySteps = steps > 0 ? reached.steps / steps : 0;
  const byIterations = iterations > 0 ? reached.iterations / iterations : 0;
  return Math.min(1, Math.max(bySteps, byIterations));
}

/** Most optimizer steps of the iteration after those of `reached`; 0 where there is no limit on them. */
export function stepsOfNext({ steps, iterations, evenly }: Shared, reached: Reached): number {
  if (steps === 0) return 0;
  const left = Math.max(1, steps - reached.steps);
  return evenly ? Math.ceil(left / Math.max(1, iterations - reached.iterations)) : left;
}

/** Whether an iteration goes over its examples until its steps are used up. */
export function isFilled({ method, evenly }: Pick<Shared, 'method' | 'evenly'>): boolean {
  return evenly || method === 'sft';
}
