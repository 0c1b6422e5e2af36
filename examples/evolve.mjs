// The whole recipe from a program: node examples/evolve.mjs, a minute or two on two cores. Run again, it finds everything done.
import { evolve, openDisplay } from 'mstar';
import { recipe } from './recipe.mjs';

const optimizer = { lr: 2e-4, batchSize: 32, epochs: 2 };
const summary = await evolve(
  {
    ...recipe,
    run: { dir: 'runs/example-evolve', chunk: 128 },
    data: { generate: { count: 2400, range: 9 } },
    splits: { test: 400, validation: 40, labelled: 1 },
    sampling: { maxTokens: 64 },
    warmup: { problems: 400, samples: 4, maxPerProblem: 1, optimizer: { lr: 3e-5, batchSize: 32 } },
    prm: { problems: 300, samples: 8, pairs: 400, completions: 4, optimizer: { lr: 5e-4, batchSize: 32, epochs: 2 } },
    evolve: { iterations: 4, interval: 900, n: 8, optimizer },
    dynamics: { problems: 20, samples: 4, temperatures: [1], every: 100 },
    test: { every: 100, problems: 50, samples: 4 },
  },
  { display: openDisplay(process.stderr) },
);
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const tested = Object.entries(summary.test);
for (const [checkpoint, { accuracy, low, high }] of tested)
  console.log(`${checkpoint.padEnd(10)} ${percent(accuracy)} (${percent(low)} to ${percent(high)})`);
const [before, after] = [summary.test.warmup, tested.at(-1)[1]];
console.log(`self-evolving gained ${(100 * (after.accuracy - before.accuracy)).toFixed(1)} points over the warm-up`);
