// The judge on the built command line: off by default, asked at the endpoint of the environment, its use shown.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Evaluation } from '../../../src/evaluate/evaluation.js';
import { type ChatServer, chatServer } from '../../fakes/chat-server.js';
import { choiceProblem, writeStored } from '../../fakes/stored.js';

const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
let dir: string;
let server: ChatServer;
beforeAll(async () => {
  if (!existsSync(cli)) throw new Error('dist/cli.js is missing: run `npm run setup`');
  dir = mkdtempSync(join(tmpdir(), 'mstar-judge-cli-'));
  server = await chatServer(() => ({ text: 'B' }));
  const row = { id: 'a', question: 'q', choices: ['one', 'two'], answer: 'B', response: 'hm' };
  writeFileSync(join(dir, 'rows.jsonl'), JSON.stringify(row));
  await writeStored(join(dir, 'rollouts.parquet'), dir, [
    { problem: choiceProblem('1', 'B'), temperature: 1, responses: ['hm', 'hm', 'The answer is A.'] },
  ]);
});
afterAll(async () => {
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

interface Outcome {
  readonly out: string;
  readonly error: string;
}

/** @param judged whether the environment names the endpoint and a key */
function mstar(args: readonly string[], judged = true): Promise<Outcome> {
  const { OPENAI_API_KEY: _, OPENAI_BASE_URL: __, ...rest } = process.env;
  const env = {
    ...rest,
    XDG_CACHE_HOME: join(dir, 'cache'),
    ...(judged && { OPENAI_API_KEY: 'secret', OPENAI_BASE_URL: server.url }),
  };
  return new Promise((done) => {
    execFile(process.execPath, [cli, ...args], { cwd: dir, env }, (_error, out, error) => done({ out, error }));
  });
}

describe('mstar grade', () => {
  test('asks nobody without --judge', async () => {
    const { out } = await mstar(['grade', 'rows.jsonl', '--out', 'plain.jsonl']);
    expect(out).toContain('1 unreadable');
    expect(server.requests).toHaveLength(0);
  });

  test('asks the judge for what it cannot read, and shows tokens and cost', async () => {
    const args = ['grade', 'rows.jsonl', '--out', 'judged.jsonl', '--judge', 'small', '--judge-price', '1,10'];
    const { out } = await mstar(args);
    expect(out).toContain(
      'judge small: read 1 of 1 distinct responses without an answer; 1 requests, 100 + 2 tokens, $0.0001\n',
    );
    expect(JSON.parse(readFileSync(join(dir, 'judged.jsonl'), 'utf8'))).toMatchObject({ id: 'a', correct: true });
    const again = await mstar(args);
    expect(again.out).toContain('0 requests, 0 + 0 tokens');
  });
});

describe('mstar evaluate', () => {
  test('counts what the judge read, with the same bytes when nothing is asked any more', async () => {
    const args = ['evaluate', '--rollouts', 'rollouts.parquet', '--judge', 'small', '--out'];
    const { out, error } = await mstar([...args, 'one']);
    expect([error, out]).toEqual(['', expect.stringContaining('judge small: read 1 of 1 distinct responses')]);
    const text = readFileSync(join(dir, 'one/evaluation.json'), 'utf8');
    const { judge, sets } = JSON.parse(text) as Evaluation;
    expect(judge).toEqual({ model: 'small', asked: 1, read: 1 });
    expect(sets[0]?.scores[0]?.accuracy.mean).toBeCloseTo(2 / 3, 12);
    await mstar([...args, 'two']);
    expect(readFileSync(join(dir, 'two/evaluation.json'), 'utf8')).toBe(text);
  });
});

test.each([
  [['--judge', 'm'], 'error: OPENAI_API_KEY: missing, wanted a key of https://api.openai.com/v1\n'],
  [['--judge-price', '1,2'], 'error: --judge: missing, wanted a model beside --judge-price\n'],
])('flags %j are refused', async (flags, message) => {
  const { error } = await mstar(['grade', 'rows.jsonl', '--out', 'refused.jsonl', ...flags], false);
  expect(error).toBe(message);
  expect(existsSync(join(dir, 'refused.jsonl'))).toBe(false);
});

test.each([
  [['--judge-price', '1'], 'error: --judge-price: 1, wanted two prices as 0.15,0.6\n'],
  [['--judge-concurrency', '0'], 'error: --judge-concurrency: 0, wanted an integer from 1 to 256\n'],
])('flags %j are refused beside a judge', async (flags, message) => {
  const { error } = await mstar(['grade', 'rows.jsonl', '--out', 'refused.jsonl', '--judge', 'm', ...flags]);
  expect(error).toBe(message);
});
