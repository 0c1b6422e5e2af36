// Flat tables: usual columns, named columns, pictures in every form, choices and answers, what is refused.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Problem } from '../../../src/core/types.js';
import { loadProblems, type ReadOptions } from '../../../src/data/problems.js';
import { blob, writeParquet } from '../../fakes/parquet.js';
import { solidPng } from '../../fakes/png.js';

const folder = mkdtempSync(join(tmpdir(), 'mstar-table-format-'));
afterAll(() => rmSync(folder, { recursive: true }));
const red = solidPng(2, 3, [255, 0, 0]);
const blue = solidPng(3, 2, [0, 0, 255]);
mkdirSync(join(folder, 'pictures'));
writeFileSync(join(folder, 'pictures/red.png'), red);
const base64 = Buffer.from(red).toString('base64');

const warnings: string[] = [];
const read = (path: string, more: Partial<ReadOptions> = {}) => {
  warnings.length = 0;
  return loadProblems(path, { imageRoot: folder, onWarning: (text) => warnings.push(text), ...more });
};
let files = 0;
function text(contents: string, ending = 'csv'): string {
  const path = join(folder, `${files++}.${ending}`);
  writeFileSync(path, contents);
  return path;
}
const lines = (...records: object[]) => text(records.map((record) => JSON.stringify(record)).join('\n'), 'jsonl');
const parquet = (select: string) => writeParquet(join(folder, `${files++}.parquet`), select);
const picturesOf = (problem: Problem | undefined) =>
  problem?.images.map((image) => ('bytes' in image ? Buffer.from(image.bytes).toString('base64') : image.path));

describe('the same question in every kind of file', () => {
  const question = 'How many, "red" or not?';
  const wanted = { id: '0', question, answer: '3', answerType: 'integer', questionType: 'free_form', choices: [] };

  test('CSV, TSV, JSON lines, a JSON list and Parquet are one problem', async () => {
    const quoted = `"${question.replaceAll('"', '""')}"`;
    const record = { image: 'pictures/red.png', question, answer: 3 };
    const all = [
      text(`image,question,answer\npictures/red.png,${quoted},3\n`),
      text(`image\tquestion\tanswer\npictures/red.png\t${quoted}\t3\n`, 'tsv'),
      lines(record),
      text(JSON.stringify([record]), 'json'),
      await parquet(`select 'pictures/red.png' as image, '${question}' as question, '3' as answer`),
    ];
    for (const path of all) {
      const [problem] = await read(path);
      expect(problem).toMatchObject(wanted);
      expect(picturesOf(problem)).toEqual([expect.stringMatching(/pictures\/red\.png$/)]);
    }
    expect(warnings).toEqual([]);
  });

  test('a line break and a separator inside quotes belong to the cell; an empty cell is no picture', async () => {
    const problems = await read(text('question,answer,image\n"one,\ntwo?",x,\nthree?,y,pictures/red.png\n'));
    expect(problems.map(({ question, images }) => [question, images.length])).toEqual([
      ['one,\ntwo?', 0],
      ['three?', 1],
    ]);
  });
});

