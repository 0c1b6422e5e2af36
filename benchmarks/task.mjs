// Whether experiments on the embedded task can tell selection rules apart: in how many ways the warmed-up model is right, how many of its
// right responses are right by luck, and how much of that luck a perfect judge would keep out of two responses a problem.
// `npm run bench -- task [--seed 1] [--problems 1000] [--threads 2] [--save]`. The run stays in runs/bench-task-SEED.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { openDatabase, tableOf } from '../dist/core/duckdb.js';
import { rollout } from '../dist/index.js';
import { writeProblems } from '../dist/library/data.js';
import { root, save } from './lib/results.mjs';

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const seed = option('seed', 1);
const count = option('problems', 1000);
const threads = option('threads', 0);
const dir = path.join(root, `runs/bench-task-${seed}`);
const checkpoint = path.join(dir, 'checkpoints/warmup');
if (!existsSync(checkpoint)) {
  const args = [
    'warmup',
    '--preset',
    'tiny-top-2',
    '--set',
    `seed=${seed}`,
    '--set',
    `run.dir=${dir}`,
    '--set',
    `model.threads=${threads}`,
  ];
  const { status } = spawnSync(process.execPath, [path.join(root, 'dist/cli.js'), ...args], { stdio: 'inherit' });
  if (status !== 0) throw new Error(`the warm-up ended with status ${status}`);
}
const families = ['bars', 'dots', 'shapes'];
// Problems of another seed than those of the run, as many of each family.
const data = await writeProblems(path.join(dir, 'task-problems'), { count, seed: seed + 1_000_000, families });
const out = path.join(dir, 'task-rollouts');
rmSync(out, { recursive: true, force: true });
const sampling = { n: 8, temperature: 1, maxTokens: 64, seed, threads };
await rollout({ model: checkpoint, system: 'Solve.', data: data.file, imageRoot: data.imageRoot, out, ...sampling });

const database = await openDatabase({ threads: '1' });
const reader = await database.connection.runAndReadAll(`
  with texts as (
    select problem, text, bool_or(lucky) as lucky, count(*) as samples from ${tableOf('read_parquet', path.join(out, 'rollouts.parquet'))}
    where verdict = 'correct' and finish = 'stop' group by problem, text
  ), problems as (
    select sum(samples) as samples, count(*) as texts, sum(samples * lucky::int) as lucky_samples, sum(lucky::int) as lucky
    from texts group by problem
  )
  select sum(samples) / ${8 * count} as right, sum(texts) / ${count} as texts, sum(lucky_samples) / sum(samples) as lucky,
    sum(least(texts, 2) * lucky / texts) / sum(least(texts, 2)) as random,
    sum(greatest(0, least(texts, 2) - (texts - lucky))) / sum(least(texts, 2)) as perfect
  from problems`);
const [found] = reader.getRowObjectsJS();
database.close();
const percent = (share) => `${(share * 100).toFixed(1)} %`;
const bars = [
  ['different right texts a problem', found.texts.toFixed(2), '4', found.texts >= 4],
  ['luck among right samples', percent(found.lucky), '20 %', found.lucky >= 0.2],
  [
    'luck that a perfect judge keeps out of 2',
    percent(found.random - found.perfect),
    '10 %',
    found.random - found.perfect >= 0.1,
  ],
];
console.log(`${count} problems, 8 samples each at temperature 1, ${percent(found.right)} right`);
for (const [what, value, least, passes] of bars)
  console.log(`${passes ? 'passed' : 'FAILED'}  ${what}: ${value}, wanted ${least} or more`);
console.log(
  `of two different right texts a problem, lucky: ${percent(found.random)} at random, ${percent(found.perfect)} by a perfect judge`,
);
save('task', { question: 'can the embedded task tell selection rules apart', seed, problems: count, ...found });
if (bars.some(([, , , passes]) => !passes)) process.exitCode = 1;
