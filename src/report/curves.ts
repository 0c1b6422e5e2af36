// The curves of a run as scalars: training of every phase, accuracies, dynamics, selection and PRM quality by iteration.
// Leaves file formats to tensorboard.ts and live.ts, and reading a run to read.ts.
import type { RunData } from './read.js';

/** One point of one curve. */
export interface Scalar {
  readonly tag: string;
  /** Optimizer step for `train/*`, `warmup/*` and the like, iteration for the others. */
  readonly step: number;
  readonly value: number;
}

/**
 * All points so far, each tag and step once; a run that goes on has the same ones and more. Optimizer steps count over the whole
 * run where the policy learns, and by themselves for warm-up and PRM.
 */
export function curvesOf(run: RunData): Scalar[] {
  const scalars: Scalar[] = [];
  const add = (tag: string, step: number, value: number | null | undefined): void => {
    if (value !== null && value !== undefined && Number.isFinite(value)) scalars.push({ tag, step, value });
  };
  let policySteps = 0;
  for (const [phase, steps] of run.steps) {
    const policy = phase.startsWith('iter-');
    const name = policy ? 'train' : phase;
    steps.forEach((step, i) => {
      const at = (policy ? policySteps : 0) + i + 1;
      add(`${name}/loss`, at, step.loss);
      add(`${name}/learning_rate`, at, step.lr);
      add(`${name}/grad_norm`, at, step.gradNorm);
    });
    if (policy) policySteps += steps.length;
  }
  const base = (at: string): string => (at === 'base' ? 'base_' : '');
  for (const { at, greedy } of run.tests) add(`eval/${base(at)}test_accuracy`, iterationOf(at), greedy.accuracy);
  for (const { at, greedy } of run.away)
    add(`eval/${base(at)}out_of_domain_accuracy`, iterationOf(at), greedy.accuracy);
  for (const { iteration, temperature, choice, training } of run.iterations) {
    add('rollout/temperature', iteration, temperature);
    add('rollout/correct', iteration, choice.correct / Math.max(1, choice.sampled));
    add('rollout/unreadable', iteration, choice.unreadable / Math.max(1, choice.sampled));
    add('rollout/selected', iteration, choice.selected);
    add('rollout/optimizer_steps', iteration, training.steps);
  }
  for (const { phase, questions, voted, right } of run.votes) {
    add('pseudo/voted', iterationOf(phase), voted / Math.max(1, questions));
    add('pseudo/right', iterationOf(phase), voted > 0 ? right / voted : null);
  }
  for (const { iteration, greedy, samples, steps, decision } of run.dynamics) {
    add('dynamics/greedy', iteration, greedy.accuracy);
    for (const { temperature, passAt1, passAtK, gap, rewardPassAt2 } of samples) {
      const at = `dynamics/t${temperature}`;
      add(`${at}/pass_at_1`, iteration, passAt1);
      add(`${at}/pass_at_k`, iteration, passAtK);
      add(`${at}/gap`, iteration, gap);
      add(`${at}/reward_pass_at_2`, iteration, rewardPassAt2);
    }
    add('dynamics/chosen_temperature', iteration, decision?.chosen);
    add('prm/step_auc', iteration, steps?.auc);
    add('prm/step_accuracy', iteration, steps?.accuracy);
  }
  add('prm/held_out_mse', 0, run.prm?.heldOut?.mse);
  return scalars;
}

/** `iter-0003` is 3; what comes before the iterations is 0. */
function iterationOf(name: string): number {
  return Number(/^iter-(\d+)$/.exec(name)?.[1] ?? 0);
}
