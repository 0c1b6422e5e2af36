// The grid of an experiment on a simulated learner, without the engine.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { loadConfig, resolveConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config/schema.js';
import { experiment } from '../../src/jobs/experiment.js';
import { runGrid } from '../../src/jobs/grid.js';
import { evolve } from '../../src/jobs/jobs.js';
import { plans } from '../../src/views/experiment/plans.js';
import { writeExperiment } from '../../src/views/experiment/write.js';
import { fakeHost, writeFakeModel } from '../fakes/host.js';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mstar-grid-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('the grid of an experiment', () => {
  test('runs each row once for each seed, shares what can be, goes on where it stopped, and writes its tables', async () => {
    const model = join(root, 'base');
    writeFakeModel(model, { skill: 0 });
    const out = join(root, 'grid');
    const small = [
      `model.path=${model}`,
      'model.threads=1',
      'data.generate={count: 160, families: [bars, dots, shapes]}',
      'data.outOfDomain={generate: {count: 20, families: [dials]}}',
      'splits={validation: 24, test: 60, labelled: 0.3}',
      'sampling.maxTokens=400',
      'prm.problems=40',
      'prm.pairs=24',
      'prm.completions=2',
      'evolve.steps=6',
      'evolve.iterations=3',
      'evolve.n=4',
      'evolve.optimizer={lr: 0.06, batchSize: 8}',
      'explore.temperatures=[0.6, 1]',
      'test={samples: 2, every: 100}',
      'dynamics.samples=2',
      'dynamics.problems=20',
    ];
    const begun: string[] = [];
    const shared: (string | undefined)[] = [];
    const cells = async () => {
      const all = [];
      const grid = runGrid([plans.dynamics as (typeof plans)[string]], {
        scale: 'tiny',
        seeds: [1, 2],
        out,
        set: small,
        run: (config, from) => {
          shared.push(from);
          return evolve(config, { host: fakeHost(), from });
        },
        onRun: ({ seed, row }) => begun.push(`${seed} ${row}`),
      });
      for await (const cell of grid) all.push(cell);
      return all;
    };
    const first = await cells();
    expect(begun).toEqual(['1 fixed', '1 adaptive', '2 fixed', '2 adaptive']);
    const folder = (seed: number, row: string) => join(out, 'tiny', `seed-${seed}`, row);
    expect(shared).toEqual([undefined, folder(1, 'fixed'), undefined, folder(2, 'fixed')]);
    expect(first.map(({ summary }) => summary.seed)).toEqual([1, 1, 2, 2]);
    const again = await cells();
    expect(again.map(({ summary }) => summary)).toEqual(first.map(({ summary }) => summary));

    const plan = plans.dynamics as (typeof plans)[string];
    const about = { command: 'mstar experiment dynamics', scale: 'tiny', settings: ['small'] };
    const path = await writeExperiment(join(out, 'tiny'), plan, first, about);
    const text = readFileSync(path as string, 'utf8');
    expect(text).toContain('Seeds 1, 2; mean over seeds');
    expect(text).toContain('| Adaptive temperature |');
    for (const [, file] of text.matchAll(/\]\((.+\.svg)\)/g)) {
      const svg = readFileSync(join(out, 'tiny', file as string), 'utf8');
      expect(svg).toMatch(/^<svg xmlns=/);
      expect(svg).not.toContain('var(--');
    }
    const json = JSON.parse(readFileSync(join(out, 'tiny/dynamics.json'), 'utf8')) as { rows: { row: string }[] };
    expect(json.rows.map(({ row }) => row)).toEqual(['base', 'warmup', 'fixed', 'adaptive']);

    const tables = (...names: string[]) => experiment({ ...settings, names }, { host: fakeHost() });
    const settings = { scale: 'tiny', seeds: [1, 2, 3], out, set: small, finished: true };
    expect(await tables('table1', 'dynamics')).toEqual([path, join(out, 'tiny/findings.md')]);
    expect(readFileSync(path as string, 'utf8')).toContain('Seeds 1, 2; mean over seeds');
    for (const seed of [1, 2]) rmSync(folder(seed, 'adaptive'), { recursive: true });
    await tables('dynamics');
    const part = readFileSync(path as string, 'utf8');
    expect(part).toContain('labelled responses; not run: Adaptive temperature.');
    expect(part).not.toContain('| Adaptive temperature |');
    expect(readdirSync(join(out, 'tiny', 'seed-1'))).toEqual(['fixed']);
    await expect(tables('table1')).rejects.toThrow(
      `${join(out, 'tiny')}: no table has a seed with all its rows finished`,
    );
    await expect(tables('table5')).rejects.toThrow('--finished: with table4 or table5, whose benchmarks are answered');
  });

  test('takes a run of which only settings and summary are left, if the settings are those of the row', async () => {
    const out = join(root, 'left');
    const model = join(root, 'left-base');
    writeFakeModel(model, { skill: 0 });
    const plan = { ...(plans.table1 as (typeof plans)[string]), rows: [{ row: 'sft', name: 'SFT' }] };
    const cells = async (steps: number) => {
      const found = [];
      const grid = runGrid([plan], {
        ...{ scale: 'tiny', seeds: [1], out },
        set: [`model.path=${model}`, `evolve.steps=${steps}`],
        run: () => Promise.reject(new Error('run again')),
      });
      for await (const cell of grid) found.push(cell.summary);
      return found;
    };
    await expect(cells(6)).rejects.toThrow('run again');
    const dir = join(out, 'tiny/seed-1/sft');
    mkdirSync(dir, { recursive: true });
    const config = await loadConfig({
      preset: 'tiny-sft',
      set: [`model.path=${model}`, 'evolve.steps=6', 'seed=1', 'run.dir=/elsewhere'],
    });
    const { dir: _, ...run } = config.run;
    const kept = { ...config, run, model: { ...config.model, threads: 7 }, hub: { 'hf:a/b': 'commit' } };
    writeFileSync(join(dir, 'config.yaml'), stringify(kept));
    const summary = { seed: 1, final: { samples: { passAt1: 0.5 } }, iterations: [], test: {} };
    writeFileSync(join(dir, 'summary.json'), JSON.stringify(summary));
    expect(await cells(6)).toEqual([summary]);
    await expect(cells(7)).rejects.toThrow('evolve.steps: 7 now, wanted 6 as in the run it holds');
    for (const broken of ['null', '{"final": {}}', JSON.stringify({ ...summary, final: null })]) {
      writeFileSync(join(dir, 'summary.json'), broken);
      await expect(cells(6)).rejects.toThrow('summary.json: final: missing, wanted the summary of a finished run');
    }
    rmSync(join(dir, 'config.yaml'));
    await expect(cells(6)).rejects.toThrow('run: no config.yaml, wanted one beside summary.json');
    expect(readdirSync(dir)).toEqual(['summary.json']);
  });

  test('gives a PRM that is named to those rows alone that ask one', async () => {
    const plan = {
      ...(plans.table2 as (typeof plans)[string]),
      rows: [
        { row: 'interval-25', name: '' },
        { row: 'top-2', name: '' },
      ],
    };
    const given: (string | undefined)[] = [];
    const set = ['prm.path=/prm', 'model.path=/m'];
    const run = async (config: Config): Promise<never[number]> => {
      given.push(resolveConfig(config).prm.path);
      return {} as never;
    };
    const grid = runGrid([plan], { scale: 'tiny', seeds: [1], out: join(root, 'given'), set, run });
    for await (const { row } of grid) expect(['interval-25', 'top-2']).toContain(row);
    expect(given).toEqual([undefined, '/prm']);
  });

  test('has a preset for every row of every plan', async () => {
    for (const { rows } of Object.values(plans)) {
      for (const { row } of rows) await loadConfig({ preset: `tiny-${row}` });
    }
  });
});
