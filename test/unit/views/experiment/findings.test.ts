import { describe, expect, test } from 'vitest';
import type { Summary } from '../../../../src/evolve/summary.js';
import { CONTRASTS, decide, FEWEST_SEEDS } from '../../../../src/views/experiment/findings.js';
import { plans } from '../../../../src/views/experiment/plans.js';
import type { Run } from '../../../../src/views/experiment/tabulate.js';

/** A row's runs: seeds differ by what all rows have in common, runs by a little noise of their own. */
function runsOf(row: string, accuracy: number, seeds = 10): Run[] {
  return Array.from({ length: seeds }, (_, i) => {
    const noise = 0.01 * Math.sin(7 * i + row.length);
    const summary = {
      test: { base: { accuracy: 0.5 }, 'iter-0001': { accuracy: accuracy + 0.05 * Math.cos(3 * i) + noise } },
      outOfDomain: {},
      final: null,
      iterations: [],
      dynamics: [],
    };
    return { seed: i + 1, row, summary: summary as unknown as Summary };
  });
}
const grid = (seeds = 10): Run[] => [
  ...runsOf('interval-25', 0.7, seeds),
  ...runsOf('random-2', 0.699, seeds),
  ...runsOf('top-2', 0.76, seeds),
];
const verdict = (runs: readonly Run[], row: string, against: string) =>
  decide(runs).find((one) => one.row === row && one.against === against);

describe('a finding', () => {
  test('is shown where the rows differ as it says by more than chance', () => {
    expect(verdict(grid(), 'top-2', 'interval-25')).toMatchObject({ verdict: 'shown', seeds: { length: 10 } });
    expect(verdict(grid(), 'top-2', 'interval-25')?.difference.mean).toBeCloseTo(0.06, 2);
  });

  test('is refuted where the smallest effect that would matter can be left out', () => {
    const found = verdict(grid(), 'interval-25', 'random-2');
    expect(found?.verdict).toBe('refuted');
    expect(found?.pooled?.high).toBeLessThan(found?.least ?? 0);
  });

  test('is undecided where noise hides it, and with few seeds whatever they say', () => {
    const noisy = grid().map((run) => {
      const greedy = { accuracy: 0.7 + 0.2 * Math.sin(5 * run.seed + run.row.length ** 2) };
      return { ...run, summary: { ...run.summary, test: { 'iter-0001': greedy } } as unknown as Summary };
    });
    expect(verdict(noisy, 'top-2', 'random-2')?.verdict).toBe('undecided');
    expect(decide(grid(FEWEST_SEEDS - 1)).map((one) => one.verdict)).toEqual(['undecided', 'undecided', 'undecided']);
  });

  test('is not looked at before its rows have two seeds in common', () => {
    expect(decide(grid(1))).toEqual([]);
    expect(decide(grid()).every(({ row, against }) => row !== 'sft' && against !== 'threshold')).toBe(true);
  });

  test('counts all contrasts decided together: more of them, a greater p', () => {
    const two = verdict(
      grid().filter(({ row }) => row !== 'random-2'),
      'top-2',
      'interval-25',
    );
    const { p } = verdict(grid(), 'top-2', 'interval-25') ?? { p: 0 };
    expect(two?.p).toBeLessThan(p);
  });
});

test('every contrast is between rows that a plan runs', () => {
  const rows = Object.values(plans).flatMap((plan) => plan.rows.map(({ row }) => row));
  for (const { row, against } of CONTRASTS) for (const name of [row, against ?? row]) expect(rows).toContain(name);
  expect([...new Set(CONTRASTS.map(({ finding }) => finding))]).toEqual([...'abcdefgh']);
});