describe('pictures', () => {
  test.each([
    ['bytes', blob(red)],
    ["Hugging Face's struct", `{'bytes': ${blob(red)}, 'path': 'x.png'}`],
    ['a struct of a path alone', `{'bytes': null::blob, 'path': 'pictures/red.png'}`],
    ['base64', `'${base64}'`],
    ['a data URI', `'data:image/png;base64,${base64}'`],
    ['a path', `'pictures/red.png'`],
    ['a list of one', `[{'bytes': ${blob(red)}, 'path': null}]`],
    ['a text that spells a list', `'["pictures/red.png"]'`],
  ])('%s', async (_, value) => {
    const [problem] = await read(await parquet(`select ${value} as image, 'Q?' as question, 'a' as answer`));
    const [picture] = picturesOf(problem) as [string];
    expect(picture.endsWith('/pictures/red.png') || picture === base64).toBe(true);
  });

  test('in memory are named by file and row, for the message where one does not decode', async () => {
    const path = await parquet(`select ${blob(red)} as image, 'Q?' as question, 'a' as answer from range(3)`);
    const problems = await read(path);
    expect(problems.map(({ images }) => (images[0] as { name: string }).name)).toEqual(
      [1, 2, 3].map((row) => `${path.split('/').at(-1)}:${row}`),
    );
  });

  test.each([
    ["{'a': 1}", 'image: an object, wanted the path or the bytes of a picture'],
    ['7', 'image: 7, wanted the path or the bytes of a picture'],
    ["''::blob", 'image: no bytes, wanted the path or the bytes of a picture'],
    ["'pictures/none.png'", 'image: "pictures/none.png": no such file, wanted'],
    ["'https://example.org/a.png'", 'image: "https://example.org/a.png": a web address, wanted a file'],
    ["['pictures/red.png', null]", 'image[1]: null, wanted the path or the bytes of a picture'],
  ])('that are none are refused by row: %s', async (value, message) => {
    const path = await parquet(`select ${value} as image, 'Q?' as question, 'a' as answer`);
    await expect(read(path)).rejects.toThrow(`${path}:1: ${message}`);
  });

  test('in a column that nobody reads are refused, or said where other pictures are read', async () => {
    const lost = await parquet(`select ${blob(red)} as scan, 'Q?' as question, 'a' as answer`);
    await expect(read(lost)).rejects.toThrow(
      ':1: scan: a picture in a column that is not read, wanted --columns image=scan',
    );
    expect(picturesOf((await read(lost, { columns: { image: ['scan'] } }))[0])).toEqual([base64]);
    const two = await parquet(
      `select ${blob(red)} as image_1, ${blob(blue)} as image_2, 'Is <image 1> like <image 2>?' as question, 'no' as answer`,
    );
    await expect(read(two)).rejects.toThrow('wanted --columns image=image_1,image=image_2');
    const [both] = await read(two, { columns: { image: ['image_1', 'image_2'] } });
    expect([both?.images.length, both?.question]).toEqual([2, 'Is <image> like <image>?']);
    const beside = await parquet(
      `select ${blob(red)} as image, ${blob(blue)} as thumb, 'Q?' as question, 'a' as answer from range(2)`,
    );
    expect((await read(beside)).map(({ images }) => images.length)).toEqual([1, 1]);
    expect(warnings).toEqual([expect.stringMatching(/:1: thumb: a picture in a column that is not read, wanted/)]);
  });

  test('that are missing are counted where the reader asks for it', async () => {
    const missing: string[] = [];
    const onMissingPicture = (path: string) => missing.push(path);
    const problems = await read(text('question,answer,image\na?,x,pictures/none.png\n'), { onMissingPicture });
    expect([problems.length, missing]).toEqual([1, ['pictures/none.png']]);
  });
});

describe('columns', () => {
  test('of other names are said, with fields inside them by dots', async () => {
    const path = lines({ wording: 'How many?', gold: { value: 4 }, photo: 'pictures/red.png', topic: 'sums' });
    await expect(read(path)).rejects.toThrow(
      /format: unknown, its first record has wording, gold[\s\S]*--columns question=NAME/,
    );
    const columns = { question: 'wording', answer: ['gold.value'], image: ['photo'], tag: 'topic' };
    expect(await read(path, { columns })).toMatchObject([
      { question: 'How many?', answer: '4', images: [{}], tags: { topic: 'sums' } },
    ]);
  });

  test('that are not there, or hold nothing that is known, are refused with those that there are', async () => {
    const path = lines({ q: 'Q?', answer: 'x' });
    await expect(read(path, { columns: { question: ['text'] } })).rejects.toThrow(
      'columns: question=text: no such column, wanted one of q, answer',
    );
    await expect(read(path, { columns: { question: ['q'], picture: ['x'] } })).rejects.toThrow(
      'columns: "picture", wanted one of question, answer, image',
    );
    await expect(read(path, { columns: { answer: ['answer'] } })).rejects.toThrow(
      'columns: none for the question, wanted one of q, answer as --columns question=NAME',
    );
    await expect(read(path, { columns: { question: ['q'] }, format: 'mmstar' })).rejects.toThrow(
      'columns: given for mmstar, wanted the format table',
    );
  });

  test('of later JSON records are read as well; one that no record has is refused at the end', async () => {
    const path = lines(
      { question: 'One?', answer: 1 },
      { question: 'Two?', answer: 'B', choices: ['x', 'y'], image: 'pictures/red.png' },
    );
    expect((await read(path)).map(({ images, choices }) => [images.length, choices.length])).toEqual([
      [0, 0],
      [1, 2],
    ]);
    expect(await read(path, { columns: { image: ['image'] } })).toHaveLength(2);
    await expect(read(path, { columns: { image: ['img'] } })).rejects.toThrow('columns: image=img: no such column');
    const table = text('question,answer\nQ?,1\n');
    const limited = read(table, { columns: { image: ['img'] }, limit: 1 });
    await expect(limited).rejects.toThrow('columns: image=img: no such column, wanted one of question, answer');
  });

  test('for id, context, unit and source are used', async () => {
    const [problem] = await read(
      lines({ id: 'q-7', context: 'Look.', question: 'How long?', answer: '2.50', unit: 'cm', source: 'Bars' }),
    );
    expect(problem).toMatchObject({
      id: 'q-7',
      question: 'Look.\nHow long? (Unit: cm)',
      answerType: 'float',
      precision: 2,
      unit: 'cm',
      source: 'Bars',
    });
  });
});

