// Step-labelled data: every published form is read, refused by field, and what is written is read back.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { messagesLine, openSteps, type StepLabelled, stepwiseLine, visualPrmLine } from '../../../src/data/steps.js';

const folder = mkdtempSync(join(tmpdir(), 'mstar-steps-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function read(contents: string, form?: string): Promise<StepLabelled[]> {
  const file = join(folder, 'steps.jsonl');
  writeFileSync(file, contents);
  const all: StepLabelled[] = [];
  for await (const one of openSteps(file, form)) all.push(one);
  return all;
}
const json = (value: unknown) => `${JSON.stringify(value)}\n`;

describe('reading', () => {
  const step = { step: 'a', score: 0.5 };
  const rated = (change: object) => ({
    question: { problem: 'q' },
    label: {
      steps: [{ completions: [{ text: 'a', rating: 1 }], human_completion: null, chosen_completion: 0, ...change }],
    },
  });
  test.each<[string, object, RegExp]>([
    ['no step', { prompt: 'q', completions: [], labels: [] }, /completions: a list of 0, wanted at least one step/],
    ['no scored step', { question: 'q', steps_with_score: [] }, /steps_with_score: a list of 0, wanted at least one/],
    [
      'a picture that is not a path',
      { question: 'q', image: { a: 1 }, steps_with_score: [step] },
      /image: an object, wanted a text/,
    ],
    [
      'a picture without a path',
      { question: 'q', images: ['a', ''], steps_with_score: [step] },
      /images\[1\]: an empty text, wanted a path/,
    ],
    [
      'an answer that is a list',
      { question: 'q', answer: ['a'], steps_with_score: [step] },
      /answer: a list of 1, wanted a text/,
    ],
    [
      'a choice that is not there',
      rated({ chosen_completion: 1 }),
      /chosen_completion: 1, wanted one of the 1 completions, from 0/,
    ],
  ])('%s is refused by its field', async (_, record, message) => {
    await expect(read(json(record))).rejects.toThrow(message);
  });

  test('Math-Shepherd: a mark at the end of each step, its sign at the same place of the label', async () => {
    const input = 'How many? Step 1: 2 + 2 = 4 ки\nStep 2: 4 + 1 = 6 ки\nStep 3: The answer is: 6 ки';
    const label = 'How many? Step 1: 2 + 2 = 4 +\nStep 2: 4 + 1 = 6 -\nStep 3: The answer is: 6 -';
    expect(await read(json({ input, label, task: 'GSM8K' }).replace(/ки/g, 'ки'))).toEqual([
      {
        id: '0',
        question: 'How many?',
        steps: ['Step 1: 2 + 2 = 4', 'Step 2: 4 + 1 = 6', 'Step 3: The answer is: 6'],
        labels: [1, 0, 0],
        images: [],
      },
    ]);
    await expect(read(json({ input, label: label.replace('+\n', '?\n') }))).rejects.toThrow(
      /steps\.jsonl:1: label: "\?", wanted \+ or - where input has mark 1/,
    );
  });

  test('Math-Shepherd: a question that speaks of a step 1 keeps its words', async () => {
    const input = 'Explain Step 1: of it. Step 1: a ки\nStep 2: b ки';
    expect(await read(json({ input, label: input.replaceAll('ки', '+') }))).toMatchObject([
      { question: 'Explain Step 1: of it.', steps: ['Step 1: a', 'Step 2: b'], labels: [1, 1] },
    ]);
  });

  test('PRM800K: a labeller who gave up leaves what was rated before', async () => {
    const given = { completions: [{ text: 'a', rating: 1 }], human_completion: null, chosen_completion: 0 };
    const up = { completions: null, human_completion: null, chosen_completion: null };
    const record = { question: { problem: 'Q' }, label: { steps: [given, up], finish_reason: 'give_up' } };
    expect(await read(json(record))).toMatchObject([{ steps: ['a'], labels: [1] }]);
    expect(await read(json({ ...record, label: { steps: [up] } }))).toEqual([]);
  });

  test('PRM800K: the chosen completions, a neutral rating counts as right, unrated ends are left out', async () => {
    const step = (texts: [string, number | null][], chosen: number | null) => ({
      completions: texts.map(([text, rating]) => ({ text, rating, flagged: false })),
      human_completion: null,
      chosen_completion: chosen,
    });
    const label = {
      steps: [
        step(
          [
            ['bad', -1],
            ['good', 1],
          ],
          1,
        ),
        step([['so so', 0]], 0),
        step(
          [
            ['wrong', -1],
            ['other', -1],
          ],
          null,
        ),
        step([['never', 1]], 0),
      ],
    };
    const record = { question: { problem: 'P', ground_truth_answer: '4' }, label };
    expect(await read(json(record))).toEqual([
      { id: '0', question: 'P', steps: ['good', 'so so', 'wrong'], labels: [1, 1, 0], images: [], answer: '4' },
    ]);
    expect(await read(json({ ...record, label: { steps: [step([['x', null]], 0)] } }))).toEqual([]);
  });

  test('TRL stepwise and VisualPRM', async () => {
    expect(await read(json({ prompt: 'Q', completions: ['a', 'b'], labels: [true, false] }))).toMatchObject([
      { question: 'Q', steps: ['a', 'b'], labels: [1, 0] },
    ]);
    await expect(read(json({ prompt: 'Q', completions: ['a'], labels: [true, false] }))).rejects.toThrow(
      'labels: 2, wanted 1',
    );
    await expect(read(json({ question: 'Q', steps_with_score: [{ step: 'a', score: 2 }] }))).rejects.toThrow(
      'steps_with_score[0].score: 2',
    );
  });

  test.each([
    [
      'a stepwise label',
      { prompt: 'Q', completions: ['a'], labels: [4097] },
      'labels[0]: 4097, wanted a share from 0 to 1',
    ],
    ['a stepwise text', { prompt: 'Q', completions: ['a'], labels: ['+'] }, 'labels[0]: "+", wanted a share'],
    [
      'a rating of PRM800K',
      {
        question: { problem: 'Q' },
        label: { steps: [{ completions: [{ text: 'a', rating: 4097 }], chosen_completion: 0 }] },
      },
      'label.steps[0].rating: 4097, wanted -1, 0 or 1',
    ],
    [
      'a share of VisualPRM',
      { question: 'Q', steps_with_score: [{ step: 'a', score: -0.5 }] },
      'steps_with_score[0].score: -0.5, wanted a share from 0 to 1',
    ],
    [
      'a count of VisualPRM',
      { question: 'Q', steps_with_score: [{ step: 'a', score: 1, num_mc_total: -3 }] },
      'steps_with_score[0].num_mc_total: -3, wanted how many completions there are',
    ],
  ])('%s out of its range is refused', async (_, record, message) => {
    await expect(read(json(record))).rejects.toThrow(`steps.jsonl:1: ${message}`);
  });

  test('another form is refused with the names that there are', async () => {
    await expect(read(json({ a: 1 }))).rejects.toThrow(
      /steps\.jsonl:1: record: a, wanted one of visualprm, prm800k, math-shepherd, stepwise/,
    );
    await expect(read(json({ a: 1 }), 'other')).rejects.toThrow('form: other');
  });
});

describe('writing', () => {
  const one: StepLabelled = {
    id: 'q 1',
    question: 'What?',
    steps: ['First.', 'Then\nmore.'],
    labels: [0.75, 0],
    counts: [16, 16],
    answer: '4',
    images: ['a/b.png'],
  };

  test('VisualPRM lines come back whole', async () => {
    expect(await read(visualPrmLine(one))).toEqual([one]);
    expect(JSON.parse(visualPrmLine(one)).steps_with_score[0]).toEqual({
      step: 'First.',
      score: 0.75,
      num_mc_correct: 12,
      num_mc_total: 16,
    });
  });

  test('stepwise lines come back with hard labels', async () => {
    expect(await read(stepwiseLine(one))).toMatchObject([{ question: 'What?', steps: one.steps, labels: [1, 0] }]);
  });

  test('messages leave a mark inside the question where it is', () => {
    const [turn] = JSON.parse(messagesLine({ ...one, question: 'Is <image> red?' })).messages;
    expect(turn.content).toBe('Is <image> red?');
  });

  test('messages have a mark for each picture', () => {
    expect(JSON.parse(messagesLine(one))).toEqual({
      id: 'q 1',
      messages: [
        { role: 'user', content: '<image>\nWhat?' },
        { role: 'assistant', content: 'First.\nThen\nmore.' },
      ],
      images: ['a/b.png'],
    });
  });
});
