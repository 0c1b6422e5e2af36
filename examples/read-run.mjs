// What a run holds: node examples/read-run.mjs [RUN], after examples/evolve.mjs. Works while the run goes on as well.
import { openRun } from 'mstar';

const [dir = 'runs/example-evolve'] = process.argv.slice(2);
const run = await openRun(dir);
const { test, iterations } = await run.summary();
console.log(`${run.name} is ${run.state}; ${iterations.length} iterations`);
for (const [checkpoint, { accuracy }] of Object.entries(test)) console.log(checkpoint, accuracy);

for await (const { question, text, verdict, reward } of run.rollouts('iter-0001')) {
  console.log(`\n${question}\n${text}\n${verdict}, reward ${reward}`);
  break;
}

const { rows } = await run.query('select phase, avg(lucky::int) as lucky from rollouts group by phase order by phase');
console.log(rows);

// Also written into the run: prm.json, prm.md, prm.html and figures.
const { ranking, calibration } = await run.prm({ out: dir });
console.log('pairs ranked rightly:', ranking?.pairAccuracy?.mean);
console.log('squared error on held-out steps:', calibration?.mse.mean, 'mean label:', calibration?.baselineMse?.mean);
console.log(await run.report());
