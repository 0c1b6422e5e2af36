// The demonstration with several seeds: test accuracy of the warm-up checkpoint and after, the gain, wall time.
// `npm run bench -- demo [--seeds 1,2,3] [--save]`. Runs stay in runs/bench-demo-SEED.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { root, save } from './lib/workload.mjs';

const at = process.argv.indexOf('--seeds');
const seeds = (at === -1 ? '1,2,3' : process.argv[at + 1]).split(',').map(Number);
const rows = [];
for (const seed of seeds) {
  const dir = path.join(root, `runs/bench-demo-${seed}`);
  rmSync(dir, { recursive: true, force: true });
  const began = performance.now();
  const args = [
    path.join(root, 'dist/cli.js'),
    'evolve',
    '--preset',
    'demo',
    '--set',
    `seed=${seed}`,
    '--set',
    `run.dir=${dir}`,
  ];
  const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`seed ${seed} ended with status ${status}`);
  const minutes = (performance.now() - began) / 60000;
  const { test } = JSON.parse(readFileSync(path.join(dir, 'summary.json'), 'utf8'));
  const percent = Object.fromEntries(
    Object.entries(test).map(([name, { accuracy }]) => [name, Number((accuracy * 100).toFixed(1))]),
  );
  const final = Object.values(percent).at(-1);
  rows.push({
    seed,
    minutes: Number(minutes.toFixed(1)),
    ...percent,
    gain: Number((final - percent.warmup).toFixed(1)),
  });
  console.table(rows);
}
save('demo', { question: 'greedy accuracy on 400 held-out problems, percent', rows });
