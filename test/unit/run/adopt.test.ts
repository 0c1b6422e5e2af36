import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { adopt } from '../../../src/run/adopt.js';
import { Run } from '../../../src/run/folder.js';

let root: string;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'mstar-adopt-'));
  const run = await Run.open({ dir: at('old'), settings: { seed: 1 } });
  await run.phase('warmup', (phase) => phase.output('rollouts/a.txt', (aside) => writeFile(aside, 'abc')));
  await run.close();
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const at = (name: string): string => join(root, name);
const begin = (): Promise<string[]> => adopt(at('new'), { from: at('old'), settings: { seed: 1 }, takes: () => true });

test('a new run begins with the phases of another', async () => {
  expect(await begin()).toEqual(['warmup']);
  expect(readFileSync(at('new/rollouts/a.txt'), 'utf8')).toBe('abc');
  expect(readFileSync(at('new/journal.jsonl'), 'utf8')).toBe(readFileSync(at('old/journal.jsonl'), 'utf8'));
});

test.each<[string, () => void, string]>([
  [
    'an earlier version made the run',
    () => writeFileSync(at('old/config.yaml'), 'seed: 1\nprm: { questions: 5 }\n'),
    'old: run: made by an earlier version of mstar, where prm.problems was prm.questions, wanted one of this version',
  ],
  ['a file was changed', () => writeFileSync(at('old/rollouts/a.txt'), 'abd'), 'a.txt: file: differs from its SHA-256'],
  ['a file is missing', () => rmSync(at('old/rollouts/a.txt')), 'a.txt: file: missing, wanted it as the run wrote it'],
  [
    'a part is a link',
    () => symlinkSync('/', at('old/problems')),
    'old/problems: run: a link, wanted a file or folder',
  ],
  [
    'the journal leads outside',
    () => {
      const text = readFileSync(at('old/journal.jsonl'), 'utf8');
      writeFileSync(at('old/journal.jsonl'), text.replace('rollouts/a.txt', '../planted.txt'));
      writeFileSync(at('planted.txt'), 'abc');
    },
    'journal.jsonl:1: outputs.../planted.txt: ',
  ],
])('nothing is taken where %s', async (_, damage, message) => {
  damage();
  await expect(begin()).rejects.toThrow(message);
  expect(statSync(at('new'), { throwIfNoEntry: false })).toBeUndefined();
});
