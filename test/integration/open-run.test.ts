// A run folder as programs read it, on the fake learner: finished, and stopped after its warm-up.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { evolve, openRun } from '../../src/index.js';
import { fakeHost } from '../fakes/host.js';
import { smallRecipe } from './recipe.js';

let root: string;
let dir: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'mstar-open-'));
  dir = join(root, 'run');
  const small = smallRecipe(root, 'run');
  await evolve({ ...small, evolve: { ...small.evolve, iterations: 1 } }, { host: fakeHost() });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('a finished run', () => {
  test('says its name, its state, its phases with rollouts and its summary', async () => {
    const run = await openRun(dir);
    expect([run.name, run.state]).toEqual(['run', 'finished']);
    const tested = [
      'test-base',
      'test-warmup',
      'dynamics-0000',
      'iter-0001',
      'dynamics-0001',
      'test-iter-0001',
      'test-final',
    ];
    expect(run.phases).toEqual(['warmup', 'label', ...tested]);
    const written = JSON.parse(readFileSync(join(dir, 'summary.json'), 'utf8'));
    expect(await run.summary()).toEqual(written);
  });

  test('gives the rows of a phase with all their columns, as many as its table has', async () => {
    const run = await openRun(dir);
    const { rows } = await run.query(
      `select count(*) as rows, sum(len(tokens)) as tokens from rollouts where phase = 'iter-0001'`,
    );
    let [count, tokens] = [0, 0];
    for await (const { text, steps, tokens: ids, token_count } of run.rollouts('iter-0001')) {
      count++;
      tokens += ids?.length ?? 0;
      expect(token_count).toBe(ids?.length);
      for (const { text_start, text_end, score } of steps ?? []) {
        expect(text?.slice(text_start, text_end)).not.toBe('');
        expect(score).not.toBeUndefined();
      }
    }
    expect(rows).toEqual([{ rows: String(count), tokens: String(tokens) }]);
    expect(count).toBeGreaterThan(0);
  });

  test('analyses its PRM, into a folder where one is named, and writes its report', async () => {
    const run = await openRun(dir);
    const out = join(root, 'prm');
    const analysis = await run.prm();
    expect(existsSync(out)).toBe(false);
    expect(await run.prm({ out })).toEqual(analysis);
    expect(existsSync(join(out, 'prm.html'))).toBe(true);
    expect(readFileSync(await run.report(), 'utf8')).toContain('</html>');
  });

  test('refuses what it does not have by name', async () => {
    const run = await openRun(dir);
    await expect(run.rollouts('iter-0009').next()).rejects.toThrow('iter-0009.parquet: table: no such file');
    await expect(run.prm({ tabel: 'x' } as never)).rejects.toThrow('prm: tabel: unknown, did you mean table?');
    await expect(run.query('drop table rollouts')).rejects.toThrow('query:');
    await expect(openRun(join(root, 'nowhere'))).rejects.toThrow('no config.yaml, wanted the folder of a run');
  });
});
