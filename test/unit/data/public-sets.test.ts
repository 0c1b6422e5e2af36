// The shapes of public data sets, each as docs/data.md says to read it. The rows are made up; names and types of columns are theirs.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readingOf } from '../../../src/commands/sample-flags.js';
import { loadProblems } from '../../../src/data/problems.js';
import { blob, writeParquet } from '../../fakes/parquet.js';
import { solidPng } from '../../fakes/png.js';

const folder = mkdtempSync(join(tmpdir(), 'mstar-public-'));
afterAll(() => rmSync(folder, { recursive: true }));
const red = solidPng(2, 3, [255, 0, 0]);
mkdirSync(join(folder, 'images'));
writeFileSync(join(folder, 'images/1.png'), red);
const picture = `{'bytes': ${blob(red)}, 'path': 'x.png'}`;
const nothing = `null::struct(bytes blob, path varchar)`;

const choices = '\nChoices:\n(A) one\n(B) two';
type PublicSet = [
  name: string,
  select: string | object,
  wanted: readonly [question: string, answer: string, pictures: number],
  flags?: object,
];

const sets: PublicSet[] = [
  [
    'ScienceQA',
    `select ${picture} as image, 'Which?' as question, ['one', 'two'] as choices, 1::tinyint as answer, 'Look.' as hint, 'closed choice' as task, 'lecture' as lecture, 'because' as solution`,
    [`Look.\nWhich?${choices}`, 'B', 1],
    { columns: 'context=hint' },
  ],
  [
    'ScienceQA, a question without a picture',
    `select ${nothing} as image, 'Which?' as question, ['one', 'two'] as choices, 0::tinyint as answer, '' as hint, 'closed choice' as task`,
    [`Which?${choices}`, 'A', 0],
    { columns: 'context=hint' },
  ],
  [
    'MATH-Vision',
    `select '1' as id, 'How many?\n<image1>' as question, []::varchar[] as options, 'images/1.jpg' as image, ${picture} as decoded_image, '3' as answer, null::varchar as solution, 1 as level, 'counting' as subject`,
    ['How many?', '3', 1],
  ],
  [
    'MMMU',
    `select 'test_1' as id, 'Is <image 1> like <image 2>?' as question, '[''one'', "two"]' as options, ${picture} as image_1, ${picture} as image_2, ${nothing} as image_3, 'B' as answer, 'multiple-choice' as question_type`,
    [`Is <image> like <image>?${choices}`, 'B', 2],
    { columns: 'image=image_1,image=image_2,image=image_3' },
  ],
  [
    'ChartQA',
    `select ${picture} as image, 'How much?' as query, ['12'] as label, 0 as human_or_machine`,
    ['How much?', '12', 1],
  ],
  ['VQA-RAD', `select ${picture} as image, 'Is it?' as question, 'yes' as answer`, ['Is it?', 'yes', 1]],
  [
    'Geometry3K of EasyR1',
    `select [${picture}] as images, '<image>Find x.' as problem, '2 \\sqrt{3}' as answer`,
    ['Find x.', '2 \\sqrt{3}', 1],
  ],
  [
    'GeoQA of R1-V',
    `select ${picture} as image, 'Find the angle.' as problem, '<answer> 145° </answer>' as solution`,
    ['Find the angle.', '145°', 1],
  ],
  [
    'ViRL39K',
    `select 'a' as qid, '<image>\nWhich?${choices}' as question, '\\boxed{B}' as answer, ['images/1.png'] as image, 'x' as source, 'y' as category`,
    [`Which?${choices}`, 'B', 1],
  ],
  [
    'LLaVA-OneVision',
    `select 'a' as id, ${picture} as image, [{'from': 'human', 'value': '<image>\nWhich?'}, {'from': 'gpt', 'value': 'this'}] as conversations, 'x' as data_source`,
    ['Which?', 'this', 1],
  ],
  [
    'MM-Eureka',
    {
      id: '1',
      conversations: [{ role: 'user', content: '<image>Find x.' }],
      answer: '3',
      image_urls: ['images/1.png'],
    },
    ['Find x.', '3', 1],
  ],
  [
    'LLaVA-1.5 mixture',
    {
      id: '1',
      image: 'images/1.png',
      conversations: [
        { from: 'human', value: 'What?\n<image>' },
        { from: 'gpt', value: 'this' },
      ],
    },
    ['What?', 'this', 1],
  ],
];

test.each(sets)('%s', async (name, rows, [question, answer, pictures], flags = {}) => {
  const path = join(folder, `${name}.${typeof rows === 'string' ? 'parquet' : 'json'}`);
  if (typeof rows === 'string') await writeParquet(path, rows);
  else writeFileSync(path, JSON.stringify([rows]));
  const warnings: string[] = [];
  const onWarning = (text: string) => warnings.push(text);
  const problems = await loadProblems(path, { imageRoot: folder, ...readingOf(flags), onWarning });
  expect(problems.map((problem) => [problem.question, problem.answer, problem.images.length])).toEqual([
    [question, answer, pictures],
  ]);
  expect(warnings).toEqual([]);
});
