// Standard input in the place of a file, through the built command line.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'mstar-stdin-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function mstar(input: string, ...args: string[]): { status: number | null; out: string; error: string } {
  const env = { ...process.env, TMPDIR: dir };
  const options = { cwd: dir, env, input, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], options);
  return { status, out: stdout, error: stderr };
}

const answer = {
  id: 'a',
  question_type: 'free_form',
  answer_type: 'integer',
  answer: '3',
  response: 'The answer is 3',
};

test('responses are graded from standard input, with the counts as JSON on standard output', () => {
  const { status, out, error } = mstar(`${JSON.stringify(answer)}\n`, 'grade', '-', '--out', 'g.jsonl', '--json');
  expect([status, error]).toEqual([0, '']);
  expect(JSON.parse(out)).toMatchObject({ protocol: 'mstar', rows: 1, correct: 1, file: 'g.jsonl' });
  expect(JSON.parse(readFileSync(join(dir, 'g.jsonl'), 'utf8'))).toMatchObject({ id: 'a', correct: true });
});

test.each([
  [
    ['grade', '-', '--out', 'h.jsonl'],
    '{',
    'error: standard input:1: record: cut off by the end of the file, wanted a whole record\n',
  ],
  [['evolve', '--config', '-'], 'seeds: 1', 'error: standard input:1: seeds: unknown setting, did you mean seed?\n'],
  [['data', '-'], '[]', 'error: standard input:1: file: no record, wanted at least one\n'],
  [
    ['init', '--data', '-', '--model', 'm'],
    '',
    'error: --data: standard input, wanted a file that the recipe can name\n',
  ],
  [
    ['rollout', '--data', '-', '--model', 'm', '--out', 'o'],
    '',
    'error: --data: standard input, wanted a file: the job reads it again when it is resumed\n',
  ],
])('a refusal of %j names standard input, and no copy of it is left', (args, input, message) => {
  expect(mstar(input, ...args)).toEqual({ status: 1, out: '', error: message });
  expect(readdirSync(dir).filter((name) => name.startsWith('mstar-input'))).toEqual([]);
});
