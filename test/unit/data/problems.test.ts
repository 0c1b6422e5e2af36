// Reading whole data files of the MathV360K form into problems.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadProblems, openProblems } from '../../../src/data/problems.js';

let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'mstar-problems-')));
  mkdirSync(path.join(folder, 'Bars/images'), { recursive: true });
  writeFileSync(path.join(folder, 'Bars/images/1.png'), 'x');
  writeFileSync(path.join(folder, '2.png'), 'x');
});
afterAll(() => rmSync(folder, { recursive: true }));

function record(question: string, answer: string, more: object = {}): Record<string, unknown> {
  const conversations = [
    { from: 'human', value: `<image>\n${question}` },
    { from: 'gpt', value: answer },
  ];
  return { image: 'Bars/images/1.png', conversations, ...more };
}

async function load(records: unknown[], limit?: number) {
  const file = path.join(folder, 'data.jsonl');
  writeFileSync(file, records.map((value) => JSON.stringify(value)).join('\n'));
  const warnings: string[] = [];
  const onWarning = (warning: string) => warnings.push(warning.replace(`${file}:`, ''));
  const problems = await loadProblems(file, { imageRoot: folder, limit, onWarning });
  return { problems, warnings };
}

describe('loadProblems', () => {
  it('reads a free-form and a multiple-choice record whole', async () => {
    const integer =
      'Hint: Please answer the question requiring an integer answer and provide the final value, e.g., 1, 2, 3, at the end.\nQuestion: How many? (Unit: books)';
    const { problems } = await load([
      record(integer, 'The answer is 3'),
      record('Question: Which?\nChoices:\n(A) red\n(B) blue', 'The answer is blue', { id: 'q7', image: '2.png' }),
    ]);
    expect(problems).toEqual([
      {
        id: '0',
        question: integer,
        images: [{ path: path.join(folder, 'Bars/images/1.png') }],
        answer: '3',
        questionType: 'free_form',
        answerType: 'integer',
        choices: [],
        precision: undefined,
        unit: 'books',
        source: 'Bars',
        truth: undefined,
      },
      {
        id: 'q7',
        question: 'Question: Which?\nChoices:\n(A) red\n(B) blue',
        images: [{ path: path.join(folder, '2.png') }],
        answer: 'B',
        questionType: 'multi_choice',
        answerType: 'text',
        choices: ['red', 'blue'],
        precision: undefined,
        unit: undefined,
        source: '',
        truth: undefined,
      },
    ]);
  });

  it('reads what the generator knows', async () => {
    const truth = { family: 'bars', steps: ['red is 3.', 'The answer is 3.'], scene: { red: 3, tall: 'red' } };
    const { problems } = await load([record('How much is red?', 'The answer is 3', { truth })]);
    expect(problems[0]).toMatchObject({ truth, source: 'bars', answerType: 'integer' });
  });

  it('keeps and reports conflicting answers, repeated ids and answers that are not among the choices', async () => {
    const choices = 'Which?\nChoices:\n(A) red\n(B) blue';
    const { problems, warnings } = await load([
      record('How many?', 'The answer is 3', { id: 'a' }),
      record('How many?', '3', { id: 'a' }),
      record('How many?', '4', { id: 5 }),
      record('How many?', '5', { image: '2.png' }),
      record(choices, 'green'),
    ]);
    expect(problems.map(({ id, answer }) => [id, answer])).toEqual([
      ['a', '3'],
      ['a#1', '3'],
      ['5', '4'],
      ['3', '5'],
      ['4', 'green'],
    ]);
    expect(warnings).toEqual([
      '2: id: "a" again, read as "a#1", wanted a new id',
      '3: answer: "4" where line 1 has "3", wanted one answer for the same picture and question',
      '5: answer: "green", wanted one of the 2 choices',
    ]);
  });

  it('makes the index that stands in for an id unique too', async () => {
    const { problems } = await load([
      record('a?', '1', { id: 1 }),
      record('b?', '1'),
      record('c?', '1', { id: '1#1' }),
    ]);
    expect(new Set(problems.map(({ id }) => id)).size).toBe(3);
  });

  it('stops after the limit without looking at what follows', async () => {
    const { problems } = await load([record('How many?', '3'), 'broken'], 1);
    expect(problems).toHaveLength(1);
    expect((await load([record('How many?', '3')], 0)).problems).toEqual([]);
  });

  it.each([
    ['conversations: 0 turns, wanted a question of the user and its answer at the end', { conversations: [] }],
    ['conversations: "x", wanted a list of turns', { conversations: 'x' }],
    ['image: 7, wanted the path or the bytes of a picture', { image: 7 }],
    ['images: 0, wanted 1, one for each <image> in the texts', { image: undefined }],
    ['image: "../1.png": leaves the image root, wanted a file under it', { image: '../1.png' }],
    ['image: "/etc/passwd": an absolute path out of the image root, wanted', { image: '/etc/passwd' }],
    ['image: "no.png": no such file, wanted a readable file under the image root', { image: 'no.png' }],
    ['image: 5000 characters, wanted at most 4096', { image: 'x'.repeat(5000) }],
    ['id: an object, wanted a text', { id: {} }],
    ['id: 1.5, wanted a text', { id: 1.5 }],
    ['truth: 3, wanted an object', { truth: 3 }],
    ['truth.steps: a list of 0, wanted a list of texts', { truth: { family: 'f', steps: [] } }],
    ['truth.steps[0]: 1, wanted a text', { truth: { family: 'f', steps: [1], scene: {} } }],
    ['truth.scene["a"]: null, wanted a number or a text', { truth: { family: 'f', steps: ['a'], scene: { a: null } } }],
    ['conversations[0].from: "me", wanted system, user (human)', { conversations: [{ from: 'me', value: 'x' }, {}] }],
    ['conversations[0].value: "", wanted a text', { conversations: [{ from: 'human', value: '' }, {}] }],
    ['conversations[0]: null, wanted an object', { conversations: [null, {}] }],
    ['image: "a\\u0007\\u{202e}.png": no such file', { image: 'a\u0007\u202e.png' }],
  ])('refuses a record with %j', async (message, change) => {
    await expect(load([record('ok?', '1'), record('How many?', '3', change)])).rejects.toThrow(
      `data.jsonl:2: ${message}`,
    );
  });

  it('refuses a question or an answer without text', async () => {
    await expect(load([record('\n', '3')])).rejects.toThrow(':1: conversations[0].value: no text, wanted a question');
    await expect(load([record('How many?', ' ')])).rejects.toThrow(':1: conversations[1].value: " ", wanted an answer');
  });

  it('refuses a letter that no choice has', async () => {
    await expect(load([record('Which?\nChoices:\n(A) red\n(B) blue', 'The answer is E.')])).rejects.toThrow(
      ':1: answer: "E", wanted a letter from A to B, or the text of a choice',
    );
  });
});

