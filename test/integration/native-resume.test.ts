// The command line with the native engine and the embedded model: killed at random moments, it ends with the bytes of an
// undisturbed run.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { exportRun } from '../../src/jobs/export.js';
import { evaluate } from '../../src/jobs/jobs.js';
import { writeDurable } from '../../src/run/durable.js';
import { fingerprint } from './folders.js';

const project = fileURLToPath(new URL('../..', import.meta.url));
const model = join(project, 'assets/tiny-internvl2');
const recipeWith = (adapter: object | undefined, moments: string) => {
  const optimizer = { lr: 1e-4, batchSize: 8, moments };
  return {
    run: { chunk: 16, checkpointEvery: 2 },
    model: { path: model, threads: 1, ...(adapter && { adapter }) },
    prompt: { system: 'Solve.', givenAnswer: '{question}\nThe answer is {answer}.' },
    data: { generate: { count: 120 } },
    splits: { validation: 16, test: 24, labelled: 0.6 },
    sampling: { maxTokens: 96 },
    warmup: { problems: 32, samples: 4, maxPerProblem: 1, optimizer },
    prm: { problems: 32, samples: 8, pairs: 24, completions: 4, optimizer },
    evolve: { iterations: 2, interval: 24, n: 8, optimizer },
    explore: { every: 1, temperatures: [0.7, 1] },
    dynamics: { samples: 4, temperatures: [1] },
    test: { samples: 4 },
  };
};

/** Exit code, or the signal that ended it; `killAfterMs` leaves the process that long to live. */
function run(config: string, dir: string, killAfterMs?: number, more = ''): Promise<number | string | null> {
  const settings = [`run.dir=${dir}`, ...more.split(' ').filter(Boolean)].flatMap((setting) => ['--set', setting]);
  const args = [join(project, 'dist/cli.js'), 'evolve', '--config', config, ...settings];
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  return new Promise((resolve) =>
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve(code ?? signal);
    }),
  );
}

/** A checkpoint of the run answers as the folder of PEFT that it is, handed out, and merged into a whole model. */
async function answersAlike(root: string, run: string): Promise<void> {
  const [handed, merged] = [join(root, 'handed'), join(root, 'merged')];
  expect((await exportRun(run, { as: 'model', out: handed })).count).toBe(2);
  const { merged: loss } = await exportRun(run, { as: 'model', merge: true, dtype: 'float32', out: merged });
  expect([(loss?.update ?? 0) > 0, loss?.lost]).toEqual([true, 0]);
  const [data, imageRoot] = [join(run, 'problems/problems.json'), join(run, 'problems/data_images')];
  const summaries = [];
  for (const path of [join(run, 'checkpoints/iter-0002'), handed, merged]) {
    const out = join(root, `answers-${summaries.length}`);
    const how = { limit: 24, maxTokens: 96, threads: 1, system: 'Solve.' };
    summaries.push(await evaluate({ model: path, data, imageRoot, out, ...how }));
  }
  for (const { outcomes, tokens } of summaries)
    expect([outcomes, tokens]).toEqual([summaries[0]?.outcomes, summaries[0]?.tokens]);
}

test.each([
  ['all weights', undefined, 'float32'],
  ['an adapter in 8-bit moments', { rank: 4, alpha: 8 }, '8bit'],
])(
  'a killed run of the native engine that trains %s ends with the same bytes, with other threads and layers run again too',
  async (_, adapter, moments) => {
    const root = mkdtempSync(join(tmpdir(), 'mstar-native-'));
    try {
      const config = join(root, 'recipe.yaml');
      await writeDurable(config, stringify(recipeWith(adapter, moments)));
      const started = performance.now();
      expect(await run(config, join(root, 'undisturbed'))).toBe(0);
      const lasts = performance.now() - started;
      for (const share of [0.2, 0.35, 0.5]) await run(config, join(root, 'killed'), share * lasts);
      await run(config, join(root, 'killed'), 0.3 * lasts, 'model.recompute=always');
      expect(await run(config, join(root, 'killed'), undefined, 'model.threads=2')).toBe(0);
      // The reports hold the clock.
      const files = (name: string) =>
        Object.entries(fingerprint(join(root, name))).filter(([file]) => !/^report\.(html|md)$/.test(file));
      expect(files('killed')).toEqual(files('undisturbed'));
      if (adapter) await answersAlike(root, join(root, 'undisturbed'));
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  },
  300_000,
);
