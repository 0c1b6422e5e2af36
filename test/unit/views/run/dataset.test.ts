// The page of a data set: what is counted, what is missing or unreadable, that texts of the data cannot become markup.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { toHtmlPage } from '../../../../src/page/document.js';
import { takeCensus } from '../../../../src/views/dataset/census.js';
import { describeDataset } from '../../../../src/views/dataset/page.js';
import { solidPng } from '../../../fakes/png.js';

const folder = mkdtempSync(join(tmpdir(), 'mstar-census-'));
afterAll(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, 'A'));
writeFileSync(join(folder, 'A/1.png'), solidPng(40, 20, [255, 0, 0]));
writeFileSync(join(folder, 'A/bad.png'), 'no picture');

const record = (image: string, question: string, answer: string) => ({
  image,
  conversations: [
    { from: 'human', value: `<image>\n${question}` },
    { from: 'gpt', value: answer },
  ],
});
const choices = 'Question: <b>Which</b>?\nChoices:\n(A) x\n(B) y\n(C) z';
const records = [
  record('A/1.png', choices, 'B'),
  record('A/1.png', choices, 'C'),
  record('A/1.png', 'How many?', '12'),
  record('B/none.png', 'How much?', '1.50'),
  record('A/bad.png', 'What?', 'a <script>alert(1)</script> cat'),
];
const file = join(folder, 'data.json');
writeFileSync(file, JSON.stringify(records));

test('counts kinds, answers, pictures and what is odd, dropping nothing', async () => {
  const { census, sample } = await takeCensus(file, {
    imageRoot: folder,
    countTokens: (text) => text.split(' ').length,
  });
  expect(census).toMatchObject({
    problems: 5,
    sources: { A: 4, B: 1 },
    questionTypes: { free_form: 3, multi_choice: 2 },
    choices: { 3: 2 },
    letters: { B: 1, C: 1 },
    pictures: { perProblem: { 0: 1, 1: 4 }, distinct: 1, formats: { png: 1 }, missing: 1, unreadable: 1 },
    repeats: { same: 0, conflicting: 1 },
    warnings: { count: 1 },
  });
  expect(census.pictures.width).toMatchObject({ median: 40, most: 40 });
  expect(census.characters.counts.reduce((sum, count) => sum + count, 0)).toBe(5);
  expect(census.tokens?.most).toBe(5);
  expect(census.warnings.examples[0]).toMatch(/data\.json:1: record 2: answer: "C" where record 1 has "B"/);
  expect(sample).toHaveLength(5);
});

test('a picture that is cut off is unreadable unless only headers are read, and repeats are counted', async () => {
  const whole = solidPng(60, 60, [0, 0, 255]);
  writeFileSync(join(folder, 'A/cut.png'), whole.subarray(0, whole.length - 20));
  const cut = join(folder, 'cut.json');
  const rows = [record('A/cut.png', 'Why?', '1'), record('A/cut.png', 'Why?', '1'), record('A/cut.png', 'Why?', '2')];
  writeFileSync(cut, JSON.stringify(rows));
  const pictures = async (headersOnly: boolean) => {
    const { census } = await takeCensus(cut, { imageRoot: folder, headersOnly });
    expect(census.repeats).toEqual({ same: 1, conflicting: 1 });
    return [census.pictures.distinct, census.pictures.unreadable];
  };
  expect(await pictures(false)).toEqual([0, 1]);
  expect(await pictures(true)).toEqual([1, 0]);
});

test('a picture that several rows of a table hold is one picture', async () => {
  const table = join(folder, 'table.tsv');
  const picture = Buffer.from(solidPng(9, 9, [1, 2, 3])).toString('base64');
  const rows = [5, 6, 1_000_005].map((i) => `${i}\tWhich?\t\ta\tb\tA\t${i > 6 ? 5 : picture}\tx\n`);
  writeFileSync(table, `index\tquestion\thint\tA\tB\tanswer\timage\tl2-category\n${rows.join('')}`);
  const { census } = await takeCensus(table, { imageRoot: folder });
  expect(census).toMatchObject({ problems: 3, pictures: { distinct: 1, perProblem: { 1: 3 } } });
});

test('the sheet is a draw of the size asked for, the same every time', async () => {
  const many = join(folder, 'many.json');
  writeFileSync(
    many,
    JSON.stringify(Array.from({ length: 300 }, (_, i) => record('A/1.png', `How many of ${i}?`, '1'))),
  );
  const draw = async () =>
    (await takeCensus(many, { imageRoot: folder, sheet: 10 })).sample.map(({ id }) => Number(id));
  const first = await draw();
  expect(await draw()).toEqual(first);
  expect(new Set(first).size).toBe(10);
  expect(Math.max(...first)).toBeGreaterThan(100);
});

test('the page stands alone and shows texts as texts', async () => {
  const { census, sample } = await takeCensus(file, { imageRoot: folder });
  const page = toHtmlPage(await describeDataset('data.json', census, sample));
  expect(page).toContain('&lt;b&gt;Which&lt;/b&gt;');
  expect(page).not.toContain('<script>');
  expect(page).not.toMatch(/(src|href)="(?!#|data:)/);
  expect(page.match(/<article>/g)).toHaveLength(5);
  expect(page).toContain('B/none.png: no such file');
});
