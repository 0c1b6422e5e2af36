// Runs on the paper's five benchmarks, from stand-ins in their own files to tables of one run and of an experiment. On a simulated
// learner.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { ModelHost } from '../../src/core/ports.js';
import { loadProblems } from '../../src/data/problems.js';
import { evaluateRun } from '../../src/jobs/benchmarks.js';
import { experiment } from '../../src/jobs/experiment.js';
import { evolve } from '../../src/jobs/jobs.js';
import { type BenchmarkFile, standInAt, writeStandIn } from '../../src/problems/stand-ins.js';
import { plans } from '../../src/views/experiment/plans.js';
import { fakeHost, writeFakeModel } from '../fakes/host.js';
import { smallRecipe } from './recipe.js';

let root: string;
const benchmarks: BenchmarkFile[] = [];
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'mstar-benchmarks-'));
  for (const name of plans.table5?.benchmarks ?? []) {
    const dir = join(root, 'data', name);
    await writeStandIn(dir, name, { count: 10, seed: 4 });
    benchmarks.push(standInAt(dir, name) as BenchmarkFile);
  }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/**
 * The simulated learner writes what the truth of a problem says, which problems of a benchmark do not have: to these it gives
 * right answers by the number of the problem, more of them after more training.
 */
function answering(opened: string[]): ModelHost {
  const host = fakeHost();
  return {
    ...host,
    openPolicy: async (dir) => {
      opened.push(dir);
      const policy = await host.openPolicy(dir);
      const learned = policy.rollout.bind(policy);
      const right = dir.includes('iter-') ? 8 : dir.endsWith('warmup') ? 5 : 2;
      policy.rollout = async (requests, ...rest) =>
        requests.some(({ problem }) => problem.truth)
          ? learned(requests, ...rest)
          : {
              responses: requests.map(({ problem }) => {
                const hit = Number(problem.id.match(/\d+$/)?.[0]) % 10 < right;
                const place = problem.answer.charCodeAt(0) - 65;
                const letter = String.fromCharCode(65 + (hit ? place : (place + 1) % problem.choices.length));
                const text = `The answer is ${letter}.`;
                const tokens = Int32Array.from([...text].map((sign) => sign.charCodeAt(0)).concat(0));
                const ends = Uint32Array.from(tokens, (_, i) => Math.min(i + 1, text.length));
                return [{ text, tokens, ends, logprobs: new Float32Array(tokens.length), finish: 'stop' as const }];
              }),
              stats: {
                ...{ visionEncodes: 0, prefillTokens: 0, decodeTokens: 0, cachedPrompts: 0 },
                recomputedTokens: 0,
                kvBytes: 0,
                seconds: 0,
              },
            };
      return policy;
    },
  };
}

test('stand-ins are read as the formats of their benchmarks, with choices, letters, pictures and sub-tasks', async () => {
  expect(benchmarks.map(({ name }) => name)).toEqual(['mathvista', 'm3cot', 'mmstar-r', 'mmbench-r', 'ai2d']);
  const formats: string[] = [];
  const questions = new Set<string>();
  for (const { name, data, imageRoot } of benchmarks) {
    const problems = await loadProblems(data, { imageRoot, onFormat: (format) => formats.push(format.name) });
    expect(problems).toHaveLength(name === 'mmbench-r' ? 20 : 10);
    for (const { choices, answer, images, questionType, question } of problems) {
      expect(questionType).toBe('multi_choice');
      expect(images).toHaveLength(1);
      expect(choices.length).toBeGreaterThan(1);
      expect(choices.map((_, i) => String.fromCharCode(65 + i))).toContain(answer);
      questions.add(`${name}/${question}`);
    }
  }
  expect(formats).toEqual(['mathvista', 'm3cot', 'mmstar', 'mmbench', 'ai2d']);
  expect(questions.size).toBeGreaterThan(40);
});

