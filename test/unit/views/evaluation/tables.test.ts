// Tables from stored rollouts: regraded, counted by rotation and sub-task, written with the same bytes every time.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { random } from '../../../../src/core/random.js';
import type { Problem } from '../../../../src/core/types.js';
import { findBenchmark } from '../../../../src/evaluate/benchmarks/registry.js';
import type { Evaluation, SetTables } from '../../../../src/evaluate/evaluation.js';
import { makeTables, writeTables } from '../../../../src/views/evaluation/tables.js';
import { solidPng } from '../../../fakes/png.js';
import { choiceProblem, numberProblem, type StoredGroup, writeStored } from '../../../fakes/stored.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'mstar-tables-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function tables(name: string, groups: readonly StoredGroup[], benchmark?: string): Promise<Evaluation> {
  const file = join(dir, `${name}.parquet`);
  await writeStored(file, dir, groups);
  return makeTables({ rollouts: file, seed: 1, ...(benchmark && { benchmark: await findBenchmark(benchmark) }) });
}

const set = (evaluation: Evaluation, i = 0): SetTables => evaluation.sets[i] as SetTables;
const curve = (tablesOf: SetTables, name: string): number[] =>
  tablesOf.curves.find((one) => one.name === name)?.points.map(({ mean }) => mean) ?? [];
const says = (letter: string): string => `The answer is ${letter}.`;

describe('curves over N', () => {
  const LETTERS = ['A', 'B', 'C'];
  const problems = Array.from({ length: 12 }, (_, i) => choiceProblem(`q${i}`, LETTERS[i % 3] as string));
  const drawn = problems.map((_, q) => {
    const draw = random(5, `stored/${q}`);
    return Array.from(
      { length: 16 },
      (_, i) => [LETTERS[draw.below(2 * i, 3)] as string, draw.below(2 * i + 1, 8) / 8] as const,
    );
  });

  test('agree with a count by hand at N = 1, 4 and 16', async () => {
    const groups = problems.map((problem, q): StoredGroup => {
      const responses = drawn[q]?.map(([letter, reward]) => [says(letter), reward] as const) ?? [];
      return { problem, temperature: 1, responses };
    });
    const got = set(await tables('curves', groups));
    expect([got.n, got.questions, got.scored, got.name]).toEqual([16, 12, true, 'T = 1']);
    for (const n of [1, 4, 16]) {
      let [pass, best, majority, weighted] = [0, 0, 0, 0];
      for (const [q, { answer }] of problems.entries()) {
        const some = (drawn[q] ?? []).slice(0, n);
        if (some.some(([letter]) => letter === answer)) pass++;
        const top = Math.max(...some.map(([, reward]) => reward));
        if (some.find(([, reward]) => reward === top)?.[0] === answer) best++;
        const winner = (weight: (reward: number) => number): string | undefined => {
          const seen = [...new Set(some.map(([letter]) => letter))];
          const total = (one: string): number =>
            some.reduce((sum, [letter, reward]) => sum + (letter === one ? weight(reward) : 0), 0);
          const most = Math.max(...seen.map(total));
          return seen.find((letter) => total(letter) === most);
        };
        if (winner(() => 1) === answer) majority++;
        if (winner((reward) => reward) === answer) weighted++;
      }
      expect(curve(got, 'Pass@N')[n - 1]).toBeCloseTo(pass / 12, 12);
      expect(curve(got, 'best-of-N')[n - 1]).toBeCloseTo(best / 12, 12);
      expect(curve(got, 'majority')[n - 1]).toBeCloseTo(majority / 12, 12);
      expect(curve(got, 'weighted vote')[n - 1]).toBeCloseTo(weighted / 12, 12);
    }
    const right = drawn.flatMap((some, q) => some.filter(([letter]) => letter === problems[q]?.answer)).length;
    expect(got.scores[0]?.accuracy.mean).toBeCloseTo(right / (12 * 16), 12);
    expect(curve(got, 'Pass@N unbiased')[0]).toBeCloseTo(right / (12 * 16), 12);
    for (const { points } of got.curves)
      for (const { mean, low, high } of points) expect(low <= mean && mean <= high).toBe(true);
  });

  test('leave out what needs rewards where a response has none', async () => {
    const [problem] = problems;
    const responses = [[says('A'), 0.5] as const, says('A')];
    const got = set(await tables('unscored', [{ problem: problem!, temperature: 0.5, responses }]));
    expect([got.scored, got.curves.map(({ name }) => name)]).toEqual([
      false,
      ['Pass@N', 'Pass@N unbiased', 'majority'],
    ]);
  });

  test('stand beside greedy accuracy on the same questions, as paired differences', async () => {
    const groups = problems.flatMap((problem): StoredGroup[] => [
      { problem, temperature: 0, responses: [says('A')] },
      { problem, temperature: 0.7, responses: [says('B'), says('A'), says(problem.answer)] },
    ]);
    const { sets } = await tables('greedy', groups);
    expect(sets.map(({ name, n }) => [name, n])).toEqual([
      ['greedy', 1],
      ['T = 0.7', 3],
    ]);
    const gap = sets[1]?.differences.find(({ first, second }) => first === 'Pass@N' && second === 'greedy');
    expect(gap?.mean).toBeCloseTo(8 / 12, 12);
    expect(gap && gap.low > 0 && gap.high <= 1).toBe(true);
  });
});

