// Settings that the examples share: the embedded model, a hundred generated problems, seconds on a laptop.
// Any of them can be left out or changed; `mstar evolve --settings` lists all.
const optimizer = { lr: 5e-5, batchSize: 16 };

export const recipe = {
  seed: 1,
  run: { dir: 'runs/example', chunk: 32 },
  model: { path: 'mstar:tiny' },
  prompt: { system: 'Solve.', givenAnswer: '{question}\nThe answer is {answer}.' },
  data: { generate: { count: 100 } },
  splits: { validation: 10, test: 20, labelled: 0.7 },
  sampling: { maxTokens: 96 },
  warmup: { samples: 2, optimizer },
  prm: { problems: 30, samples: 8, pairs: 24, completions: 4, optimizer },
  evolve: { iterations: 2, interval: 30, n: 4, optimizer },
  explore: { adaptive: false },
  dynamics: { samples: 4, temperatures: [1] },
  test: { samples: 4 },
};
