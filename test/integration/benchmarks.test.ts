// A run on the paper's five benchmarks, from stand-ins in their own files to one table. On a simulated learner.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadProblems } from '../../src/data/problems.js';
import { evaluateRun } from '../../src/jobs/benchmarks.js';
import { evolve } from '../../src/jobs/jobs.js';
import { fakeHost } from '../fakes/host.js';
import { writeStandIns } from '../fakes/stand-ins.js';
import { smallRecipe } from './recipe.js';

let root: string;
let benchmarks: Awaited<ReturnType<typeof writeStandIns>>;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'mstar-benchmarks-'));
  benchmarks = await writeStandIns(join(root, 'data'), { count: 10, seed: 4 });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

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
  const host = fakeHost();
  // The simulated learner writes what the truth of a problem says, which problems of a benchmark do not have.
  const answering: typeof host = {
    ...host,
    openPolicy: async (dir) => {
      opened.push(dir);
      const policy = await host.openPolicy(dir);
      const right = dir.endsWith('base') ? 2 : dir.endsWith('warmup') ? 5 : 8;
      policy.rollout = async (requests) => ({
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
      });
      return policy;
    },
  };
  const settings = { run: join(root, 'run'), out, benchmarks };
  const table = await evaluateRun(settings, { host: answering });
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
  expect(await evaluateRun(settings, { host: answering })).toEqual(table);
  expect(opened).toEqual([]);
  const lost = { name: 'ai2d', data: join(root, 'none.tsv') };
  await expect(evaluateRun({ ...settings, benchmarks: [...benchmarks.slice(0, 1), lost] })).rejects.toThrow(
    'none.tsv: data of ai2d: no such file, wanted a data set',
  );
  expect(opened).toEqual([]);
  await expect(evaluateRun({ ...settings, benchmarks: [] })).rejects.toThrow('--benchmarks: none, wanted at least one');
  await expect(evaluateRun({ ...settings, run: root })).rejects.toThrow('no config.yaml');
});
