import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, pathOf, tableOf } from '../../../src/core/duckdb.js';
import { loadProblems } from '../../../src/data/problems.js';
import { readStored } from '../../../src/evaluate/stored.js';
import { exportLines } from '../../../src/label/export.js';
import { readSelected } from '../../../src/record/groups.js';
import { queryRollouts } from '../../../src/record/query.js';
import { writeRolloutTable } from '../../../src/record/table.js';
import { Tables } from '../../../src/record/tables.js';
import { rate } from '../../../src/rollout/generate.js';
import { readProblems } from '../../../src/views/prm/read.js';
import { respond } from '../../fakes/chains.js';
import { solidPng } from '../../fakes/png.js';
import { numberProblem } from '../../fakes/stored.js';

/** Folders whose names look like columns of the tables in them, like patterns, or end a quote. */
const FOLDERS = ['temperature=0.7/verdict=correct/sample=0/category=other/selected=true', "it's [1] * ?"];
/** Each beside a file that it would match as a pattern. */
const FILES = [
  ['test[1].parquet', 'test1.parquet'],
  ['star*.parquet', 'starry.parquet'],
  ['a?.parquet', 'ab.parquet'],
] as const;

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mstar-duckdb-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const problem = numberProblem('p', '4');
const texts = ['2 + 2 = 4.\nThe answer is 4.', 'The answer is 5.', 'The answer is 6.'];

/** A table of one right and two wrong responses at temperature 1, the second of them selected. */
async function writeTable(path: string, answers = texts): Promise<void> {
  const responses = answers.map((text) => ({ ...rate(problem, respond(text, 100, 0), '\n'), reward: 0.5 }));
  const context = { temperature: 1, seed: 1, version: 0, selected: new Set([1]) };
  await writeRolloutTable(
    path,
    root,
    (async function* () {
      yield { rollout: { problem, responses }, context };
    })(),
  );
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of source) found.push(one);
  return found;
}

describe.each(FOLDERS)('in a folder %j', (name) => {
  const folder = (...parts: string[]) => {
    const path = join(root, name, ...parts);
    mkdirSync(path, { recursive: true });
    return path;
  };

  test.each(FILES)('every reader of a table of rollouts reads %j alone, and its own columns', async (file, other) => {
    const path = join(folder('tables'), file);
    await writeTable(join(folder('tables'), other), ['The answer is 4.']);
    await writeTable(path);
    const [stored] = await all(readStored(path));
    expect([stored?.temperature, stored?.responses.map(({ text }) => text)]).toEqual([1, texts]);
    const [asked] = await all(readProblems(path));
    const verdicts = asked?.responses.map(({ sample, verdict }) => [sample, verdict]);
    expect([asked?.temperature, verdicts]).toEqual([
      1,
      [
        [0, 'correct'],
        [1, 'wrong'],
        [2, 'wrong'],
      ],
    ]);
    const examples = await readSelected(path, [problem]);
    expect(examples.map(({ response }) => response.length)).toEqual([
      respond(texts[1] as string, 100, 0).tokens.length,
    ]);
    const tables = await Tables.open();
    try {
      expect(await tables.problemStats(path)).toMatchObject([{ problem: 'p', responses: 3, correct: 1, selected: 1 }]);
      expect(await tables.keptPerProblem(path)).toMatchObject({ problems: [0, 1] });
      const rows = await tables.responses(path, ['p']);
      expect(rows.map(({ sample, verdict, selected }) => [sample, verdict, selected])).toEqual([
        [0, 'correct', false],
        [1, 'wrong', true],
        [2, 'wrong', false],
      ]);
    } finally {
      tables.close();
    }
  });

  test('a run is asked by SQL and exported by what its tables hold', async () => {
    const run = folder('run');
    await writeTable(join(folder('run', 'rollouts'), 'warmup.parquet'));
    await writeTable(join(folder('run', 'rollouts'), 'label.parquet'));
    const steps = [
      { end: 1, label: 0.5 },
      { end: 2, label: 0.25 },
    ];
    const label = { problem: 'p', sample: 0, verdict: 'correct', text: texts[0], tokens: [1, 2], steps };
    writeFileSync(join(run, 'labels.jsonl'), `${JSON.stringify(label)}\n`);
    const counted = async (sql: string) => (await queryRollouts(run, sql)).rows;
    expect(
      await counted('select verdict, temperature, count(*)::integer as n from rollouts group by all order by all'),
    ).toEqual([
      { verdict: 'correct', temperature: 1, n: 2 },
      { verdict: 'wrong', temperature: 1, n: 4 },
    ]);
    expect(await counted('select sample, label from labels order by all')).toEqual([
      { sample: 0, label: 0.25 },
      { sample: 0, label: 0.5 },
    ]);
    const messages = (await all(exportLines(run, 'messages'))).map((line) => JSON.parse(line));
    expect(messages.map(({ messages: turns }) => turns[1].content)).toEqual([texts[1]]);
    const labelled = (await all(exportLines(run, 'visualprm'))).map((line) => JSON.parse(line));
    expect(labelled.map(({ id }) => id)).toEqual(['p/0']);
    const tables = await Tables.open();
    expect(await tables.labelCounts(join(run, 'labels.jsonl'))).toHaveLength(2);
    tables.close();
  });

  test.each(FILES)('data sets are read from %j alone, with their own category', async (file, other) => {
    const data = folder('data');
    const hex = Buffer.from(solidPng(2, 2, [1, 2, 3])).toString('hex');
    const { connection, close } = await openDatabase();
    for (const [path, category] of [
      [file, 'mine'],
      [other, 'theirs'],
    ])
      await connection.run(
        `copy (select 1 as index, 'Which?\nOptions: A: x, B: y' as question, 'B' as answer, '${category}' as category, 'l' as l2_category, from_hex('${hex}') as image) to ${pathOf(join(data, path as string))} (format parquet)`,
      );
    close();
    const problems = await loadProblems(join(data, file), { imageRoot: data });
    expect(problems.map(({ tags }) => tags?.category)).toEqual(['mine']);
    for (const [ending, sign] of [
      ['csv', ','],
      ['tsv', '\t'],
    ]) {
      const text = (answer: string) => ['question', 'answer', 'category\nHow many?', answer, 'x\n'].join(sign);
      const [mine, theirs] = [file, other].map((path) => join(data, path.replace('parquet', ending as string)));
      writeFileSync(mine as string, text('3'));
      writeFileSync(theirs as string, text('4'));
      expect(await loadProblems(mine as string, { imageRoot: data })).toMatchObject([{ answer: '3' }]);
    }
  });
});

test('a path with a link in it, and one that begins like an address or a home folder, mean themselves', async () => {
  mkdirSync(join(root, 'real [1]'));
  symlinkSync('real [1]', join(root, 'link [1]'));
  await writeTable(join(root, 'real [1]', 'a.parquet'));
  const { connection, close } = await openDatabase();
  const count = async (file: string) =>
    (await connection.runAndReadAll(`select count(*)::integer from ${tableOf('read_parquet', file)}`)).getRows();
  expect(await count(join(root, 'link [1]', 'a.parquet'))).toEqual([[3]]);
  for (const file of ['~/a.parquet', 's3://a/b.parquet', 'https://localhost/a.parquet'])
    await expect(count(file)).rejects.toThrow(/No files found|No such file/);
  close();
});
