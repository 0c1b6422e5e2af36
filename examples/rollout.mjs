// Sampled responses to a data set: node examples/rollout.mjs makes problems and writes runs/example-rollout/rollouts.jsonl.
import { rollout } from 'mstar';
import { writeProblems } from 'mstar/data';

const { file, imageRoot } = await writeProblems('runs/example-problems', { count: 20, seed: 1 });
const model = 'mstar:tiny';
const settings = {
  model,
  system: 'Solve.',
  data: file,
  imageRoot,
  out: 'runs/example-rollout',
  n: 4,
  temperature: 0.8,
  maxTokens: 96,
};
console.log(await rollout(settings));
