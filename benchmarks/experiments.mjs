// The evidence on the embedded task, in the order of docs/experiments/plan.md: the task's own figures, the PRM and its gate, then every row
// for every seed. `npm run bench -- experiments [--seeds 1,2,3] [--minutes 60] [--names "table1 table2"] [--out runs/evidence]
// [--threads 2]`: stops after so many minutes, or when it is told to, and the same line goes on from there. What is done is kept in
// benchmarks/results/experiments, of each run its settings and its summary, and the PRM in assets/tiny-prm; it is not made again: seeds may be
// run on several machines. With `--finished` nothing is run: the tables and findings of what is kept are written beside it.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { root } from './lib/results.mjs';

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const out = path.resolve(option('out', path.join(root, 'runs/evidence')));
const kept = path.join(root, 'benchmarks/results/experiments');
const ends = performance.now() + Number(option('minutes', '1e9')) * 60_000;
const threads = option('threads', '0');
const seeds = option('seeds', '1,2,3,4,5,6,7,8,9,10').split(',');
const cli = path.join(root, 'dist/cli.js');
const at = (...names) => path.join(out, ...names);
// In the same words on every machine, as runs keep them.
const prm = 'mstar:assets/tiny-prm';

/** Status of a program; one that runs out of time is told to stop, which keeps what it has done. */
async function run(program, ...args) {
  const child = spawn(process.execPath, [program, ...args], { stdio: 'inherit' });
  const stop = (signal) => child.kill(signal);
  const timer = setTimeout(() => stop('SIGTERM'), Math.min(2 ** 31 - 1, Math.max(0, ends - performance.now())));
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop);
  const status = await new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, stop);
  clearTimeout(timer);
  return status;
}

async function must(program, ...args) {
  const status = await run(program, ...args);
  if (status !== 0) process.exit(status);
}

const evolve = (preset, dir, ...set) =>
  must(
    cli,
    'evolve',
    ...['--preset', preset, '--set', `run.dir=${at(dir)}`, '--set', `model.threads=${threads}`],
    ...set.flatMap((one) => ['--set', one]),
  );

/** One PRM for all seeds and rows: that of a policy which has evolved for longer, on problems of its own. */
async function makePrm() {
  await must(path.join(root, 'benchmarks/task.mjs'), '--threads', threads);
  await evolve('prm-policy', 'prm-policy');
  const policy = readdirSync(at('prm-policy/checkpoints'))
    .filter((name) => name.startsWith('iter-'))
    .at(-1);
  await evolve('prm', 'prm', `model.path=${at('prm-policy/checkpoints', policy)}`);
  // What it is worth to the policy that is to be trained: on samples of a warm-up of the embedded model.
  await evolve('tiny-top-1', 'gate', ...GATE, `prm.path=${at('prm/checkpoints/prm')}`);
  await must(cli, 'prm', at('gate'));
  const { ranking } = JSON.parse(readFileSync(at('gate/prm.json'), 'utf8'));
  if (!ranking.isGood)
    throw new Error('the PRM did not pass its gate: experiments that select by it would decide nothing');
  cpSync(at('prm/checkpoints/prm'), path.join(root, 'assets/tiny-prm'), { recursive: true });
  cpSync(at('gate/prm.json'), path.join(kept, 'prm.json'));
}

/** Problems of a seed that no experiment has, and as little of the rest as there can be. */
const GATE = [
  'seed=2000',
  'evolve.steps=1',
  'evolve.iterations=1',
  'test={problems: 20, samples: 2}',
  'data.outOfDomain=null',
];

const fileOf = (seed) => path.join(kept, `seed-${seed.padStart(2, '0')}.json`);
const rowsOf = (seed) => (existsSync(fileOf(seed)) ? JSON.parse(readFileSync(fileOf(seed), 'utf8')) : {});
const folderOf = (seed, ...names) => at('tiny', `seed-${seed}`, ...names);

/** Puts runs that are kept where the experiment looks for them. */
function unpack(seed) {
  for (const [row, { config, summary }] of Object.entries(rowsOf(seed))) {
    const dir = folderOf(seed, row);
    if (existsSync(path.join(dir, 'config.yaml'))) continue;
    mkdirSync(dir, { recursive: true });
    writeFileSync(path.join(dir, 'config.yaml'), stringify(config));
    writeFileSync(path.join(dir, 'summary.json'), JSON.stringify(summary));
  }
}

/** Keeps the runs of a seed that are finished, a line for each. They are of the settings of today: others are refused before. */
function pack(seed) {
  if (!existsSync(folderOf(seed))) return;
  const rows = rowsOf(seed);
  for (const row of readdirSync(folderOf(seed))) {
    const [config, summary] = ['config.yaml', 'summary.json'].map((name) => folderOf(seed, row, name));
    if (!existsSync(config) || !existsSync(summary)) continue;
    const found = { config: parse(readFileSync(config, 'utf8')), summary: JSON.parse(readFileSync(summary, 'utf8')) };
    if (found.summary.final) rows[row] = found;
  }
  const lines = Object.entries(rows).map(([row, found]) => `${JSON.stringify(row)}: ${JSON.stringify(found)}`);
  if (lines.length > 0) writeFileSync(fileOf(seed), `{\n${lines.join(',\n')}\n}\n`);
}

/** Runs plans for all seeds, and keeps what is finished whatever becomes of the rest. */
async function experiment(plans, ...more) {
  for (const seed of seeds) unpack(seed);
  const status = await run(
    cli,
    'experiment',
    ...plans,
    ...['--scale', 'tiny', '--seeds', seeds.join(','), '--out', out],
    ...['--set', `prm.path=${prm}`, '--set', `model.threads=${threads}`],
    ...more,
  );
  for (const seed of seeds) pack(seed);
  if (status !== 0) process.exit(status);
}

mkdirSync(kept, { recursive: true });
// Of these no row asks a PRM.
const unscored = ['table1', 'grpo'];
const names = option('names', 'table1 grpo table2 table3 dynamics').split(' ');
if (process.argv.includes('--finished')) {
  await experiment(names, '--finished');
  for (const file of readdirSync(at('tiny')))
    if (/\.(md|svg)$/.test(file)) cpSync(at('tiny', file), path.join(kept, 'tables', file));
  process.exit();
}
const [first, rest] = [true, false].map((is) => names.filter((name) => unscored.includes(name) === is));
if (first.length > 0) await experiment(first);
if (rest.length > 0) {
  if (!existsSync(path.join(kept, 'prm.json'))) await makePrm();
  await experiment(names);
}