const real = path.resolve('../shared/realdata/mathv360k');
const hasReal = existsSync(real);
if (!hasReal) console.warn(`skipped: no real MathV360K records at ${real}`);

describe.skipIf(!hasReal)('the 147 real records', () => {
  it('are all read, as their key says, without a warning', async () => {
    const file = path.join(real, 'train_samples_all_tuning.json');
    const keys = readFileSync(path.join(real, 'key.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const warnings: string[] = [];
    let read = 0;
    const counts: Record<string, number> = {};
    const imageRoot = path.join(real, 'data_images');
    for await (const problem of openProblems(file, { imageRoot, onWarning: (text) => warnings.push(text) })) {
      const key = keys[read++];
      expect({
        source: problem.source,
        question_type: problem.questionType,
        answer_type: problem.answerType,
        precision: problem.precision ?? null,
        unit: problem.unit ?? null,
        choices: problem.choices.length > 0 ? problem.choices : null,
        gold: problem.answer,
        image: path.relative(realpathSync(imageRoot), (problem.images[0] as { path: string }).path),
      }).toEqual({
        source: key.source,
        question_type: key.question_type,
        answer_type: key.answer_type,
        precision: key.precision,
        unit: key.unit,
        choices: key.choices,
        gold: key.gold_letter ?? key.gold,
        image: key.image,
      });
      const type = problem.questionType === 'multi_choice' ? 'multi_choice' : problem.answerType;
      counts[type] = (counts[type] ?? 0) + 1;
    }
    expect(warnings).toEqual([]);
    expect(counts).toEqual({ multi_choice: 82, integer: 36, float: 19, list: 3, text: 7 });
  });
});
