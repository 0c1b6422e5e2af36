// The written split: every problem once, the parts that the split made; parts that share a problem are refused.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Problem } from '../../../src/core/types.js';
import { splitProblems } from '../../../src/data/splits.js';
import { SPLITS_FILE, writeSplits } from '../../../src/data/splits-file.js';

const folder = mkdtempSync(join(tmpdir(), 'mstar-splits-'));
afterAll(() => rmSync(folder, { recursive: true }));

const problems = Array.from(
  { length: 40 },
  (_, i): Problem => ({
    id: `p${i}`,
    question: `question ${i}`,
    images: [{ path: `/p/${i}.png` }],
    answer: '1',
    questionType: 'free_form',
    answerType: 'integer',
    choices: [],
    source: 's',
  }),
);

test('names every problem once, in its part', async () => {
  const splits = splitProblems(problems, { test: 8, validation: 4, labelled: 0.5 }, 3);
  await writeSplits(folder, 3, splits);
  const written = JSON.parse(readFileSync(join(folder, SPLITS_FILE), 'utf8'));
  expect(written.seed).toBe(3);
  expect([written.test.count, written.validation.count, written.labelled.count, written.unlabelled.count]).toEqual([
    8, 4, 20, 8,
  ]);
  for (const part of ['test', 'validation', 'labelled', 'unlabelled'] as const)
    expect(written[part].ids).toEqual(splits[part].map(({ id }) => id));
  const all = ['test', 'validation', 'labelled', 'unlabelled'].flatMap((part) => written[part].ids);
  expect([...all].sort()).toEqual(problems.map(({ id }) => id).sort());
});

test('parts that share a picture and question are refused', async () => {
  const splits = splitProblems(problems, { test: 8, validation: 4, labelled: 0.5 }, 3);
  const again = { ...(splits.test[0] as Problem), id: 'copy' };
  await expect(writeSplits(join(folder, 'x'), 3, { ...splits, labelled: [...splits.labelled, again] })).rejects.toThrow(
    /"copy" of labelled is also "p\d+" of test|of test is also "copy" of labelled/,
  );
});
