import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { listRuns } from '../../../../src/views/run/runs.js';
import { tested, writeRun } from '../../../fakes/journal.js';

const root = mkdtempSync(join(tmpdir(), 'mstar-runs-'));
afterAll(() => rmSync(root, { recursive: true }));

test('a folder of runs is listed by name; a damaged one says why, and what is no run of the loop is passed over', async () => {
  writeRun(join(root, 'good'), { evolve: { iterations: 3 } }, [tested('base', 0.5), tested('warmup', 0.25)]);
  writeRun(join(root, 'broken'), {}, [tested('base', 0.5)]);
  writeFileSync(join(root, 'broken', 'config.yaml'), 'seed: [1\n');
  writeRun(join(root, 'evaluation'), { verb: 'evaluate' }, []);
  mkdirSync(join(root, 'empty'));
  writeRun(join(root, 'old'), { evolve: { select: { alpha: 0.5 } } }, [tested('base', 0.5)]);
  const lines = await listRuns(root);
  expect(lines.map(({ name }) => name)).toEqual(['broken', 'good', 'old']);
  expect(lines[0]?.state).toMatch(/^cannot be read: .*config\.yaml: settings: .*wanted valid YAML$/);
  expect(lines[1]).toMatchObject({ iterations: '0/3', first: 0.5, last: 0.25 });
  expect(lines[2]?.state).toBe(
    `cannot be read: ${join(root, 'old')}: run: made by an earlier version of mstar, where evolve.select.threshold was evolve.select.alpha, wanted one of this version (choose another folder, or go on with the version that made it)`,
  );
});

test('a run is not begun, at a phase, or finished, also where its summary was kept alone', async () => {
  const folder = join(root, 'states');
  writeRun(join(folder, 'begun'), {}, [tested('base', 0.5)]);
  for (const name of ['kept', 'new']) {
    writeRun(join(folder, name), {}, []);
    rmSync(join(folder, name, 'journal.jsonl'));
  }
  writeFileSync(join(folder, 'kept', 'summary.json'), '{}\n');
  expect((await listRuns(folder)).map(({ name, state }) => [name, state])).toEqual([
    ['begun', 'at test-base'],
    ['kept', 'finished'],
    ['new', 'not begun'],
  ]);
});