test('a run has a row for its base model, its warm-up and its last checkpoint, and goes on where it was stopped', async () => {
  const optimizer = { lr: 0.06, batchSize: 8, weightDecay: 0 };
  const evolveWith = { iterations: 1, interval: 24, n: 4, select: { rule: 'all' as const }, optimizer };
  const small = smallRecipe(root, 'run', { evolve: evolveWith, explore: { adaptive: false } });
  const limits = { minPixels: 100, maxPixels: 5000 };
  await evolve({ ...small, model: { ...small.model, ...limits } }, { host: fakeHost() });
  const out = join(root, 'table');
  const opened: string[] = [];
  const host = answering(opened);
  const settings = { run: join(root, 'run'), out, benchmarks };
  const table = await evaluateRun(settings, { host });
  expect(table.rows.map(({ at, row }) => [at, row])).toEqual([
    ['base', 'base model'],
    ['warmup', 'warm-up'],
    ['iter-0001', 'iteration 1'],
  ]);
  const [base, warmup, last] = table.rows;
  expect(base?.accuracy.mathvista?.mean).toBeCloseTo(0.2, 12);
  expect(warmup?.accuracy['mmstar-r']?.mean).toBeCloseTo(0.5, 12);
  expect(last?.accuracy.ai2d?.mean).toBeCloseTo(0.8, 12);
  // A question of MMBench is right where both of its rotations are.
  expect(table.benchmarks.map(({ name, questions }) => [name, questions])).toContainEqual(['mmbench-r', 10]);
  const values = Object.values(last?.accuracy ?? {}).map(({ mean }) => mean);
  expect(last?.average).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / 5, 12);
  expect(Object.keys(base?.parts.mathvista ?? {})).toEqual(['FQA', 'GPS', 'MWP', 'TQA', 'VQA']);
  expect(base?.parts.mathvista?.FQA?.mean).toBeCloseTo(0.5, 12);
  const text = readFileSync(join(out, 'benchmarks.md'), 'utf8');
  expect(text).toMatch(/\| base model \| 20\.0 %/);
  expect(text).toContain('MathVista: sub-tasks');
  expect(JSON.parse(readFileSync(join(out, 'benchmarks.json'), 'utf8'))).toEqual(table);

  // Pictures are as large as in the run.
  expect(parse(readFileSync(join(out, 'ai2d/base/config.yaml'), 'utf8'))).toMatchObject(limits);

  // What is done is not asked again.
  opened.length = 0;
  expect(await evaluateRun(settings, { host })).toEqual(table);
  expect(opened).toEqual([]);
  const lost = { name: 'ai2d', data: join(root, 'none.tsv') };
  await expect(evaluateRun({ ...settings, benchmarks: [...benchmarks.slice(0, 1), lost] })).rejects.toThrow(
    'none.tsv: data of ai2d: no such file, wanted a data set',
  );
  expect(opened).toEqual([]);
  await expect(evaluateRun({ ...settings, benchmarks: [] })).rejects.toThrow('--benchmarks: none, wanted at least one');
  for (const inside of [join(root, 'run'), join(root, 'run/benchmarks'), join(root, 'run/../run/checkpoints')])
    await expect(evaluateRun({ ...settings, out: inside })).rejects.toThrow(
      `--out: ${inside}: in the folder of the run, wanted another place`,
    );
  await expect(evaluateRun({ ...settings, run: root })).rejects.toThrow('no config.yaml');
});

