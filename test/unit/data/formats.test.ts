// Every format of problems: read from small files of its own, told by contents, refused by line and field; and the real files.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import type { Problem } from '../../../src/core/types.js';
import { inlineChoices } from '../../../src/data/formats/mmstar.js';
import { dataFormats, findFormat } from '../../../src/data/formats/registry.js';
import { loadProblems } from '../../../src/data/problems.js';
import { blob, writeParquet } from '../../fakes/parquet.js';
import { solidPng } from '../../fakes/png.js';

const folder = mkdtempSync(join(tmpdir(), 'mstar-formats-'));
afterAll(() => rmSync(folder, { recursive: true }));
const red = solidPng(2, 3, [255, 0, 0]);
const blue = solidPng(3, 2, [0, 0, 255]);
mkdirSync(join(folder, 'images'));
writeFileSync(join(folder, 'images/red.png'), red);
writeFileSync(join(folder, 'images/m-1.png'), red);

function file(name: string, contents: string): string {
  const path = join(folder, name);
  writeFileSync(path, contents);
  return path;
}

const parquet = (name: string, select: string) => writeParquet(join(folder, name), select);

const warnings: string[] = [];
const read = (path: string, format?: string) => {
  warnings.length = 0;
  return loadProblems(path, { imageRoot: folder, ...(format && { format }), onWarning: (text) => warnings.push(text) });
};
const bytesOf = ({ images }: Problem) =>
  images.map((image) => ('bytes' in image ? Buffer.from(image.bytes).toString('hex') : image.path));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test('formats are found by their files and have names and descriptions of their own', async () => {
  const all = await dataFormats();
  expect(all.map(({ name }) => name)).toEqual([
    'ai2d',
    'm3cot',
    'mathv360k',
    'mathvista',
    'messages',
    'mmbench',
    'mmstar',
    'table',
  ]);
  expect(new Set(all.map(({ description }) => description)).size).toBe(all.length);
});

test('a file of no known format, and a format of no known name, are refused with the names that there are', async () => {
  await expect(findFormat(file('x.json', '[{"a": 1}]'))).rejects.toThrow(
    /format: unknown, its first record has a; wanted one of ai2d/,
  );
  await expect(read(file('y.json', '[{"a": 1}]'), 'coco')).rejects.toThrow(/format: coco, wanted one of/);
});

describe('mathvista', () => {
  const row = (fields: string) =>
    `select '7' as pid, 'How long?' as question, 'images/red.png' as image, {'bytes': ${blob(blue)}, 'path': null} as decoded_image, ${fields}, {'task': 'math word problem', 'source': 'TabMWP', 'skills': ['algebraic reasoning', 'logical reasoning']} as metadata`;

  test('Parquet: the picture inside, the answer of a choice as a letter, the query as it stands', async () => {
    const path = await parquet(
      'testmini.parquet',
      row(
        `['4 cm', '5 cm'] as choices, null as unit, null as "precision", '5 cm' as answer, 'multi_choice' as question_type, 'text' as answer_type, 'Hint: x' as query`,
      ),
    );
    const [problem] = (await read(path)) as [Problem];
    expect(problem).toMatchObject({
      id: '7',
      question: 'Hint: x',
      answer: 'B',
      choices: ['4 cm', '5 cm'],
      questionType: 'multi_choice',
      source: 'TabMWP',
    });
    expect(problem.tags).toMatchObject({ task: 'math word problem', skills: 'algebraic reasoning, logical reasoning' });
    expect(bytesOf(problem)).toEqual([hex(blue)]);
  });

  test('annotations: one object by id, the official query made from its parts', async () => {
    const one = {
      pid: '1',
      question: 'Price?',
      image: 'images/red.png',
      choices: null,
      unit: '$',
      precision: 2,
      answer: '3.50',
      question_type: 'free_form',
      answer_type: 'float',
      metadata: {},
    };
    const [problem] = (await read(file('annot.json', JSON.stringify({ 1: one })))) as [Problem];
    expect(problem.question).toBe(
      'Hint: Please answer the question requiring a floating-point number with two decimal places and provide the final value, e.g., 1.23, 1.34, 1.45, at the end.\nQuestion: Price? (Unit: $)',
    );
    expect(problem).toMatchObject({ precision: 2, unit: '$', answerType: 'float', answer: '3.50' });
  });

  test('annotations without their pictures are refused, or read where the reader counts what is missing', async () => {
    const one = {
      pid: '1',
      question: 'Q',
      image: 'images/none.png',
      choices: null,
      answer: '3',
      question_type: 'free_form',
      answer_type: 'integer',
      metadata: {},
    };
    const path = file('annot2.json', JSON.stringify({ 1: one }, null, 1));
    await expect(read(path)).rejects.toThrow(/annot2\.json:2: image: "images\/none\.png": no such file, wanted/);
    const missing: string[] = [];
    const onMissingPicture = (picture: string, why: string) => missing.push(`${picture}: ${why}`);
    expect(await loadProblems(path, { imageRoot: folder, onMissingPicture })).toMatchObject([{ images: [] }]);
    expect(missing).toEqual(['images/none.png: no such file']);
  });

  test('an answer that is none of the choices is refused', async () => {
    const path = await parquet(
      'bad.parquet',
      row(
        `['4', '5'] as choices, null as unit, null as "precision", '6' as answer, 'multi_choice' as question_type, 'text' as answer_type, 'q' as query`,
      ),
    );
    await expect(read(path)).rejects.toThrow(/bad\.parquet:1: answer: "6", wanted one of the choices/);
  });
});

