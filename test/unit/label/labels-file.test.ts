import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { UserError } from '../../../src/core/errors.js';
import { writeJsonLines } from '../../../src/core/files.js';
import { type LabelledResponse, readLabels } from '../../../src/record/labels.js';
import { removeTemporary, temporary } from '../../fakes/model-folder.js';

afterAll(removeTemporary);

const label: LabelledResponse = {
  problem: 'q1',
  sample: 0,
  verdict: 'correct',
  text: 'one\u2028line\n"two"',
  tokens: [5, 6, 7],
  steps: [
    { end: 1, label: 0.5 },
    { end: 3, label: 1, right: true },
  ],
};

test('labels are read as they were written, none included', async () => {
  const file = join(temporary(), 'labels.jsonl');
  await writeJsonLines(file, [label, { ...label, sample: 1, verdict: 'unreadable' }]);
  expect(await readLabels(file)).toEqual([label, { ...label, sample: 1, verdict: 'unreadable' }]);
  await writeJsonLines(file, []);
  expect(await readLabels(file)).toEqual([]);
});

describe('a line that is not a labelled response is refused by the field at fault', () => {
  const refused: [string, object, RegExp][] = [
    ['a problem that is a number', { problem: 0 }, /:2: problem: 0, wanted a value of type string/],
    ['a sample that is a text', { sample: '' }, /:2: sample: "", wanted a value of type number/],
    ['an unknown verdict', { verdict: 'right' }, /:2: verdict: "right", wanted "correct" or "wrong" or "unreadable"/],
    ['a text that is missing', { text: undefined }, /:2: text: missing/],
    ['a token that is not an id', { tokens: [5, 6, -7] }, /:2: tokens.2: -7, wanted at least 0/],
    [
      'steps that end at the same token',
      {
        steps: [
          { end: 3, label: 0 },
          { end: 3, label: 1 },
        ],
      },
      /:2: steps: .*ends that rise/,
    ],
    ['steps that end before the tokens', { steps: [{ end: 2, label: 0 }] }, /:2: steps: .*ends that rise/],
    ['a label above 1', { steps: [{ end: 3, label: 2 }] }, /:2: steps.0.label: 2, wanted at most 1/],
    ['a word for true', { steps: [{ end: 3, label: 1, right: 'yes' }] }, /:2: steps.0.right: "yes"/],
  ];
  test.each(refused)('%s', async (_, change, message) => {
    const file = join(temporary(), 'labels.jsonl');
    writeFileSync(file, `${JSON.stringify(label)}\n${JSON.stringify({ ...label, ...change })}\n`);
    await expect(readLabels(file)).rejects.toThrow(UserError);
    await expect(readLabels(file)).rejects.toThrow(message);
  });

  test('a key that stands twice', async () => {
    const file = join(temporary(), 'labels.jsonl');
    writeFileSync(file, `${JSON.stringify(label).replace('"sample":0', '"sample":0,"sample":1')}\n`);
    await expect(readLabels(file)).rejects.toThrow(/labels.jsonl:1: record: a key that stands twice/);
  });
});