test('tables 4 and 5 hold every row on stand-ins, share runs, and go on where they stopped', async () => {
  const model = join(root, 'embedded');
  writeFakeModel(model, { skill: 0 });
  const out = join(root, 'experiments');
  const set = [
    `model.path=${model}`,
    'model.threads=1',
    'data.generate={count: 110, families: [bars, dots, shapes]}',
    'data.outOfDomain={generate: {count: 10, families: [dials]}}',
    'splits={validation: 16, test: 40, labelled: 0.4}',
    'sampling.maxTokens=400',
    'prm.problems=20',
    'prm.pairs=16',
    'prm.completions=2',
    'evolve.steps=2',
    'evolve.iterations=1',
    'evolve.n=4',
    'evolve.optimizer={lr: 0.06, batchSize: 8}',
    'explore.temperatures=[0.6, 1]',
    'test={problems: 10, samples: 2, every: 100}',
    'dynamics={samples: 2, problems: 10, temperatures: [1], every: 100}',
  ];
  const opened: string[] = [];
  const settings = { names: ['table4', 'table5'], scale: 'tiny', seeds: [1], out, set };
  const paths = await experiment(settings, { host: answering(opened) });
  expect(paths).toEqual([join(out, 'tiny/table4.md'), join(out, 'tiny/table5.md')]);

  interface Written {
    readonly command: string;
    readonly standIns: readonly string[];
    readonly columns: readonly string[];
    readonly rows: readonly {
      readonly model: string | null;
      readonly row: string;
      readonly accuracy: Readonly<Record<string, { readonly mean: number; readonly low: number | null }>>;
      readonly aboveWarmup: Readonly<Record<string, { readonly mean: number }>> | null;
    }[];
  }
  const read = (name: string) => JSON.parse(readFileSync(join(out, 'tiny', `${name}.json`), 'utf8')) as Written;
  const four = read('table4');
  expect(four.columns).toEqual(['all', 'FQA', 'GPS', 'MWP', 'TQA', 'VQA']);
  const trained = ['sft', 'iterative-rft', 'rest-em', 'interval-25', 'top-2', 'adaptive'];
  expect(four.rows.map(({ row }) => row)).toEqual(['base', 'warmup', ...trained]);
  expect(four.rows.map(({ accuracy }) => accuracy.all?.mean)).toEqual([0.2, 0.5, ...trained.map(() => 0.8)]);
  expect(four.rows[0]?.accuracy.FQA?.mean).toBe(0.5);
  const five = read('table5');
  expect(five.columns).toEqual([...benchmarks.map(({ name }) => name), 'average']);
  expect(five.standIns).toEqual(benchmarks.map(({ name }) => name));
  expect(five.rows.map(({ row }) => row)).toEqual(['base', 'warmup', 'adaptive']);
  const [, warmup, last] = five.rows;
  const numbers = benchmarks.map(({ name }) => last?.accuracy[name]?.mean ?? Number.NaN);
  expect(last?.accuracy.average?.mean).toBeCloseTo(numbers.reduce((sum, one) => sum + one, 0) / 5, 12);
  expect(last?.aboveWarmup?.ai2d?.mean).toBeCloseTo(0.3, 12);
  expect(warmup?.accuracy.ai2d?.low).toBeLessThan(0.5);
  const text = readFileSync(join(out, 'tiny/table5.md'), 'utf8');
  expect(text).toContain('stand in for the data of MathVista, M3CoT, MMStar-R, MMBench-R, AI2D');
  expect(text).toMatch(/\| M-STaR \| 1 \| 80\.0 %/);

  // What is done is not asked again.
  opened.length = 0;
  expect(await experiment(settings, { host: answering(opened) })).toEqual(paths);
  expect(opened).toEqual([]);
  expect(read('table4')).toEqual(four);

  // A model with a name and settings of its own, and a file of a benchmark.
  const models = [{ name: 'large', path: model, set: ['evolve.n=3'] }];
  const given = benchmarks.filter(({ name }) => name === 'ai2d');
  await experiment({ ...settings, names: ['table5'], models, benchmarks: given }, { host: answering(opened) });
  const named = read('table5');
  expect(named.rows.map((one) => [one.model, one.row])).toEqual([
    ['large', 'base'],
    ['large', 'warmup'],
    ['large', 'adaptive'],
  ]);
  expect(named.standIns).not.toContain('ai2d');
  expect(named.command).toContain('--model-set large:evolve.n=3 --benchmark-data ai2d=');
  expect(readFileSync(join(out, 'tiny/large/seed-1/adaptive/config.yaml'), 'utf8')).toMatch(/\bn: 3\b/);
  expect(existsSync(join(out, 'tiny/large/seed-1/adaptive-benchmarks/ai2d/warmup/evaluation.json'))).toBe(true);
});

test('an experiment on benchmarks refuses data it cannot use before anything is run', async () => {
  const out = join(root, 'refused');
  const settings = { names: ['table4'], scale: 'tiny', seeds: [1], out };
  const own = (name: string, data: string) => ({ ...settings, benchmarks: [{ name, data }] });
  const paper = { ...settings, scale: 'paper', set: ['model.path=m', 'data.file=d.json'] };
  await expect(experiment(paper)).rejects.toThrow('--benchmark-data: none for mathvista, wanted mathvista=FILE');
  await expect(experiment(own('ai2d', 'x.tsv'))).rejects.toThrow('--benchmark-data: ai2d, wanted one of mathvista');
  await expect(experiment(own('mathvista', 'none.tsv'))).rejects.toThrow('none.tsv: mathvista: no such file');
  const data = [1, 2].map(() => ({ name: 'mathvista', data: 'none.tsv' }));
  await expect(experiment({ ...settings, benchmarks: data })).rejects.toThrow('--benchmarks: mathvista twice, wanted');
  const twice = { ...settings, models: [{ name: 'seed-1', path: 'm' }] };
  await expect(experiment(twice)).rejects.toThrow('--model: seed-1, wanted a name');
  expect(existsSync(out)).toBe(false);
});
