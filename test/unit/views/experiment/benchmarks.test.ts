import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BenchmarkRow } from '../../../../src/views/evaluation/benchmarks.js';
import {
  type BenchmarkRun,
  tabulateBenchmarkPlan,
  writeBenchmarkPlan,
} from '../../../../src/views/experiment/benchmarks.js';
import type { Plan } from '../../../../src/views/experiment/plans.js';

const interval = (mean: number) => ({ mean, low: mean - 0.1, high: mean + 0.1 });

/** A checkpoint of this accuracy on the benchmark `a`, and 0.1 more on `b`. */
const at = (name: string, mean: number): BenchmarkRow => ({
  at: name,
  row: name,
  accuracy: { a: interval(mean), b: interval(mean + 0.1) },
  average: mean + 0.05,
  parts: { a: { FQA: interval(mean - 0.1), GPS: interval(mean + 0.1) }, b: {} },
});

const run = (model: string, seed: number, row: string, last: number, warmup = 0.4): BenchmarkRun => ({
  model,
  seed,
  row,
  table: {
    run: row,
    benchmarks: ['a', 'b'].map((name) => ({ name, title: name.toUpperCase(), protocol: 'mstar', questions: 50 })),
    rows: [...(row === 'final' ? [at('base', 0.2), at('warmup', warmup)] : []), at('iter-0003', last)],
  },
});

const five: Plan = {
  name: 'five',
  title: 'Five',
  rows: [
    { row: 'sft', name: 'SFT' },
    { row: 'final', name: 'Final' },
  ],
  reference: 'final',
  benchmarks: ['a', 'b'],
};
const runs = [
  run('m', 1, 'sft', 0.5),
  run('m', 1, 'final', 0.6, 0.4),
  run('m', 2, 'sft', 0.52),
  run('m', 2, 'final', 0.66, 0.5),
  run('m', 3, 'sft', 0.9),
  run('n', 1, 'sft', 0.3),
  run('n', 1, 'final', 0.35),
];

test('a table over benchmarks has the rows of every model, over the seeds that have all of them', () => {
  const { columns, rows, benchmarks } = tabulateBenchmarkPlan(five, runs);
  expect(columns).toEqual(['a', 'b', 'average']);
  expect(benchmarks.map(({ title }) => title)).toEqual(['A', 'B']);
  expect(rows.map(({ model, row, seeds }) => [model, row, seeds])).toEqual([
    ...['base', 'warmup', 'sft', 'final'].map((row) => ['m', row, [1, 2]]),
    ...['base', 'warmup', 'sft', 'final'].map((row) => ['n', row, [1]]),
  ]);
  const final = rows[3];
  expect(final?.accuracy.average?.values).toEqual([0.65, 0.71].map((value) => expect.closeTo(value, 12)));
  // Seed by seed: 0.6 above 0.4, and 0.66 above 0.5.
  expect(final?.aboveWarmup?.a?.values).toEqual([0.2, 0.16].map((value) => expect.closeTo(value, 12)));
  expect(rows[1]?.aboveWarmup).toBeNull();
});

test('with one seed intervals are those over questions, with several those over seeds', () => {
  const { rows } = tabulateBenchmarkPlan(five, runs);
  expect(rows[7]?.accuracy.a).toEqual({ ...interval(0.35), values: [0.35] });
  expect(rows[7]?.accuracy.average).toMatchObject({ low: null, high: null });
  // Half of Student's t interval of two values is 12.706 times half of their distance.
  expect(rows[3]?.accuracy.a?.low).toBeCloseTo(0.63 - 12.7062 * 0.03, 3);
});

test('a table of one benchmark shows its sub-tasks', () => {
  const { columns, rows } = tabulateBenchmarkPlan({ ...five, benchmarks: ['a'] }, runs);
  expect(columns).toEqual(['all', 'FQA', 'GPS']);
  expect(rows[7]?.accuracy.GPS?.mean).toBeCloseTo(0.45, 12);
});

test('nothing is written before a seed has all rows, and then every model with its name', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'mstar-benchmark-plan-'));
  try {
    const about = { command: 'mstar experiment five', scale: 'tiny', settings: ['3 steps'], standIns: ['b'] };
    expect(await writeBenchmarkPlan(dir, five, runs.slice(0, 1), about)).toBeUndefined();
    expect(await writeBenchmarkPlan(dir, five, runs, about)).toBe(join(dir, 'five.md'));
    const text = readFileSync(join(dir, 'five.md'), 'utf8');
    expect(text).toContain('Generated picture problems stand in for the data of B');
    expect(text).toMatch(/\| n: Final \| 1 \| 35\.0 % \(25\.0 to 45\.0\) \|/);
    expect(text).toMatch(/\| m: Final \| \+18\.0 \(/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
