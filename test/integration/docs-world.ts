// The folder that the documents are read in: what their commands name, small enough for seconds. A model folder of any name is the
// embedded model, a data set sixty generated problems in the form that it stands for, a run one of a single iteration.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { loadProblems } from '../../src/data/problems.js';
import { standInAt, writeStandIn } from '../../src/problems/stand-ins.js';
import { writeProblems } from '../../src/problems/write.js';
import { root } from '../fakes/documents.js';

export const model = { path: 'mstar:tiny', threads: 1 };
const optimizer = { lr: 1e-4, batchSize: 8 };
const recipe = (dir: string) => ({
  seed: 1,
  run: { dir, chunk: 16 },
  model,
  prompt: { system: 'Solve.', givenAnswer: '{question}\nThe answer is {answer}.' },
  data: { file: 'problems/problems.json', imageRoot: 'problems/data_images' },
  splits: { validation: 2, test: 4, labelled: 1 },
  sampling: { maxTokens: 48 },
  warmup: { samples: 2, problems: 12, optimizer },
  prm: { problems: 12, samples: 4, pairs: 8, completions: 2, completerEpochs: 0, optimizer },
  evolve: { iterations: 1, interval: 8, n: 4, optimizer },
  explore: { adaptive: false },
  dynamics: { samples: 2, temperatures: [1] },
  test: { problems: 4, samples: 2 },
});

export interface Ran {
  readonly status: number | null;
  readonly output: string;
}

export interface World {
  readonly base: string;
  /** Where pages are read. */
  readonly folder: string;
  /** Runs lines of a shell in a folder, with mstar, npx and what they need on the path and a home of their own. */
  shell(folder: string, code: string): Ran;
  /** Makes the folder what it was at first. */
  renew(): void;
}

/** @throws Error with what was printed where the run of the folder fails */
export async function makeWorld(): Promise<World> {
  const base = mkdtempSync(join(tmpdir(), 'mstar-docs-'));
  const bin = join(base, 'bin');
  const world = join(base, 'world');
  for (const folder of [bin, join(world, 'node_modules')]) mkdirSync(folder, { recursive: true });
  const program = (name: string, line: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\nexec ${line} "$@"\n`, { mode: 0o755 });
  program('mstar', `'${process.execPath}' '${join(root, 'dist/cli.js')}'`);
  program('npx', '');
  const shell = (cwd: string, code: string): Ran => {
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, HOME: join(base, 'home') };
    const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', code], {
      ...{ cwd, env, encoding: 'utf8', timeout: 230_000 },
    });
    return { status, output: stdout + stderr };
  };

  symlinkSync(root, join(world, 'node_modules/mstar'));
  for (const name of ['InternVL2-2B', 'MiniCPM-Llama3-V-2_5'])
    symlinkSync(join(root, 'assets/tiny-internvl2'), join(world, name));
  await writeData(world, join(base, 'home'));
  const settings = recipe('runs/demo');
  writeFileSync(join(world, 'recipe.yaml'), JSON.stringify(settings));
  // Each program has a run of its own: the functions that it gives are part of its run.
  const own = { ...settings, run: { dir: 'runs/example', chunk: 16 } };
  writeFileSync(
    join(world, 'recipe.mjs'),
    `export const recipe = ${JSON.stringify(own)};\nrecipe.run.dir += process.pid;\n`,
  );
  const lora = { ...settings, model: { ...model, adapter: { rank: 2, alpha: 4 } }, run: { dir: 'runs/lora' } };
  writeFileSync(join(world, 'lora.yaml'), JSON.stringify(lora));
  const { status, output } = shell(
    world,
    `mstar evolve --config recipe.yaml --quiet
    for name in a b; do cp -r runs/demo runs/$name; done
    mstar warmup --config lora.yaml --quiet
    mstar export runs/demo --as visualprm --out labels.jsonl`,
  );
  if (status !== 0) throw new Error(output);
  // In the same place every time, as the runs know where their data are.
  const kept = join(base, 'kept');
  cpSync(world, kept, { recursive: true, verbatimSymlinks: true });
  const renew = (): void => {
    rmSync(world, { recursive: true });
    cpSync(kept, world, { recursive: true, verbatimSymlinks: true });
  };
  return { base, folder: world, shell, renew };
}

async function writeData(world: string, home: string): Promise<void> {
  const { file, imageRoot } = await writeProblems(join(world, 'problems'), { count: 60, seed: 1 });
  cpSync(file, join(world, 'train_samples_all_tuning.json'));
  cpSync(imageRoot, join(world, 'data_images'), { recursive: true });
  cpSync(imageRoot, join(world, 'pictures'), { recursive: true });
  const problems = (await loadProblems(file, { imageRoot })).map(({ question, answer, images }) => {
    const [image] = images;
    if (typeof image !== 'object' || !('path' in image))
      throw new Error('a generated problem has its picture in a file');
    return { question, answer, image: image.path.slice(imageRoot.length + 1) };
  });
  const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const cells = problems.map((row) => Object.values(row).map((cell) => `"${cell}"`));
  writeFileSync(join(world, 'problems.csv'), ['question,answer,image', ...cells.slice(0, 24), ''].join('\n'));
  const tagged = problems.map(({ question, answer, image }) => ({
    ...{ prompt: question, gold: { value: answer } },
    ...{ photo_1: `pictures/${image}`, photo_2: `pictures/${image}`, topic: 'sums' },
  }));
  writeFileSync(join(world, 'train.jsonl'), lines(tagged.slice(0, 8)));
  const graded = problems.map(({ question, answer }, id) => ({
    ...{ id, response: `It is clear. The answer is ${answer}.`, answer, question_type: 'free_form', question },
  }));
  writeFileSync(join(world, 'answers.jsonl'), lines(graded));
  const names = { mathvista: 'testmini.parquet', m3cot: 'test.parquet', 'mmstar-r': 'MMStar.tsv' };
  const others = { 'mmbench-r': 'MMBench_DEV_EN_V11.tsv', ai2d: 'AI2D_TEST.tsv' };
  for (const [name, as] of Object.entries({ ...names, ...others })) {
    const aside = join(home, 'stand-ins', name);
    await writeStandIn(aside, name, { count: 6, seed: 1 });
    const beside = join(aside, 'images');
    if (existsSync(beside)) cpSync(beside, join(world, 'images'), { recursive: true });
    cpSync(standInAt(aside, name)?.data ?? '', join(world, as));
  }
  // A snapshot of the Hugging Face cache, whose files are links.
  const cached = join(home, '.cache/huggingface/hub/datasets--OWNER--NAME');
  for (const folder of ['blobs', 'snapshots/REVISION']) mkdirSync(join(cached, folder), { recursive: true });
  const [first] = problems;
  const picture = basename(first?.image ?? '');
  writeFileSync(join(cached, 'blobs/0'), lines([{ ...first, image: picture }]));
  writeFileSync(join(cached, 'blobs/1'), readFileSync(join(imageRoot, first?.image ?? '')));
  for (const [i, name] of ['train.jsonl', picture].entries())
    symlinkSync(`../../blobs/${i}`, join(cached, 'snapshots/REVISION', name));
}