describe('choices and answers', () => {
  const asked = (choices: unknown, answer: unknown) => lines({ question: 'Which?', choices, answer });

  test.each([
    ['a letter', ['one', 'two'], 'B'],
    ['a letter in brackets', ['one', 'two'], '(B)'],
    ['the text of a choice', ['one', 'two'], 'Two'],
    ['a place, from 0', ['one', 'two'], 1],
    ['a place beside numbers as texts', ['2', '1'], 1],
    ['a text that is a number among the choices', ['2', '1'], '1'],
    ['choices that Python spelt', `['one', "it's two"]`, 'B'],
    ['choices by letter', { A: 'one', B: 'two' }, 'B'],
    ['a sentence', ['one', 'two'], 'The answer is B.'],
    ['tags', ['one', 'two'], '<answer> B </answer>'],
    ['a box', ['one', 'two'], '\\boxed{B}'],
  ])('%s', async (_, choices, answer) => {
    const [problem] = await read(asked(choices, answer));
    expect(problem).toMatchObject({ answer: 'B', questionType: 'multi_choice' });
    expect(problem?.question).toMatch(/^Which\?\nChoices:\n\(A\) (one|2)\n\(B\) /);
  });

  test.each([
    ['C', 'answer: "C", wanted a letter from A to B, or the text of a choice'],
    ['(E)', 'answer: "(E)", wanted a letter from A to B'],
    [2, 'answer: 2, wanted a choice, or its place from 0 to 1'],
    ['', 'answer: missing, wanted one answer'],
    [null, 'answer: missing, wanted one answer'],
    [['A', 'B'], 'answer: a list of 2, wanted one answer'],
  ])('the answer %j of two choices is refused', async (answer, message) => {
    await expect(read(asked(['one', 'two'], answer))).rejects.toThrow(`:1: ${message}`);
  });

  test('a row without an answer does not take that of another column', async () => {
    const path = lines({ question: 'Q?', answer: '1', solution: 'x' }, { question: 'R?', answer: '', solution: 'y' });
    await expect(read(path)).rejects.toThrow(':2: answer: missing, wanted one answer');
  });

  test('choices in columns A, B, C; an answer in a list of one; a list as an answer', async () => {
    expect(await read(text('question,A,B,answer\nWhich?,one,two,A\n'))).toMatchObject([{ choices: ['one', 'two'] }]);
    expect(await read(lines({ query: 'Q?', label: ['12'] }))).toMatchObject([{ answer: '12', answerType: 'integer' }]);
    expect(await read(lines({ question: 'Q?', answer: '[1, 2]' }))).toMatchObject([
      { answer: '[1, 2]', answerType: 'list' },
    ]);
  });

  test('a text that is not a list is refused as choices', async () => {
    await expect(read(asked('one or two', 'A'))).rejects.toThrow('choices: "one or two", wanted a list of choices');
  });
});

test('rows that a longer file adds are checked by row', async () => {
  await expect(read(text('question,answer\nQ?,1\n,2\n'))).rejects.toThrow(':3: question: missing, wanted a text');
});