describe('responses are graded again', () => {
  test('by the protocol of the benchmark, with the verdicts of others beside it', async () => {
    const problem = choiceProblem('1', 'B', { tags: { category: 'math' } });
    // The matcher of MMStar looks at the first letter only, the project's own protocol reads to the end.
    const evaluation = await tables(
      'protocols',
      [{ problem, temperature: 0, responses: ['We count. The answer is B.'] }],
      'mmstar',
    );
    expect([evaluation.protocol, evaluation.benchmark?.title]).toEqual(['mstar', 'MMStar']);
    const scores = set(evaluation).scores.map(({ protocol, accuracy, unreadable }) => [
      protocol,
      accuracy.mean,
      unreadable,
    ]);
    expect(scores).toEqual([
      ['mstar', 1, 0],
      ['mmstar', 0, 1],
    ]);
    const by = await makeTables({ rollouts: join(dir, 'protocols.parquet'), seed: 1, protocol: 'mmstar' });
    expect([by.protocol, set(by).scores[0]?.accuracy.mean, by.wrong[0]?.verdict]).toEqual(['mmstar', 0, 'unreadable']);
  });

  test('by the text of the choice where the benchmark is MathVista', async () => {
    const problem = choiceProblem('7', 'C', { tags: { task: 'geometry problem solving' } });
    const other = numberProblem('8', '12', { tags: { task: 'math word problem' } });
    const groups = [
      { problem, temperature: 0, responses: ['So it is (C) three'] },
      { problem: other, temperature: 0, responses: ['The answer is 13'] },
    ];
    const evaluation = await tables('mathvista', groups, 'mathvista');
    const rows = set(evaluation).parts.find(({ title }) => title === 'task')?.rows ?? [];
    expect(rows.map(({ part, questions, accuracy }) => [part, questions, accuracy.mean])).toEqual([
      ['GPS', 1, 1],
      ['MWP', 1, 0],
    ]);
    expect(evaluation.wrong.map(({ problem: id, verdict }) => [id, verdict])).toEqual([['8', 'wrong']]);
  });

  test('a problem that could not be sampled counts as unreadable, n times', async () => {
    const groups: StoredGroup[] = [
      { problem: choiceProblem('1', 'A'), temperature: 1, responses: [says('A'), 'no idea'] },
      { problem: choiceProblem('2', 'A'), temperature: 1, responses: [], error: 'a.png: damaged' },
    ];
    const { failed, scores, n } = set(await tables('failed', groups));
    expect([failed, n, scores[0]?.accuracy.mean, scores[0]?.unreadable]).toEqual([1, 2, 0.25, 0.75]);
  });
});

describe('rotations of a question', () => {
  const rotated = (index: number, answer: string, letters: readonly string[]): StoredGroup => ({
    problem: choiceProblem(String(index), answer, { tags: { 'l2-category': 'logic_reasoning' } }),
    temperature: letters.length > 1 ? 1 : 0,
    responses: letters.map((letter) => `Answer: ${letter}`),
  });

  test('are right together or not at all; the first rotation stands beside', async () => {
    const groups = [
      rotated(5, 'A', ['A']),
      rotated(1_000_005, 'B', ['B']),
      rotated(6, 'A', ['A']),
      rotated(2_000_006, 'C', ['A']),
      rotated(1_000_006, 'B', ['B']),
    ];
    const got = set(await tables('circular', groups, 'mmbench'));
    const [score] = got.scores;
    expect([got.questions, got.problems, score?.accuracy.mean, score?.vanilla?.mean]).toEqual([2, 5, 0.5, 1]);
  });

  test('of samples count by the chance that all are right', async () => {
    const groups = [rotated(5, 'A', ['A', 'A', 'B', 'B']), rotated(1_000_005, 'B', ['B', 'A', 'A', 'A'])];
    const got = set(await tables('circular-samples', groups, 'mmbench'));
    expect(got.scores[0]?.accuracy.mean).toBeCloseTo(0.5 * 0.25, 12);
    expect([curve(got, 'Pass@N'), curve(got, 'majority')]).toEqual([
      [1, 1, 1, 1],
      [1, 1, 0, 0],
    ]);
  });
});

