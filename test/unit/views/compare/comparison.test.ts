// Runs side by side: names, settings in which they differ, tests by checkpoint.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareRuns, readRuns } from '../../../../src/views/compare/comparison.js';
import { type FakeEvent, tested, writeRun } from '../../../fakes/journal.js';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mstar-compare-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = (name: string, settings: object, ...events: FakeEvent[]) => writeRun(join(root, name), settings, events);

describe('runs side by side', () => {
  test('show the settings in which not all agree, with what is not set and lists as one value', async () => {
    const dirs = [
      run('a', { seed: 1, evolve: { n: 8, lr: 1e-5 }, splits: [1, 2] }),
      run('b', { seed: 1, evolve: { n: 8 }, splits: [1, 2] }),
      run('c', { seed: 1, evolve: { n: 16, lr: 1e-5 }, splits: [1, 3] }),
    ];
    const { runs, settings } = compareRuns(await readRuns(dirs));
    expect(runs).toEqual(['a', 'b', 'c']);
    expect(settings).toEqual([
      ['evolve.lr', '0.00001', '(not set)', '0.00001'],
      ['evolve.n', '8', '8', '16'],
      ['splits', '[1,2]', '[1,2]', '[1,3]'],
    ]);
  });

  test('show tests from the base model on, with null where a run has none yet', async () => {
    const dirs = [
      run('without-warmup', {}, tested('base', 0.1), tested('iter-0001', 0.2), tested('iter-0010', 0.4)),
      run('with', {}, tested('base', 0.1), tested('warmup', 0.15), tested('iter-0002', 0.3)),
    ];
    expect(compareRuns(await readRuns(dirs)).test).toEqual([
      ['base', 0.1, 0.1],
      ['warmup', null, 0.15],
      ['iter-0001', 0.2, null],
      ['iter-0002', null, 0.3],
      ['iter-0010', 0.4, null],
    ]);
  });

  test('of equal names have their folders as names', async () => {
    const dirs = [run('x/same', {}), run('y/same', {})];
    expect(compareRuns(await readRuns(dirs)).runs).toEqual(dirs);
  });

  test('are at least two and at most eight', async () => {
    const dir = run('one', {});
    await expect(readRuns([dir])).rejects.toThrow('--compare: 1 folders, wanted 2 to 8');
    await expect(readRuns(Array.from({ length: 9 }, () => dir))).rejects.toThrow('9 folders, wanted 2 to 8');
    await expect(readRuns([dir, join(root, 'nowhere')])).rejects.toThrow('no config.yaml');
  });
});
