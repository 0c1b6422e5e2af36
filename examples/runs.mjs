// Runs side by side and in the forms of other programs: node examples/runs.mjs [RUN] [RUN], after examples/evolve.mjs and custom.mjs.
import { compareRuns, listRuns, openRun } from 'mstar';

const [first = 'runs/example-evolve', second = 'runs/example-custom'] = process.argv.slice(2);
for (const { name, state, last } of await listRuns('runs')) console.log(name, state, last);
const { settings, test } = await compareRuns([first, second], { html: 'runs/compare.html' });
console.log(`${settings.length} settings differ`, test);

const run = await openRun(first);
console.log(await run.export({ as: 'messages', out: 'runs/messages.jsonl' }));
