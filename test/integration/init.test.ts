// A first recipe through the built command line, and the run that it makes as it is.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeProblems } from '../../src/problems/write.js';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const model = 'mstar:assets/tiny-internvl2';
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'mstar-init-'));
  await writeProblems(join(dir, 'p'), { count: 40, seed: 1 });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function mstar(...args: string[]): { status: number | null; out: string; error: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { cwd: dir, encoding: 'utf8' });
  return { status, out: stdout, error: stderr };
}

test('a recipe for a data set and a model runs as it is', () => {
  const data = ['--data', 'p/problems.json', '--image-root', 'p/data_images'];
  const { status, out } = mstar('init', '--model', model, ...data, '--device', 'cpu', '--quiet', '--json');
  expect(status).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ recipe: 'recipe.yaml', format: 'mathv360k', problems: 40 });
  const { error } = mstar('evolve', '--config', 'recipe.yaml', '--quiet');
  expect(error).toBe('');
  const summary = JSON.parse(readFileSync(join(dir, 'runs/problems/summary.json'), 'utf8')) as object;
  expect(summary).toMatchObject({ problems: { labelled: 29, unlabelled: 0, validation: 4, test: 7 } });
}, 300_000);

test('a table is read by the columns that the recipe has, and a recipe that is there is kept', () => {
  const rows = Array.from({ length: 30 }, (_, i) => `Which number follows ${i}?,${i + 1}`);
  writeFileSync(join(dir, 'table.csv'), `prompt,label\n${rows.join('\n')}\n`);
  const init = ['init', '--model', model, '--data', 'table.csv', '--columns', 'question=prompt,answer=label'];
  expect(mstar(...init, '--out', 'table.yaml').status).toBe(0);
  expect(readFileSync(join(dir, 'table.yaml'), 'utf8')).toContain('\n  columns: question=prompt,answer=label\n');
  expect(mstar(...init, '--out', 'table.yaml').error).toBe(
    'error: --out: table.yaml: there already, wanted a new name\n',
  );
  expect(mstar(...init, '--out', '-').out).toMatch(/^# yaml-language-server: \$schema=/);
});
