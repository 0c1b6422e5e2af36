// The recipe up to a stage: node examples/until.mjs makes the warm-up and, of its responses, runs/example/labels.jsonl.
// Other stages are `warmup`, `train-prm` and `evolve`; the same call with a later one goes on from there.
import { evolve, openRun } from 'mstar';
import { recipe } from './recipe.mjs';

const { warmup, labels } = await evolve(recipe, { until: 'label' });
console.log(warmup.choice, labels);
const run = await openRun(recipe.run.dir);
console.log((await run.query('select step, avg(label) as mean from labels group by step order by step')).rows);
