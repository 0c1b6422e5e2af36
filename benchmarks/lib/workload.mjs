// The load that the CPU benchmarks share: the embedded model with generated problems. Results are in results.mjs.
import path from 'node:path';
import { loadModel } from '../../dist/index.js';
import { loadProblems, writeProblems } from '../../dist/library/data.js';
import { root } from './results.mjs';

export * from './results.mjs';

export const model = path.join(root, 'assets/tiny-internvl2');

/** The embedded policy and `count` generated problems. */
export async function workload(count, threads) {
  const { file, imageRoot } = await writeProblems(path.join(root, 'runs/bench-problems'), { count, seed: 5 });
  const problems = await loadProblems(file, { imageRoot });
  return { policy: await loadModel(model, { threads, prompt: { system: 'Solve.' } }), problems };
}

/** Training examples from the problems' own right reasoning. */
export function examplesOf(policy, problems) {
  return problems.map((problem) => ({
    problem,
    variant: 'solve',
    response: policy.encodeResponse(problem.truth.steps.join('\n')),
  }));
}

export const optimizer = {
  lr: 1e-5,
  warmupSteps: 0,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0,
  clip: 1,
  freeze: [],
};
