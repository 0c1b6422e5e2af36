import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Problem } from '../../../src/core/types.js';
import type { Rollout } from '../../../src/record/rollout.js';
import { countOutcomes, writeRolloutLines } from '../../../src/record/rollout.js';
import { type RowGroup, writeRolloutTable } from '../../../src/record/table.js';
import { rate } from '../../../src/rollout/generate.js';
import { respond } from '../../fakes/chains.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'mstar-table-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const problem: Problem = {
  id: 'p "1"',
  question: "What's 2 + 3?\nUnicode: é🙂",
  images: [{ path: '/somewhere/run/problems/a.png' }, { path: '/elsewhere/b.png' }],
  answer: '5',
  questionType: 'free_form',
  answerType: 'integer',
  choices: [],
  source: 'sums',
  truth: { family: 'sums', steps: ['2 + 3 = 5.', 'The answer is 5.'], scene: { a: 2, b: 3 } },
};

const texts = ['2 + 3 = 5.\nThe answer is 5.', '2 + 3 = 6.\nThe answer is 5.', 'no idea'] as const;

function rollout(): Rollout {
  const responses = texts.map((text) => rate(problem, respond(text, 100, 0.25), '\n'));
  return {
    problem,
    responses: [
      { ...(responses[0] as Rollout['responses'][number]), scores: Float32Array.of(0.75, 0.5), reward: 0.5 },
      ...responses.slice(1),
    ],
  };
}

async function* groups(repeat: number): AsyncGenerator<RowGroup> {
  const context = { temperature: 0.7, seed: 2 ** 32 - 1, version: 12, selected: new Set([0]) };
  for (let i = 0; i < repeat; i++) yield { rollout: rollout(), context };
  yield { rollout: { problem, responses: [], error: 'b.png: picture: damaged' }, context };
}

async function rows(file: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const found = (await connection.runAndReadAll(`select * from '${file}'`)).getRowObjectsJson();
  connection.closeSync();
  instance.closeSync();
  return found as Record<string, unknown>[];
}

describe('the table of rollouts', () => {
  test('holds every response with its steps, and a failed problem as an error', async () => {
    const file = join(dir, "it's.parquet");
    await writeRolloutTable(file, '/somewhere/run', groups(1));
    const [first, second, third, failed] = await rows(file.replaceAll("'", "''"));
    expect(first).toMatchObject({
      problem: problem.id,
      source: 'sums',
      question: problem.question,
      image: 'problems/a.png\n/elsewhere/b.png',
      sample: 0,
      temperature: 0.7,
      seed: 2 ** 32 - 1,
      version: 12,
      finish: 'stop',
      verdict: 'correct',
      normalised: '5',
      reward: 0.5,
      selected: true,
      lucky: false,
      steps: [
        { text_start: 0, text_end: 11, token_start: 0, token_end: 11, score: 0.75, right: true },
        { text_start: 11, text_end: 27, token_start: 11, token_end: 28, score: 0.5, right: true },
      ],
    });
    expect(first?.tokens).toEqual([...texts[0]].map((letter) => letter.charCodeAt(0)).concat(0));
    expect(first?.logprobs).toHaveLength(28);
    expect(second).toMatchObject({ verdict: 'correct', selected: false, lucky: true, reward: null });
    expect(third).toMatchObject({ verdict: 'unreadable', extracted: null, lucky: false });
    expect(failed).toMatchObject({
      verdict: 'error',
      reason: 'b.png: picture: damaged',
      sample: null,
      text: null,
      steps: null,
    });
  });

  test('has the rows of several row groups in the order in which they came, and leaves nothing beside it', async () => {
    const folder = mkdtempSync(join(dir, "it's-"));
    const file = join(folder, 'many.parquet');
    // Two full groups of 16,384 rows and 2 rows.
    await writeRolloutTable(file, '/somewhere/run', groups(10_923));
    expect(readdirSync(folder)).toEqual(['many.parquet']);
    const found = await rows(file.replaceAll("'", "''"));
    expect(found).toHaveLength(32_770);
    const samples = found.map(({ sample, selected }) => [sample, selected]);
    expect(samples.pop()).toEqual([null, false]);
    expect(samples).toEqual(Array.from({ length: 32_769 }, (_, i) => [i % 3, i % 3 === 0]));
  });

  test('has the same bytes for the same rows, across the pieces that it is written in', async () => {
    const [a, b] = [join(dir, 'a.parquet'), join(dir, 'b.parquet')];
    await writeRolloutTable(a, dir, groups(1500));
    await writeRolloutTable(b, dir, groups(1500));
    expect(readFileSync(a).equals(readFileSync(b))).toBe(true);
    expect(await rows(a)).toHaveLength(4501);
  });
});

describe('the lines of rollouts', () => {
  test('hold one outcome per response or failed problem', async () => {
    const file = join(dir, 'a.jsonl');
    const failed: Rollout = { problem, responses: [], error: 'damaged' };
    await writeRolloutLines(
      file,
      (async function* () {
        yield [rollout(), failed];
      })(),
    );
    const lines = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ sample, outcome }) => [sample, outcome])).toEqual([
      [0, 'correct'],
      [1, 'correct'],
      [2, 'unreadable'],
      [null, 'error'],
    ]);
    expect(countOutcomes([rollout(), failed])).toEqual({ correct: 2, wrong: 0, unreadable: 1, error: 1 });
  });
});
