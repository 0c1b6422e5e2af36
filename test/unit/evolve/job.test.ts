import { beforeEach, describe, expect, test } from 'vitest';
import type { ModelHost, OptimizerSettings, Policy, Scorer } from '../../../src/core/ports.js';
import { Models } from '../../../src/evolve/job.js';

let calls: string[];
let models: Models;

beforeEach(() => {
  calls = [];
  const note =
    (name: string) =>
    async (...args: unknown[]) => {
      calls.push([name, ...args.filter((arg) => typeof arg === 'string')].join(' '));
    };
  const model = (dir: string) => ({
    resetOptimizer: note(`reset ${dir}`),
    restore: note(`restore`),
    dispose: note(`dispose ${dir}`),
  });
  const host: ModelHost = {
    async openPolicy(dir) {
      await note('policy')(dir);
      return model(dir) as unknown as Policy;
    },
    async openScorer(dir, head) {
      await note('scorer')(dir, head);
      return model(dir) as unknown as Scorer;
    },
  };
  models = new Models(host, { policy: (at) => at, prm: () => ['prm', 'load'] });
  models.learnWith({} as OptimizerSettings);
});

describe('the models of a job', () => {
  test('are opened once, and the policy is replaced when other weights are asked for', async () => {
    await models.policy('base');
    await models.policy('base');
    await models.policy('warmup');
    expect(calls).toEqual(['policy base', 'dispose base', 'policy warmup']);
  });

  test('a policy that learned goes on from memory, or with its trainer state from its folder', async () => {
    await models.learner('warmup');
    models.advance('iter-0001');
    await models.learner('iter-0001');
    expect(calls).toEqual(['policy warmup', 'reset warmup']);
    await models.forgetPolicy();
    calls.length = 0;
    await models.learner('iter-0001');
    expect(calls).toEqual(['policy iter-0001', 'reset iter-0001', 'restore iter-0001']);
  });

  test('sampling at the warm-up weights needs no optimizer', async () => {
    await models.policy('warmup');
    expect(calls).toEqual(['policy warmup']);
  });

  test('a new PRM starts from the warm-up weights, alone in memory; the trained one has its head', async () => {
    await models.policy('warmup');
    await models.newScorer('warmup');
    await models.scorer();
    await models.scorer();
    await models.dispose();
    expect(calls).toEqual([
      'policy warmup',
      'dispose warmup',
      'scorer warmup mean',
      'dispose warmup',
      'scorer prm load',
      'dispose prm',
    ]);
  });
});