describe('m3cot', () => {
  const record = {
    id: 'm-1',
    category: 'scienceqa',
    image_id: 'x',
    question: 'Which?',
    choices: ['one', 'two', 'three'],
    context: 'Look.',
    answer: 'C',
    rationale: '',
    split: 'test',
    domain: 'science',
    topic: 'natural-science',
  };

  test('JSON lines beside their pictures', async () => {
    const [problem] = (await read(file('m.jsonl', `${JSON.stringify(record)}\n`))) as [Problem];
    expect(problem).toMatchObject({
      answer: 'C',
      question: 'Look.\nWhich?\nChoices:\n(A) one\n(B) two\n(C) three',
      tags: { domain: 'science', topic: 'natural-science' },
    });
    expect(problem.images).toEqual([{ path: expect.stringMatching(/images\/m-1\.png$/) }]);
  });

  test('Parquet with pictures inside', async () => {
    const path = await parquet(
      'm.parquet',
      `select 'p' as id, 'c' as category, 'x' as image_id, 'Q' as question, ['a', 'b'] as choices, '' as context, 'A' as answer, '' as rationale, 'test' as split, {'bytes': ${blob(red)}, 'path': null} as image, 'd' as "domain", 't' as topic`,
    );
    expect(bytesOf(((await read(path)) as [Problem])[0])).toEqual([hex(red)]);
  });

  test('a letter beyond the choices is refused by line and field', async () => {
    await expect(read(file('m2.jsonl', JSON.stringify({ ...record, answer: 'D' })))).rejects.toThrow(
      /m2\.jsonl:1: answer: "D", wanted a letter from A to C/,
    );
  });
});

describe('mmstar', () => {
  test('TSV with base64 and line breaks in quotes, Parquet with bytes, give the same', async () => {
    const question = 'Which "one"?\nOptions: A: x, y, B: z, C: 1 B: 2, D: w';
    const tsv = `index\tquestion\timage\tanswer\tcategory\tl2_category\tbench\n0\t"${question.replaceAll('"', '""')}"\t${Buffer.from(red).toString('base64')}\tB\tmath\tgeometry\tMMB\n`;
    const [a] = (await read(file('MMStar.tsv', tsv))) as [Problem];
    const path = await parquet(
      'mmstar.parquet',
      `select 0 as index, '${question.replaceAll("'", "''")}' as question, ${blob(red)} as image, 'B' as answer, 'math' as category, 'geometry' as l2_category, {'source': 's'} as meta_info`,
    );
    const [b] = (await read(path)) as [Problem];
    expect(a.choices).toEqual(['x, y', 'z', '1 B: 2', 'w']);
    expect({ ...b, tags: {}, images: bytesOf(b) }).toEqual({ ...a, tags: {}, images: bytesOf(a) });
    expect(a.tags).toEqual({ category: 'math', l2_category: 'geometry', bench: 'MMB' });
  });

  test('options are found in order, in either form; without any there are four letters', () => {
    expect(inlineChoices('Choices:\n(A) 3\n(B) 4')).toEqual(['3', '4']);
    expect(inlineChoices('Options: A: one, B: two')).toEqual(['one', 'two']);
    expect(inlineChoices('Which?')).toEqual(['A', 'B', 'C', 'D']);
  });
});

