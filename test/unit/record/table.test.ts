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

const rows = (file: string) => query(`select * from '${file}'`);

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const found = (await connection.runAndReadAll(sql)).getRowObjectsJson();
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

  test('has row groups of 16,384 rows in the order in which these came, and leaves nothing beside it', async () => {
    const folder = mkdtempSync(join(dir, "it's-"));
    const [file, again, small] = ['many', 'again', 'small'].map((name) => join(folder, `${name}.parquet`)) as [
      string,
      string,
      string,
    ];
    for (const path of [file, again]) await writeRolloutTable(path, '/somewhere/run', groups(10_923));
    await writeRolloutTable(small, '/somewhere/run', groups(1));
    expect(readdirSync(folder).sort()).toEqual(['again.parquet', 'many.parquet', 'small.parquet']);
    expect(readFileSync(file).equals(readFileSync(again))).toBe(true);
    const ask = (sql: string, path: string) => query(sql.replace('FILE', `'${path.replaceAll("'", "''")}'`));
    const sizes = 'select distinct row_group_id, row_group_num_rows as rows from parquet_metadata(FILE) order by all';
    expect((await ask(sizes, file)).map(({ rows }) => Number(rows))).toEqual([16_384, 16_384, 2]);
    // What went through files of its own has the types and values of what did not.
    expect(await ask('describe from FILE', file)).toEqual(await ask('describe from FILE', small));
    expect(await ask('from FILE limit 3', file)).toEqual(await ask('from FILE limit 3', small));
    const found = (await ask('select sample, selected from FILE', file)).map((row) => Object.values(row));
    expect(found).toHaveLength(32_770);
    expect(found.pop()).toEqual([null, false]);
    expect(found).toEqual(Array.from({ length: 32_769 }, (_, i) => [i % 3, i % 3 === 0]));
  });

  test.each([0, 16_384])('of %i rows can be read', async (count) => {
    const file = join(dir, `${count}.parquet`);
    const none = async function* (): AsyncGenerator<RowGroup> {};
    // Three rows a group and one of the failed problem.
    await writeRolloutTable(file, '/somewhere/run', count === 0 ? none() : groups((count - 1) / 3));
    expect(await rows(file)).toHaveLength(count);
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