describe('what cannot be counted is refused', () => {
  test.each([
    [
      'problems with different numbers of responses',
      [
        { problem: choiceProblem('1', 'A'), temperature: 1, responses: ['A', 'B'] },
        { problem: choiceProblem('2', 'A'), temperature: 1, responses: ['A'] },
      ],
      undefined,
      /responses: 1 to a problem, wanted 2 as to the others/,
    ],
    [
      'a subset without its tags',
      [{ problem: choiceProblem('1', 'A'), temperature: 0, responses: ['A'] }],
      'mmstar-r',
      /problems: none of mmstar-r, wanted at least one/,
    ],
  ] as const)('%s', async (name, groups, benchmark, message) => {
    await expect(tables(name, groups, benchmark)).rejects.toThrow(message);
  });

  test('a file that is not a table', async () => {
    writeFileSync(join(dir, 'no.parquet'), 'nothing');
    await expect(makeTables({ rollouts: join(dir, 'no.parquet'), seed: 1 })).rejects.toThrow(
      /no.parquet: table: .*wanted a table/,
    );
    await expect(makeTables({ rollouts: join(dir, 'absent'), seed: 1 })).rejects.toThrow('no such file or folder');
    mkdirSync(join(dir, 'empty'));
    await expect(makeTables({ rollouts: join(dir, 'empty'), seed: 1 })).rejects.toThrow(
      'neither greedy.parquet nor rollouts.parquet',
    );
  });
});

describe('a table that says less', () => {
  test('takes tags from a data set, by id', async () => {
    const file = join(dir, 'untagged.parquet');
    const [kept, dropped] = [choiceProblem('1', 'A'), choiceProblem('2', 'A')];
    await writeStored(file, dir, [
      { problem: kept, temperature: 0, responses: [says('A')] },
      { problem: dropped, temperature: 0, responses: [says('B')] },
    ]);
    const about = new Map<string, Problem>([
      ['1', { ...kept, tags: { category: 'math' } }],
      ['2', { ...dropped, tags: { category: 'coarse perception' } }],
    ]);
    const evaluation = await makeTables({ rollouts: file, seed: 1, about, benchmark: await findBenchmark('mmstar-r') });
    expect([set(evaluation).questions, evaluation.leftOut, set(evaluation).scores[0]?.accuracy.mean]).toEqual([
      1, 1, 1,
    ]);
  });

  test('because an earlier version wrote it is read by its questions', async () => {
    const groups = [
      { problem: choiceProblem('1', 'C'), temperature: 0, responses: ['(C)'] },
      { problem: numberProblem('2', '7'), temperature: 0, responses: ['it is 7'] },
    ];
    const before = await tables('form', groups);
    const old = join(dir, 'old.parquet');
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const form = 'question_type, answer_type, choices, precision, unit, tags';
    await connection.run(
      `copy (select * exclude (${form}) from '${join(dir, 'form.parquet')}') to '${old}' (format parquet)`,
    );
    connection.closeSync();
    instance.closeSync();
    const after = await makeTables({ rollouts: old, seed: 1 });
    expect(after.sets).toEqual(before.sets);
    expect(set(after).scores[0]?.accuracy.mean).toBe(1);
  });
});

describe('the three files', () => {
  test('have the same bytes every time, name the protocol and escape what responses hold', async () => {
    const folder = join(dir, 'run');
    mkdirSync(folder);
    const groups = Array.from({ length: 8 }, (_, i): StoredGroup => {
      const problem = choiceProblem(`q|${i}`, 'ABCD'[i % 4] as string, { source: i % 2 ? 'odd' : 'even' });
      return {
        problem,
        temperature: 1,
        responses: [['<script>alert(1)</script>\n# B', 0.5] as const, [says('B'), 0.1 * i] as const],
      };
    });
    await writeStored(join(folder, 'rollouts.parquet'), folder, groups);
    const read = (out: string): string[] =>
      ['json', 'md', 'html'].map((ending) => readFileSync(join(out, `evaluation.${ending}`), 'utf8'));
    const outs = [join(dir, 'out1'), join(dir, 'out2')];
    for (const out of outs) await writeTables(out, { rollouts: folder, seed: 1 });
    const [json, md, page] = read(outs[0]!) as [string, string, string];
    expect(read(outs[1]!)).toEqual([json, md, page]);
    expect(existsSync(join(folder, 'evaluation.json'))).toBe(false);
    const parsed = JSON.parse(json) as Evaluation;
    expect([parsed.format, parsed.protocol, parsed.files]).toEqual([1, 'mstar', ['rollouts.parquet']]);
    expect(parsed.sets[0]?.parts[0]?.rows.map(({ part }) => part)).toEqual(['even', 'odd']);
    expect(md).toContain('Protocol: **mstar**');
    expect(md).toContain('| weighted vote |');
    expect(md).not.toMatch(/^<script|^# B/m);
    expect(page).toContain('mstar evaluation');
    expect(page).toContain('by protocol <b>mstar</b>');
    const bytes = solidPng(6, 4, [255, 0, 0]);
    const about = new Map(
      groups.map(({ problem }) => [problem.id, { ...problem, images: [{ bytes, name: 'inside' }] }]),
    );
    expect(page).not.toContain('data:image');
    await writeTables(join(dir, 'pictures'), { rollouts: folder, seed: 1, about });
    const [sameJson, , withPictures] = read(join(dir, 'pictures'));
    expect([sameJson, withPictures?.includes('src="data:image/png;base64,')]).toEqual([json, true]);
    expect(page).not.toContain('<script');
    expect(page).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
  });
});
