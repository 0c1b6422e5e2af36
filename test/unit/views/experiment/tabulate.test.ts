import { describe, expect, test } from 'vitest';
import type { Summary } from '../../../../src/evolve/summary.js';
import type { Plan } from '../../../../src/views/experiment/plans.js';
import { plans } from '../../../../src/views/experiment/plans.js';
import { changesOf, curvesOf, type Run, tabulate } from '../../../../src/views/experiment/tabulate.js';

const plan: Plan = {
  name: 'p',
  title: 'P',
  rows: [
    { row: 'a', name: 'A' },
    { row: 'b', name: 'B' },
  ],
  reference: 'a',
};

const iteration = (selected: number, lucky: number, temperature = 1) => ({
  temperature,
  lucky: { before: 0, after: 0 },
  training: { steps: 10 },
  choice: { sampled: 100, selected, luckySelected: lucky },
});
const standing = (at: number, greedy: number, samples: Record<number, number>) => ({
  iteration: at,
  greedy: { accuracy: greedy },
  samples: Object.entries(samples).map(([temperature, passAtK]) => ({
    temperature: Number(temperature),
    passAtK,
    gap: passAtK - greedy,
    rewardPassAt2: passAtK - 0.1,
  })),
});
function run(seed: number, row: string, last: number): Run {
  const accuracy = (value: number) => ({ accuracy: value });
  const summary = {
    test: { base: accuracy(0.3), warmup: accuracy(0.4), 'iter-0001': accuracy(0.45), 'iter-0002': accuracy(last) },
    outOfDomain: {},
    final: { samples: { passAt1: last - 0.05, passAtK: last + 0.1 } },
    iterations: [iteration(20, 5), iteration(20, 1, 0.5)],
    dynamics: [standing(0, 0.4, { 0.5: 0.6, 1: 0.7 }), standing(2, last, { 0.5: 0.62, 1: 0.72 })],
    phases: {
      warmup: { seconds: 5 },
      'dynamics-0000': { seconds: 2 },
      'iter-0001': { seconds: 7 },
      'test-final': { seconds: 1 },
    },
  };
  return { seed, row, summary: summary as unknown as Summary };
}
const runs = [run(1, 'a', 0.5), run(2, 'a', 0.6), run(1, 'b', 0.55), run(2, 'b', 0.67), run(3, 'a', 0.9)];

describe('the table of an experiment', () => {
  const table = tabulate(plan, runs);
  const row = (name: string) => table.rows.find((one) => one.row === name);

  test('takes the seeds that have every row, and the last checkpoint of each run', () => {
    expect(table.seeds).toEqual([1, 2]);
    expect(row('a')?.measures.test?.values).toEqual([0.5, 0.6]);
    expect(row('base')?.measures.test?.mean).toBeCloseTo(0.3, 12);
    expect(row('warmup')?.measures.validation?.mean).toBeCloseTo(0.4, 12);
    expect(row('a')?.measures.outOfDomain).toBeUndefined();
  });

  test('pairs the differences from the reference row by seed', () => {
    expect(row('a')?.differences).toBeNull();
    const { mean, values } = row('b')?.differences?.test ?? { mean: 0, values: [] };
    expect(values.map((value) => Number(value.toFixed(6)))).toEqual([0.05, 0.07]);
    expect(mean).toBeCloseTo(0.06, 12);
  });

  test('counts the work of the row apart from what the rows share', () => {
    expect(row('b')?.work).toMatchObject({ iterations: 2, steps: 20, sampled: 200, selected: 40, seconds: 8 });
    expect(row('b')?.work?.lucky).toBeCloseTo(6 / 40, 12);
    expect(table.shared).toEqual({ warmup: 5, 'dynamics-0000': 2 });
  });
});

describe('the curves of an experiment', () => {
  const whole = runs.filter(({ seed }) => seed < 3);

  test('are means over seeds at each temperature and at the one in use', () => {
    const curves = curvesOf(plan, whole);
    const curve = (temperature: number | 'used' | null, measure = 'passAtK') =>
      curves.find((one) => one.row === 'a' && one.measure === measure && one.temperature === temperature)?.points;
    expect(curve(null, 'greedy')?.map(({ iteration: at, value }) => [at, value.mean])).toEqual([
      [0, 0.4],
      [2, 0.55],
    ]);
    expect(curve(0.5)?.map(({ value }) => value.mean)).toEqual([0.6, 0.62]);
    // The first iteration was sampled at 1, the second at 0.5.
    expect(curve('used')?.map(({ value }) => value.mean)).toEqual([0.7, 0.62]);
  });

  test('change from the first to the last measurement, compared with the reference row seed by seed', () => {
    const change = changesOf(plan, whole).find(({ row, measure }) => row === 'b' && measure === 'greedy');
    expect(change?.change.values.map((value) => Number(value.toFixed(6)))).toEqual([0.15, 0.27]);
    expect(change?.difference?.mean).toBeCloseTo(0.06, 12);
  });
});

test('every plan compares its rows with one of them', () => {
  for (const { rows, reference, name } of Object.values(plans)) {
    expect(plans[name]?.rows).toBe(rows);
    expect(rows.map(({ row }) => row)).toContain(reference);
    expect(new Set(rows.map(({ row }) => row)).size).toBe(rows.length);
  }
});
