// A small whole recipe on the fake learner, for the tests of this folder.
import { join } from 'node:path';
import type { ConfigInput } from '../../src/config/schema.js';
import { writeFakeModel } from '../fakes/host.js';

/** Settings of a run in `root/name`; the base model is written beside it. */
export function smallRecipe(root: string, name: string, change: Partial<ConfigInput> = {}): ConfigInput {
  const model = join(root, 'base');
  writeFakeModel(model, { skill: 0 });
  const optimizer = { lr: 0.06, batchSize: 8, weightDecay: 0 };
  return {
    seed: 3,
    run: { dir: join(root, name), chunk: 8, checkpointEvery: 3 },
    model: { path: model, threads: 1 },
    data: { generate: { count: 160 } },
    splits: { validation: 24, test: 60, labelled: 0.4 },
    sampling: { maxTokens: 400 },
    warmup: { problems: 24, samples: 4, maxPerProblem: 2, optimizer },
    prm: {
      problems: 40,
      samples: 8,
      pairs: 48,
      completions: 4,
      completerEpochs: 0,
      optimizer: { ...optimizer, epochs: 6 },
    },
    evolve: { iterations: 3, interval: 24, n: 6, optimizer },
    explore: { every: 2, temperatures: [0.6, 1, 1.4] },
    dynamics: { samples: 4, temperatures: [1] },
    test: { samples: 4 },
    ...change,
  };
}
