// mstar prm on the built command line: what it writes and prints, relevance by a judge, and what it refuses.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PrmAnalysis } from '../../../src/views/prm/analysis.js';
import { type ChatServer, chatServer } from '../../fakes/chat-server.js';
import { numberProblem, writeStored } from '../../fakes/stored.js';

const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
let dir: string;
let server: ChatServer;
beforeAll(async () => {
  if (!existsSync(cli)) throw new Error('dist/cli.js is missing: run `npm run setup`');
  dir = mkdtempSync(join(tmpdir(), 'mstar-prm-cli-'));
  server = await chatServer(({ messages }) => ({ text: messages[0]?.content.includes('aside') ? 'no idea' : '5' }));
  mkdirSync(join(dir, 'run/rollouts'), { recursive: true });
  writeFileSync(join(dir, 'run/config.yaml'), 'seed: 1\n');
  const responses: (readonly [string, number])[] = [
    ['Two and two.\nThe answer is 4', 0.9],
    ['Count.\nThe answer is 4', 0.8],
    ['An aside.\nThe answer is 4', 0.1],
    ['The answer is 5', 0.2],
  ];
  await writeStored(join(dir, 'run/rollouts/dynamics-0000.parquet'), dir, [
    { problem: numberProblem('1', '4'), temperature: 1, responses },
  ]);
});
afterAll(async () => {
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

function mstar(...args: string[]): Promise<{ out: string; error: string }> {
  const env = { ...process.env, OPENAI_API_KEY: 'k', OPENAI_BASE_URL: server.url, XDG_CACHE_HOME: join(dir, 'cache') };
  return new Promise((done) => {
    execFile(process.execPath, [cli, ...args], { cwd: dir, env }, (_error, out, error) => done({ out, error }));
  });
}

test('writes its files into the run and prints what there is and what is not', async () => {
  const { out, error } = await mstar('prm', 'run');
  expect(error).toBe('');
  expect(out).toContain(
    'dynamics-0000, T = 1, 1 problems, N = 4: one response 75.0 %, Pass@N 100.0 %, majority 100.0 %',
  );
  // The third correct response is below the wrong one.
  expect(out).toContain('ranking: 66.7 % of 3 pairs, AUC 0.667 within a problem, 0.667 over all\n');
  expect(out).toContain('not here: prm-held-out.jsonl: ');
  expect(out).toContain('files: run/prm.json, run/prm.md, run/prm.html\n');
  expect(readdirSync(join(dir, 'run')).sort()).toEqual([
    'config.yaml',
    'prm-curves.svg',
    'prm-rewards.svg',
    'prm.html',
    'prm.json',
    'prm.md',
    'rollouts',
  ]);
  expect(server.requests).toHaveLength(0);
});

test('rates relevance on demand, counts what it cannot read, and asks nothing twice', async () => {
  const { out, error } = await mstar('prm', 'run', '--out', 'rated', '--judge', 'small', '--judge-price', '1,10');
  expect(error).toBe('');
  expect(out).toContain('judge small: rated 2 of 3 distinct responses; 3 requests, 300 + 6 tokens, $0.0004\n');
  const { tops } = JSON.parse(readFileSync(join(dir, 'rated/prm.json'), 'utf8')) as PrmAnalysis;
  expect(tops).toMatchObject({ top: 2, rest: 1, relevance: { model: 'small', asked: 3, unreadable: 1 } });
  // Nothing of the rest was rated, so there is nothing to compare.
  expect(tops?.rows.map(({ measure }) => measure)).toEqual(['reward', 'steps', 'tokens']);
  expect((await mstar('prm', 'run', '--out', 'again', '--judge', 'small')).out).toContain(
    '; 0 requests, 0 + 0 tokens\n',
  );
  expect(readFileSync(join(dir, 'again/prm.json'), 'utf8')).toBe(readFileSync(join(dir, 'rated/prm.json'), 'utf8'));
});

test('explains itself with examples', async () => {
  const { out } = await mstar('prm', '--help');
  expect(out).toContain('Examples:');
  expect(out).toContain('mstar prm runs/demo');
});

test.each([
  [['absent'], 'error: absent: run: no config.yaml, wanted the folder of a run\n'],
  [
    ['run', '--table', 'iter-0003'],
    'error: run/rollouts/iter-0003.parquet: table: no such file, wanted a table of the run\n',
  ],
  [['run', '--temperature', '2'], 'error: run/rollouts/dynamics-0000.parquet: temperature: 2, wanted one of 1\n'],
  [['run', '--iteration', '0'], 'error: --iteration: 0, wanted an integer from 1\n'],
  [['run', '--seed', '0.5'], 'error: --seed: 0.5, wanted an integer from 0\n'],
  [['run', '--judge-price', '1,2'], 'error: --judge: missing, wanted a model beside --judge-price\n'],
  [['run', '--tabel', 'x'], 'error: --tabel: unknown flag, did you mean --table?\n'],
])('refuses %j in one line and writes nothing', async (args, message) => {
  const { out, error } = await mstar('prm', ...args, '--out', 'refused');
  expect([out, error]).toEqual(['', message]);
  expect(existsSync(join(dir, 'refused'))).toBe(false);
});