describe('mmbench', () => {
  const header = 'index\tquestion\thint\tA\tB\tC\tD\tanswer\tcategory\timage\tsource\tl2-category\tcomment\tsplit\n';
  const rows = (image: string) =>
    `1000005\tQ?\t\ttwo\tone\t\t\tA\tcat\t5\tsrc\tlogic_reasoning\t\tdev\n5\tQ?\tLook.\tone\ttwo\t\t\tB\tcat\t${image}\tsrc\tlogic_reasoning\t\tdev\n`;

  test('a rotated copy takes its picture from its question, wherever that stands, and shares its group', async () => {
    const [copy, question] = (await read(
      file('MMBench_DEV.tsv', header + rows(Buffer.from(blue).toString('base64'))),
    )) as [Problem, Problem];
    expect(bytesOf(copy)).toEqual([hex(blue)]);
    expect([copy.tags?.group, question.tags?.group]).toEqual(['5', '5']);
    expect([copy.answer, question.answer]).toEqual(['A', 'B']);
    expect(question.question).toBe(
      'Hint: Look.\nQuestion: Q?\nOptions:\nA. one\nB. two\nPlease select the correct answer from the options above. \n',
    );
  });

  test('a picture that no row holds is refused', async () => {
    await expect(read(file('MMBench_BAD.tsv', header + rows('77')))).rejects.toThrow(
      /MMBench_BAD\.tsv:2: image: "5", wanted base64, or the index of a row with a picture/,
    );
  });
});

describe('ai2d', () => {
  test('an index in Parquet and a letter in TSV are the same answer', async () => {
    const path = await parquet(
      'ai2d.parquet',
      `select 'Q?' as question, ['a', 'b', 'c', 'd'] as options, '2' as answer, {'bytes': ${blob(red)}, 'path': null} as image`,
    );
    const tsv = `index\timage\tquestion\tA\tB\tC\tD\tanswer\n0\t${Buffer.from(red).toString('base64')}\tQ?\ta\tb\tc\td\tC\n`;
    const [[a], [b]] = [(await read(path)) as [Problem], (await read(file('AI2D_TEST.tsv', tsv))) as [Problem]];
    expect(a.answer).toBe('C');
    expect({ ...b, images: bytesOf(b) }).toEqual({ ...a, images: bytesOf(a) });
  });
});

describe('conversations', () => {
  const messages = [
    { role: 'system', content: 'Be short.' },
    { role: 'user', content: '<image>\nWhat is 1 + 1?' },
    { role: 'assistant', content: 'The answer is 2' },
  ];

  test('messages with pictures: one for each mark', async () => {
    const [problem] = (await read(
      file('c.jsonl', JSON.stringify({ id: 'a', messages, images: ['images/red.png'] })),
    )) as [Problem];
    expect(problem).toMatchObject({
      id: 'a',
      question: 'system: Be short.\nWhat is 1 + 1?',
      answer: '2',
      answerType: 'integer',
    });
    expect(problem.images).toHaveLength(1);
    await expect(read(file('c2.jsonl', JSON.stringify({ messages, images: [] })))).rejects.toThrow(
      /c2\.jsonl:1: images: 0, wanted 1, one for each <image>/,
    );
  });

  test('parts of OpenAI, ShareGPT turns and MiniCPM-V’s map of pictures', async () => {
    const parts = [
      { type: 'image_url', image_url: { url: 'images/red.png' } },
      { type: 'text', text: 'How many?' },
    ];
    const records = [
      {
        messages: [
          { role: 'user', content: parts },
          { role: 'assistant', content: '3' },
        ],
      },
      {
        conversations: [
          { from: 'human', value: 'Hi' },
          { from: 'gpt', value: 'Hello' },
          { from: 'human', value: '<image>\n<image>\nBoth?' },
          { from: 'gpt', value: 'yes' },
        ],
        image: ['images/red.png', 'images/m-1.png'],
      },
      {
        conversations: [
          { role: 'user', content: '<image_00>\nOne?' },
          { role: 'assistant', content: 'no' },
        ],
        image: { '<image_00>': 'images/red.png' },
      },
    ];
    const problems = await read(
      file('c3.jsonl', records.map((record) => JSON.stringify(record)).join('\n')),
      'messages',
    );
    expect(problems.map(({ question, answer, images }) => [question, answer, images.length])).toEqual([
      ['How many?', '3', 1],
      ['user: Hi\nassistant: Hello\n<image>\n<image>\nBoth?', 'yes', 2],
      ['One?', 'no', 1],
    ]);
  });

  test('a conversation that does not end with an answer is refused', async () => {
    await expect(
      read(file('c4.jsonl', JSON.stringify({ messages: messages.slice(0, 2), images: ['images/red.png'] }))),
    ).rejects.toThrow(/messages: 2 turns, wanted a question/);
  });
});

