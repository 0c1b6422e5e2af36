// Conversations in the forms of other trainers: mixtures in one file, Parquet, answers beside the prompt, hint lines.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Hints } from '../../../src/data/asked.js';
import { Forms, loadProblems, type ReadOptions } from '../../../src/data/problems.js';
import { blob, writeParquet } from '../../fakes/parquet.js';
import { solidPng } from '../../fakes/png.js';

const folder = mkdtempSync(join(tmpdir(), 'mstar-conversation-'));
afterAll(() => rmSync(folder, { recursive: true }));
const red = solidPng(2, 3, [255, 0, 0]);
mkdirSync(join(folder, 'coco'));
writeFileSync(join(folder, 'coco/red.png'), red);
writeFileSync(join(folder, 'coco/blue.png'), solidPng(3, 2, [0, 0, 255]));

let files = 0;
function json(...records: object[]): string {
  const path = join(folder, `${files++}.json`);
  writeFileSync(path, JSON.stringify(records, null, 1));
  return path;
}
const read = (path: string, more: Partial<ReadOptions> = {}) => loadProblems(path, { imageRoot: folder, ...more });
const said = (...texts: string[]) => texts.map((value, i) => ({ from: i % 2 === 0 ? 'human' : 'gpt', value }));
const short = (problems: Awaited<ReturnType<typeof read>>) =>
  problems.map(({ id, question, answer, images, source }) => [id, question, answer, images.length, source]);

describe('a mixture', () => {
  const one = { id: 'one', image: 'coco/red.png', conversations: said('<image>\nHow many?', 'The answer is 3') };
  const several = { id: 'several', image: 'coco/red.png', conversations: said('<image>\nA?', 'b', 'C?', 'd') };
  const textual = { id: 'textual', conversations: said('1 + 1?', '2') };
  const empty = { id: 'empty', image: '', conversations: said('2 + 2?', '4') };
  const minicpm = {
    id: 'minicpm',
    image: 'coco/red.png',
    conversations: [
      { role: 'user', content: '<image>\nWhich?' },
      { role: 'assistant', content: 'this' },
    ],
  };
  const records = { one, several, textual, empty, minicpm };
  const wanted: Record<string, unknown[]> = {
    one: ['one', 'How many?', '3', 1, 'coco'],
    several: ['several', 'user: A?\nassistant: b\nC?', 'd', 1, 'coco'],
    textual: ['textual', '1 + 1?', '2', 0, ''],
    empty: ['empty', '2 + 2?', '4', 0, ''],
    minicpm: ['minicpm', 'Which?', 'this', 1, 'coco'],
  };

  test.each(Object.keys(records))('is read the same whichever record comes first: %s', async (first) => {
    const order = [first, ...Object.keys(records).filter((name) => name !== first)];
    const problems = await read(json(...order.map((name) => records[name as keyof typeof records])));
    expect(short(problems)).toEqual(order.map((name) => wanted[name]));
  });

  test('says how many of its problems have no picture', async () => {
    const forms = new Forms();
    for (const problem of await read(json(one, textual, empty), { onFormat: forms.onFormat })) forms.add(problem);
    expect(forms.lines()[0]).toBe('without a picture: 2 of 3 problems');
  });

  test.each([
    ['one picture and no mark is a picture in front', { ...one, conversations: said('How many?', '3') }, undefined],
    ['a mark without a picture', { ...one, image: undefined }, 'images: 0, wanted 1'],
    [
      'a mark without a picture, in a later turn',
      { ...textual, conversations: said('a', 'b', 'Is <image>?', 'c') },
      'images: 0, wanted 1',
    ],
    ['two marks for one picture', { ...one, conversations: said('<image>\nIs <image>?', 'c') }, 'image: 1, wanted 2'],
    ['a picture that is a number', { ...one, image: 3 }, 'image: 3, wanted the path or the bytes'],
  ])('%s', async (_, record, message) => {
    const reading = read(json(textual, record));
    if (message === undefined) await expect(reading).resolves.toHaveLength(2);
    else await expect(reading).rejects.toThrow(message);
  });
});

describe('marks inside a sentence', () => {
  test('stay where they are, in every form', async () => {
    const question = 'What does <image> show?';
    const content = [
      { type: 'text', text: 'What does' },
      { type: 'image_url', image_url: { url: 'coco/red.png' } },
      { type: 'text', text: 'show?' },
    ];
    const answer = { role: 'assistant', content: 'red' };
    const problems = await read(
      json(
        { image: 'coco/red.png', conversations: said(question, 'red') },
        { messages: [{ role: 'user', content: question }, answer], images: ['coco/red.png'] },
        {
          image: { '<image_00>': 'coco/red.png' },
          messages: [{ role: 'user', content: 'What does <image_00> show?' }, answer],
        },
        { messages: [{ role: 'user', content }, answer] },
      ),
    );
    expect(problems.map((problem) => problem.question)).toEqual([
      question,
      question,
      question,
      'What does\n<image>\nshow?',
    ]);
    expect(problems.map(({ images }) => images.length)).toEqual([1, 1, 1, 1]);
  });
});

