// The curves of a run as scalars: training of every phase, accuracies, dynamics and temperatures by iteration.
// Leaves file formats to tensorboard.ts and reading a run to read.ts.
import type { RunData } from './read.js';
import type { Scalar } from './tensorboard.js';

/** Optimizer steps count over the whole run where the policy learns, and by themselves for warm-up and PRM. */
export function curvesOf(run: RunData): Scalar[] {
  const scalars: Scalar[] = [];
  let policySteps = 0;
  for (const [phase, steps] of run.steps) {
    const policy = phase.startsWith('iter-');
    const name = policy ? 'train' : phase;
    steps.forEach((step, i) => {
      const at = (policy ? policySteps : 0) + i + 1;
      for (const [tag, value] of [
        ['loss', step.loss],
        ['learning_rate', step.lr],
        ['grad_norm', step.gradNorm],
      ] as const)
        if (value !== null) scalars.push({ tag: `${name}/${tag}`, step: at, value });
    });
    if (policy) policySteps += steps.length;
  }
  for (const [i, { greedy }] of run.tests.entries())
    scalars.push({ tag: 'eval/test_accuracy', step: i, value: greedy.accuracy });
  for (const { iteration, temperature, choice } of run.iterations) {
    scalars.push({ tag: 'rollout/temperature', step: iteration, value: temperature });
    scalars.push({ tag: 'rollout/correct', step: iteration, value: choice.correct / Math.max(1, choice.sampled) });
    scalars.push({ tag: 'rollout/selected', step: iteration, value: choice.selected });
  }
  return scalars;
}
