// The evidence on the embedded task, in the order of docs/experiments/plan.md: the task's own figures, the PRM and its gate, then every row
// for every seed. `npm run bench -- experiments [--seeds 1,2,3] [--minutes 60] [--names "table1 table2"] [--out runs/evidence]
// [--threads 2]`: stops after
// so many minutes, or when it is told to, and the same line goes on from there.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './lib/results.mjs';

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const out = path.resolve(option('out', path.join(root, 'runs/evidence')));
const ends = performance.now() + Number(option('minutes', '1e9')) * 60_000;
const prm = path.join(out, 'prm');
const threads = option('threads', '0');
const cli = path.join(root, 'dist/cli.js');

/** Ends with the status of the program; one that runs out of time is told to stop, which keeps what it has done. */
async function run(program, ...args) {
  const child = spawn(process.execPath, [program, ...args], { stdio: 'inherit' });
  const timer = setTimeout(() => child.kill('SIGTERM'), Math.min(2 ** 31 - 1, Math.max(0, ends - performance.now())));
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  const status = await new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  clearTimeout(timer);
  if (status !== 0) process.exit(status);
}

const passed = (file) => existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).ranking?.isGood === true;
if (!passed(path.join(prm, 'prm.json'))) {
  await run(path.join(root, 'benchmarks/task.mjs'), '--threads', threads);
  await run(cli, 'evolve', '--preset', 'prm', '--set', `run.dir=${prm}`, '--set', `model.threads=${threads}`);
  await run(cli, 'prm', prm);
  if (!passed(path.join(prm, 'prm.json')))
    throw new Error('the PRM did not pass its gate: experiments that select by it would decide nothing');
}
const names = option('names', 'table1 table2 table3 dynamics').split(' ');
const shared = ['--set', `prm.path=${path.join(prm, 'checkpoints/prm')}`, '--set', `model.threads=${threads}`];
await run(
  cli,
  'experiment',
  ...names,
  '--scale',
  'tiny',
  '--seeds',
  option('seeds', '1,2,3,4,5,6,7,8,9,10'),
  '--out',
  out,
  ...shared,
);