describe('Parquet', () => {
  const picture = `{'bytes': ${blob(red)}, 'path': null}`;

  test('LLaVA-OneVision: conversations and a picture in a row', async () => {
    const turns = `[{'from': 'human', 'value': '<image>\nHow many?'}, {'from': 'gpt', 'value': '3'}]`;
    const path = await writeParquet(
      join(folder, 'onevision.parquet'),
      `select 'a' as id, ${picture} as image, ${turns} as conversations, 'sums' as data_source
        union all select 'b', null, ${turns.replace('<image>\n', '')}, 'texts'`,
    );
    expect(short(await read(path))).toEqual([
      ['a', 'How many?', '3', 1, 'sums'],
      ['b', 'How many?', '3', 0, 'texts'],
    ]);
  });

  test('a picture in a field that nobody reads is refused', async () => {
    const turns = `[{'from': 'human', 'value': 'How many?'}, {'from': 'gpt', 'value': '3'}]`;
    const path = await writeParquet(
      join(folder, 'scan.parquet'),
      `select ${picture} as scan, ${turns} as conversations`,
    );
    await expect(read(path)).rejects.toThrow(':1: scan: a picture in a field that is not read, wanted it in images');
  });

  test('messages, and a prompt with its answer beside it', async () => {
    const path = await writeParquet(
      join(folder, 'messages.parquet'),
      `select [{'role': 'user', 'content': '<image>\nWhich?'}, {'role': 'assistant', 'content': 'x'}] as messages, [${picture}] as images`,
    );
    expect(short(await read(path))).toEqual([['0', 'Which?', 'x', 1, '']]);
    const verl = await writeParquet(
      join(folder, 'verl.parquet'),
      `select 'geo' as data_source, [{'role': 'user', 'content': '<image>Find x.'}] as prompt, [${picture}] as images, {'ground_truth': '3', 'style': 'rule'} as reward_model`,
    );
    expect(short(await read(verl))).toEqual([['0', 'Find x.', '3', 1, 'geo']]);
  });

  test("EasyR1's geometry3k is a flat table of a problem, pictures and an answer", async () => {
    const path = await writeParquet(
      join(folder, 'geometry3k.parquet'),
      `select [${picture}] as images, '<image>Find x.' as problem, '3' as answer`,
    );
    expect(short(await read(path))).toEqual([['0', 'Find x.', '3', 1, '']]);
  });
});

describe('hint lines', () => {
  const line =
    'Hint: Please answer the question requiring an integer answer and provide the final value, e.g., 1, 2, 3, at the end.\n';
  const choice =
    'Hint: Please answer the question and provide the correct option letter, e.g., A, B, C, D, at the end.\n';
  const choices = '\nChoices:\n(A) one\n(B) two';
  const image = 'coco/red.png';

  /** Two questions, as MathV360K, as messages and as a flat table have them. */
  async function questions(hints?: Hints): Promise<string[][]> {
    const forms = [
      json(
        { image, conversations: said(`<image>\n${line}Question: How many?`, 'The answer is 3') },
        { image, conversations: said(`<image>\n${choice}Question: Which?${choices}`, 'The answer is B') },
      ),
      json(
        {
          images: [image],
          messages: [
            { role: 'user', content: '<image>\nHow many?' },
            { role: 'assistant', content: '3' },
          ],
        },
        {
          images: [image],
          messages: [
            { role: 'user', content: `Which?${choices}` },
            { role: 'assistant', content: '(B)' },
          ],
        },
      ),
      json(
        { image, question: 'How many?', answer: 3 },
        { image, question: 'Which?', choices: ['one', 'two'], answer: 'two' },
      ),
    ];
    const problems = await Promise.all(forms.map((path) => read(path, { hints })));
    for (const [a, b] of problems) expect([a?.answerType, a?.answer, b?.answer]).toEqual(['integer', '3', 'B']);
    return problems.map((some) => some.map(({ question }) => question));
  }

  test('are the same for the same questions in every form, taken out or written', async () => {
    expect(await questions('none')).toEqual(new Array(3).fill(['How many?', `Which?${choices}`]));
    const written = [`${line}Question: How many?`, `${choice}Question: Which?${choices}`];
    expect(await questions('mathvista')).toEqual(new Array(3).fill(written));
  });

  test('stay as the file has them unless something else is asked for', async () => {
    const bare = ['How many?', `Which?${choices}`];
    expect(await questions()).toEqual([
      [`${line}Question: How many?`, `${choice}Question: Which?${choices}`],
      bare,
      bare,
    ]);
  });

  test('are said where only some questions have one', async () => {
    const said1 = async (...texts: string[]) => {
      const forms = new Forms();
      const path = json(...texts.map((question) => ({ image, question, answer: '3' })));
      for (const problem of await read(path, { onFormat: forms.onFormat })) forms.add(problem);
      return forms.lines();
    };
    expect(await said1('a?', 'b?')).toEqual([]);
    expect(await said1('a?', `${line}b?`)).toEqual([expect.stringMatching(/^1 of 2 questions begin with a hint line/)]);
    expect(await said1(`${line}b?`)).toEqual([]);
  });

  test('of a benchmark are its own: another choice is refused', async () => {
    const path = await writeParquet(
      join(folder, 'mmstar.parquet'),
      `select 0 as index, 'Q? Options: A: x, B: y' as question, ${blob(red)} as image, 'B' as answer, 'm' as category, 'g' as l2_category`,
    );
    expect(await read(path)).toHaveLength(1);
    await expect(read(path, { hints: 'none' })).rejects.toThrow(
      'hints: none, wanted kept: questions of mmstar stand as',
    );
  });
});
