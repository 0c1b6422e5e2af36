// What the PRM of a run is worth: node examples/prm.mjs [RUN], after examples/evolve.mjs. Writes prm.json, prm.md, prm.html and
// figures into the run.
import { writePrmAnalysis } from 'mstar';

const [run = 'runs/example-evolve'] = process.argv.slice(2);
const { ranking, calibration, selection } = await writePrmAnalysis(run, run);
console.log('pairs ranked rightly:', ranking?.pairAccuracy?.mean);
console.log(
  'squared error on held-out steps:',
  calibration?.mse.mean,
  'mean label alone:',
  calibration?.baselineMse?.mean,
);
for (const { rule, lucky } of selection?.rules ?? []) console.log(rule, lucky?.mean);