test('a repeated id and a second answer to the same question are kept and said', async () => {
  const record = (answer: string) =>
    JSON.stringify({
      id: 'm-1',
      category: '',
      image_id: 'x',
      question: 'Q',
      choices: ['a', 'b'],
      context: '',
      answer,
      rationale: '',
    });
  const problems = await read(file('twice.jsonl', `${record('A')}\n${record('B')}\n`));
  expect(problems.map(({ id }) => id)).toEqual(['m-1', 'm-1#1']);
  expect(warnings.join('\n')).toMatch(
    /twice\.jsonl:2: id: "m-1" again[\s\S]*twice\.jsonl:2: answer: "B" where line 1 has "A"/,
  );
});

const real = fileURLToPath(new URL('../../../../shared/realdata', import.meta.url));
describe.skipIf(!existsSync(real))(`the real files${existsSync(real) ? '' : ` (skipped: ${real} is absent)`}`, () => {
  test.each([
    ['mathv360k/train_samples_all_tuning.json', 'mathv360k/data_images', 147, 82],
    ['mathvista/data/testmini-00000-of-00001-725687bf7a18d64b.parquet', '', 100, 54],
    ['mathvista/annot_testmini.json', '', 100, 54],
    ['mmbench/MMBench_DEV_EN_V11.tsv', '', 46, 46],
    ['m3cot/data/test-00000-of-00001.parquet', '', 20, 20],
    ['m3cot/test.jsonl', '', 20, 20],
    ['mmstar/mmstar.parquet', '', 20, 20],
    ['mmstar/mmstar_hf_image.parquet', '', 20, 20],
    ['mmstar/MMStar.tsv', '', 20, 20],
    ['ai2d/data/test-00000-of-00001.parquet', '', 19, 19],
    ['ai2d/AI2D_TEST.tsv', '', 19, 19],
  ])('%s', async (name, images, count, choices) => {
    // Two of the files come without their pictures.
    const onMissingPicture = () => {};
    const problems = await loadProblems(join(real, name), { imageRoot: join(real, images), onMissingPicture });
    expect(problems).toHaveLength(count);
    expect(problems.filter(({ questionType }) => questionType === 'multi_choice')).toHaveLength(choices);
    expect(new Set(problems.map(({ id }) => id)).size).toBe(count);
  });
});

describe('the kind of a file', () => {
  const head = 'index\tquestion\thint\tA\tB\tanswer\timage\tl2-category\n';
  const row = `5\tWhich?\tnan\tone\ttwo\tB\t${Buffer.concat([red, red]).toString('base64')}\tx\n`;

  test('is told by its contents: a table under any name, a byte order mark before it', async () => {
    for (const contents of [head + row, `\uFEFF${head}${row}`])
      expect(await read(file('table.txt', contents))).toMatchObject([{ id: '5', answer: 'B', tags: { group: '5' } }]);
  });

  test.each([
    ['\x1f\x8b\b\0', 'packed by gzip, wanted it unpacked'],
    ['PK\x03\x04..', 'a ZIP archive, wanted a file of it'],
    ['ARROW1\0\0', 'an Arrow file, wanted Parquet'],
    ['version https://git-lfs.github.com/spec/v1\noid sha256:1\n', 'a Git LFS pointer, wanted the file itself'],
  ])('packed data is named: %j', async (contents, message) => {
    const path = file('packed.json', '');
    writeFileSync(path, Buffer.from(contents, 'latin1'));
    await expect(read(path)).rejects.toThrow(`packed.json: file: ${message}`);
  });

  test('a table without rows is refused, as a list without records is', async () => {
    await expect(read(file('empty.tsv', head))).rejects.toThrow('empty.tsv:1: file: no row, wanted at least one');
  });

  test('a hint that pandas wrote for a missing one is none', async () => {
    const [problem] = await read(file('hint.tsv', head + row));
    expect(problem?.question).toMatch(/^Question: Which\?/);
  });
});

test('a picture in a data URI is held in memory, another kind of URI refused', async () => {
  const asked = (url: string) =>
    JSON.stringify({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url } },
            { type: 'text', text: 'Which?' },
          ],
        },
        { role: 'assistant', content: 'red' },
      ],
    });
  const uri = `data:image/png;base64,${Buffer.from(red).toString('base64')}`;
  expect(bytesOf((await read(file('uri.jsonl', asked(uri))))[0] as Problem)).toEqual([hex(red)]);
  await expect(read(file('uri.jsonl', asked('data:image/svg+xml,<svg/>')))).rejects.toThrow(
    'uri.jsonl:1: images: "data:image/svg+xml", wanted a data URI in base64',
  );
});
