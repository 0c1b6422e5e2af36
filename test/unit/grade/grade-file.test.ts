// Grading a file: the output rows, what is counted, which rows are refused and how.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gradeFile } from '../../../src/grade/grade-file.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'mstar-grade-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const integer = {
  id: 'a',
  question_type: 'free_form',
  answer_type: 'integer',
  answer: '8',
  response: 'The answer is 8.',
};
const choice = { id: 'b', task_format: 'm3cot', choices: ['red', 'blue'], answer: 'B', response: '(A)' };

function write(...rows: unknown[]): string {
  const file = path.join(dir, 'rows.jsonl');
  writeFileSync(file, rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))).join('\n'));
  return file;
}

const out = (): string => path.join(dir, 'grades.jsonl');
const grades = (): Record<string, unknown>[] =>
  readFileSync(out(), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const run = (file: string, protocol = 'mstar', explain = false) => gradeFile(file, { out: out(), protocol, explain });

describe('gradeFile', () => {
  it('writes one row for each, in order, with these five fields', async () => {
    const counts = await run(write(integer, choice, { ...integer, id: 7, response: '' }));
    expect(counts).toMatchObject({ rows: 3, correct: 1, wrong: 1, unreadable: 1, recorded: 0, rotations: null });
    expect(grades()).toEqual([
      { id: 'a', extracted: '8', normalised: '8', correct: true, reason: 'after "answer is": 8' },
      { id: 'b', extracted: '(A)', normalised: 'A', correct: false, reason: expect.stringContaining('not B') },
      { id: '7', extracted: null, normalised: null, correct: false, reason: expect.stringMatching(/^unreadable: /) },
    ]);
  });

  it('explains which protocol graded a row and how', async () => {
    await run(write(choice), 'official', true);
    expect(grades()[0]?.explain).toMatchObject({ protocol: 'm3cot', extract: '(A)', normalise: 'A' });
  });

  it('counts the agreement with recorded verdicts and the rotations of MMBench', async () => {
    const rotation = { ...choice, task_format: 'mmbench', response: 'B', official_verdict: true };
    const counts = await run(
      write({ ...rotation, id: 'x/5' }, { ...rotation, id: 'x/1000005', answer: 'A', official_verdict: true }),
      'official',
    );
    expect(counts).toMatchObject({ recorded: 2, agreed: 1, rotations: { questions: 1, circular: 0, vanilla: 1 } });
  });

  it('takes a gold choice text of MathVista for the choice of that text, even if it reads like a letter', async () => {
    await run(
      write({ ...choice, task_format: 'mathvista', choices: ['B', 'A'], answer: 'B', response: 'The answer is (A).' }),
    );
    expect(grades()[0]?.correct).toBe(true);
  });

  it('grades a response of a megabyte and one of nested braces in a second', async () => {
    const began = performance.now();
    const long = { ...integer, response: `${'The bar is 3 high.\n'.repeat(55_000)}The answer is 8.` };
    const nested = { ...integer, answer_type: 'expression', response: `${'\\boxed{'.repeat(100_000)}8` };
    await run(write(long, nested));
    expect(grades().map(({ correct }) => correct)).toEqual([true, true]);
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it.each<[string, unknown, string]>([
    ['no object', '[1]', '2: record: "[", wanted an object'],
    ['no JSON', '{"id": }', '2: record: not JSON, wanted a JSON object'],
    ['a null response', { ...integer, response: null }, '2: response: null, wanted a text'],
    ['no answer', { ...integer, answer: undefined }, '2: answer: missing, wanted a text'],
    ['an empty answer', { ...integer, answer: ' ' }, '2: answer: no text, wanted the true answer'],
    [
      'a letter that no choice has',
      { ...choice, answer: '(C)' },
      '2: answer: "(C)", wanted a letter from A to B, or the text of a choice',
    ],
    [
      'an answer letter that no choice has',
      { ...choice, answer: 'red', answer_letter: 'D' },
      '2: answer_letter: "D", wanted a letter from A to B, or the text of a choice',
    ],
    ['a number as answer', { ...integer, answer: 8 }, '2: answer: 8, wanted a text'],
    ['no id', { ...integer, id: null }, '2: id: null, wanted a text of 1 to 1024 characters or an integer'],
    ['an odd precision', { ...integer, precision: 1.5 }, '2: precision: 1.5, wanted an integer from 0 to 15'],
    ['an odd kind', { ...integer, answer_type: 'poem' }, '2: answer_type: "poem", wanted one of text'],
    [
      'an odd question type',
      { ...integer, question_type: 3 },
      '2: question_type: 3, wanted "multi_choice" or "free_form"',
    ],
    ['choices without texts', { ...choice, choices: ['a', null] }, '2: choices[B]: null, wanted a text'],
    ['choices in an object', { ...choice, choices: { A: 'a' } }, '2: choices: an object, wanted a list of texts'],
    ['too many choices', { ...choice, choices: Array(27).fill('a') }, '2: choices: 27 of them, wanted at most 26'],
    ['no choices', { ...choice, question_type: 'multi_choice', choices: [] }, '2: choices: none, wanted at least one'],
    ['an odd letter', { ...choice, answer_letter: 'bb' }, '2: answer_letter: "bb", wanted a letter from A to Z'],
    ['an odd extraction', { ...integer, extraction: 8 }, '2: extraction: 8, wanted a text'],
  ])('refuses %s with its line and leaves no output', async (_, row, message) => {
    rmSync(out(), { force: true });
    await expect(run(write(integer, row))).rejects.toThrow(`rows.jsonl:${message}`);
    expect(existsSync(out())).toBe(false);
    expect(existsSync(`${out()}.part`)).toBe(false);
  });

  it('refuses an unknown protocol and an output that is the input', async () => {
    const file = write(integer);
    await expect(run(file, 'mmlu')).rejects.toThrow('--protocol: mmlu, wanted one of mstar, official, mathvista');
    await expect(gradeFile(file, { out: file, protocol: 'mstar', explain: false })).rejects.toThrow('--out:');
  });
});
