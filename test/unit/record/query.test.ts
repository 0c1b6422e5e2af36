// SQL over a run: its tables, of unfinished runs too, and nothing else.
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { queryRollouts } from '../../../src/record/query.js';
import { step, tested, writeRun } from '../../fakes/journal.js';
import { numberProblem, writeStored } from '../../fakes/stored.js';

let root: string;
let run: string;

const label = (end: number, value: number, right?: boolean) => ({
  end,
  label: value,
  ...(right !== undefined && { right }),
});

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'mstar-query-'));
  // A quote in the name, as files are named inside SQL.
  run = writeRun(join(root, "it's"), { seed: 1 }, [
    { event: 'start', problems: 'abc' },
    step('warmup', 0.5),
    tested('base', 0.5),
    step('iter-0001', null),
    step('iter-0001', 0.25),
  ]);
  appendFileSync(join(run, 'journal.jsonl'), '{"event":"step","phase":"iter-0001","lo');
  mkdirSync(join(run, 'rollouts'));
  for (const phase of ['warmup', 'iter-0001'])
    await writeStored(join(run, 'rollouts', `${phase}.parquet`), run, [
      { problem: numberProblem('p', '4'), temperature: 1, responses: ['The answer is 4.', 'The answer is 5.'] },
    ]);
  writeFileSync(join(run, 'rollouts/iter-0002.parquet.aside'), 'half of it');
  const lines = [
    { problem: 'p', sample: 3, verdict: 'correct', text: 'a\nb', tokens: [1, 2], steps: [label(1, 0.5), label(2, 1)] },
    { problem: 'q', sample: 0, verdict: 'wrong', text: 'c', tokens: [1], steps: [label(1, 0, false)] },
  ];
  writeFileSync(join(run, 'labels.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const rows = async (sql: string) => (await queryRollouts(run, sql)).rows;

describe('a run in SQL', () => {
  test('has its responses with the phase of each', async () => {
    expect(await rows('select phase, verdict, count(*)::integer as n from rollouts group by all order by all')).toEqual(
      [
        { phase: 'iter-0001', verdict: 'correct', n: 1 },
        { phase: 'iter-0001', verdict: 'wrong', n: 1 },
        { phase: 'warmup', verdict: 'correct', n: 1 },
        { phase: 'warmup', verdict: 'wrong', n: 1 },
      ],
    );
  });

  test('of an earlier version, which called a setting otherwise, is asked as well', async () => {
    const old = writeRun(join(root, 'old'), { prm: { questions: 4 } }, [step('converge', 0.5)]);
    expect((await queryRollouts(old, 'select phase, loss from steps')).rows).toEqual([
      { phase: 'converge', loss: 0.5 },
    ]);
  });

  test('has a row for each labelled step', async () => {
    const shared = { problem: 'p', sample: 3, verdict: 'correct', text: 'a\nb' };
    expect(await rows('select * from labels order by problem, step')).toEqual([
      { ...shared, step: 1, token_end: 1, label: 0.5, right: null },
      { ...shared, step: 2, token_end: 2, label: 1, right: null },
      { problem: 'q', sample: 0, verdict: 'wrong', text: 'c', step: 1, token_end: 1, label: 0, right: false },
    ]);
  });

  test('has a row for each optimizer step, those of an unfinished phase too, and none of a line cut off', async () => {
    const unmeasured = { clip_share: null, kl: null, mismatch_mean: null, mismatch_max: null };
    const shared = { grad_norm: 2, lr: 1e-5, tokens: '9', version: '1', ...unmeasured };
    expect(await rows('from steps')).toEqual([
      { phase: 'warmup', step: 1, loss: 0.5, ...shared },
      { phase: 'iter-0001', step: 1, loss: null, ...shared },
      { phase: 'iter-0001', step: 2, loss: 0.25, ...shared },
    ]);
  });

  test('that has only begun has the tables that are there, and the refusal names them', async () => {
    const begun = writeRun(join(root, 'begun'), {}, []);
    expect((await queryRollouts(begun, 'select count(*)::integer as n from steps')).rows).toEqual([{ n: 0 }]);
    await expect(queryRollouts(begun, 'from rollouts')).rejects.toThrow(
      /^query: .*rollouts.*that this run has: steps /,
    );
    await expect(queryRollouts(root, 'select 1')).rejects.toThrow('no Parquet table');
  });
});

describe('a query', () => {
  test.each([
    ['reads another file', () => `select * from read_text('${root}/secret')`],
    ['writes a file', () => `copy steps to '${root}/out.csv'`],
    // Reading the tables is allowed by their paths, and the engine does not tell reading from writing.
    [
      'writes over a table of the run',
      () => `copy (select 1) to '${join(run, 'labels.jsonl').replace("'", "''")}' (use_tmp_file false)`,
    ],
    ['hides that behind another one', () => `select 1; copy steps to '${root}/out.csv' (use_tmp_file false)`],
    ['hides that in an explanation', () => `explain analyze copy steps to '${root}/out.csv'`],
    ['opens the doors again', () => 'set enable_external_access = true'],
    ['attaches a database', () => `attach '${root}/db'`],
    ['calls something', () => "call enable_logging(storage = 'file')"],
    ['calls something that gives rows', () => 'call range(5)'],
    ['calls something behind a remark', () => '/* a query */ call pragma_version()'],
    ['is a pragma', () => 'pragma version'],
    ['asks nothing', () => ' '],
    ['is no SQL', () => 'selec'],
  ])('that %s is refused in one line', async (_, sql) => {
    const before = readFileSync(join(run, 'labels.jsonl'), 'utf8');
    const error = (await queryRollouts(run, sql()).catch((caught: unknown) => caught)) as Error;
    expect(error.message).toMatch(
      /^query: [^\n]+, wanted SQL over the tables that this run has: rollouts, labels, steps/,
    );
    expect(existsSync(join(root, 'out.csv'))).toBe(false);
    expect(readFileSync(join(run, 'labels.jsonl'), 'utf8')).toBe(before);
  });
});
