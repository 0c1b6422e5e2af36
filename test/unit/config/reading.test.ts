// How a data set is read: the same settings as flags, in a recipe and by --set.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import yargs from 'yargs';
import { dataFlags, readingOf } from '../../../src/commands/sample-flags.js';
import { loadConfig, resolveConfig } from '../../../src/config/load.js';
import { evaluateSchema, resolveSample } from '../../../src/config/sample.js';

const folder = mkdtempSync(join(tmpdir(), 'mstar-reading-'));
afterAll(() => rmSync(folder, { recursive: true }));
const wanted = {
  imageRoot: resolve('pictures'),
  linkRoot: [resolve('blobs'), resolve('more')],
  format: 'table',
  columns: { question: ['prompt'], image: ['image_1', 'image_2'] },
  hints: 'none',
};

test('flags', async () => {
  const line =
    '--image-root pictures --link-root blobs --link-root more --format table --columns question=prompt,image=image_1,image=image_2 --hints none';
  const parsed = await dataFlags(yargs(line.split(' ')))
    .strict()
    .parseAsync();
  expect(readingOf(parsed)).toEqual(wanted);
  expect(readingOf({})).toEqual({});
});

test('a recipe, for both of its data sets, and an override', async () => {
  const file = join(folder, 'recipe.yaml');
  const set = `
    file: a.csv
    imageRoot: pictures
    linkRoot: [blobs, more]
    format: table
    columns: {question: prompt, image: [image_1, image_2]}
    hints: none
`;
  writeFileSync(file, `model: {path: m}\ndata:${set}    outOfDomain:${set.replaceAll('\n    ', '\n      ')}`);
  const { data } = await loadConfig({ file });
  expect(data).toMatchObject(wanted);
  expect(data.outOfDomain).toMatchObject(wanted);
  const override = 'data.columns=question=prompt,image=image_1,image=image_2';
  const less = await loadConfig({ file, set: ['data.columns=null', 'data.linkRoot=blobs', override] });
  expect(less.data).toMatchObject({ ...wanted, linkRoot: [resolve('blobs')] });
});

describe('refused by name', () => {
  const sample = { model: 'm', data: 'd', out: 'o' };
  test.each([
    [{ columns: 'question' }, '--columns: "question", wanted pairs like question=prompt'],
    [{ columns: 'question=' }, '--columns: "question=", wanted pairs'],
    [{ hints: 'some' }, '--hints: "some", wanted one of kept, none, mathvista'],
  ])('%j', (more, message) => {
    expect(() => resolveSample(evaluateSchema, { ...sample, ...(more as object) })).toThrow(message);
    expect(() => readingOf(more)).toThrow(message);
  });

  test('beside problems that are made', () => {
    const made = { model: { path: 'm' }, data: { generate: { count: 2000 }, hints: 'none' as const } };
    expect(() => resolveConfig(made)).toThrow('data.hints: set beside data.generate, wanted with data.file only');
  });
});
