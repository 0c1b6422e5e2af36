import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Summary } from '../../../../src/evolve/summary.js';
import { type FoundRun, writeFindings } from '../../../../src/views/experiment/write-findings.js';
import { writeParquet } from '../../../fakes/parquet.js';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mstar-findings-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A run whose greedy test has these verdicts on problems of the same names. */
async function run(seed: number, row: string, right: readonly boolean[]): Promise<FoundRun> {
  const dir = join(root, `${seed}-${row}`);
  mkdirSync(join(dir, 'rollouts'), { recursive: true });
  const rows = right.map((one, i) => `('p${i}', 0.0, '${one ? 'correct' : 'wrong'}')`);
  await writeParquet(
    join(dir, 'rollouts/test-iter-0001.parquet'),
    `select * from (values ${rows.join(', ')}) as t(problem, temperature, verdict)`,
  );
  const accuracy = right.filter((one) => one).length / right.length;
  const summary = { test: { 'iter-0001': { accuracy } }, outOfDomain: {}, final: null, iterations: [], dynamics: [] };
  return { seed, row, dir, summary: summary as unknown as Summary };
}

test('findings are written with the error that the test problems alone give', async () => {
  const runs = [
    await run(1, 'top-2', [true, true, true, false]),
    await run(1, 'random-2', [true, false, false, true]),
    await run(2, 'top-2', [true, true, true, true]),
    await run(2, 'random-2', [true, true, true, true]),
  ];
  const path = await writeFindings(root, runs, { command: 'mstar experiment table2', scale: 'tiny' });
  const [found, ...others] = JSON.parse(readFileSync(join(root, 'findings.json'), 'utf8')).findings;
  expect(others).toEqual([]);
  // Seed 1: two problems won, one lost, of four; seed 2: none. The mean of both variances, over two seeds.
  const variance = (3 / 4 - (1 / 4) ** 2) / 4;
  expect(found.floor).toBeCloseTo(Math.sqrt(variance / 2 / 2), 12);
  expect(found).toMatchObject({ row: 'top-2', against: 'random-2', verdict: 'undecided', seeds: [1, 2] });
  expect(readFileSync(path as string, 'utf8')).toContain('(c) top 2 by PRM is above as many at random');
  expect(readFileSync(join(root, 'findings.svg'), 'utf8')).toContain('top 2 by PRM is above as many at random');
});

test('nothing is written before two seeds have two rows', async () => {
  const runs = [await run(3, 'top-2', [true]), await run(4, 'random-2', [true])];
  expect(await writeFindings(join(root, 'none'), runs, { command: 'c', scale: 'tiny' })).toBeUndefined();
});
