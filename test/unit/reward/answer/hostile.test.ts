// Text made to cost time or stack: every protocol gives a verdict on it, never an exception. What would take quadratic or
// exponential time at these sizes would not end within the time limit of a test.
import { describe, expect, it } from 'vitest';
import { parseMath } from '../../../../src/reward/answer/math/parse.js';
import type { AnswerRow } from '../../../../src/reward/protocol/protocol.js';
import { protocols } from '../../../../src/reward/protocol/registry.js';

const verdicts = ['correct', 'wrong', 'unreadable'];
const base = { id: 'a', taskFormat: '', source: '', response: '', question: 'How many red bars are there?' };
const free = { ...base, questionType: 'free_form', choices: [] } as const;
const chosen = { ...base, questionType: 'multi_choice', answerType: 'text', answer: 'B', answerLetter: 'B' } as const;
const sets = (inside: string, depth: number): string => `${'\\{'.repeat(depth)}${inside}${'\\}'.repeat(depth)}`;
const rows: Omit<AnswerRow, 'response'>[] = [
  { ...free, answerType: 'integer', answer: '7' },
  { ...free, answerType: 'list', answer: '[1, 2]' },
  { ...free, answerType: 'text', answer: 'cat' },
  { ...free, answerType: 'expression', answer: '$x^2$' },
  { ...free, answerType: 'expression', answer: sets('7', 30) },
  { ...chosen, choices: ['5', '5 \\sqrt { 3 }', '10', 'blue'] },
  { ...chosen, choices: ['a'.repeat(150), 'ab', 'b'.repeat(4000)] },
];

/** Repeated to fill a response. */
const pieces = [
  ...[
    '9',
    '9_',
    '1,',
    '1.',
    '1 000 ',
    '- 5 ',
    '1 + ',
    '2(',
    ')',
    '(',
    '[',
    '{',
    '|',
    '^',
    '!',
    '√',
    '²',
    '½',
    '\ufdfa',
    'a',
    ' ',
  ],
  ...[
    '\n',
    '\n#### 7',
    '\nQuestion: 7',
    '<think>',
    '</think>',
    '<answer>',
    '</s>',
    '\\boxed{',
    '\\boxed{7}',
    '\\boxed \n',
  ],
  ...['\\frac', '\\sqrt', '\\left(', '\\begin{pmatrix}', '$1$ ', '$', '5√3 ', 'sin ', 'x^', '5!', '1\\pm ', '十百'],
  ...[
    '(A) ',
    '(A) no ',
    'not A ',
    'A, ',
    'ab ',
    'is a not ',
    'hundred and two ',
    'the answer is ',
    'answer: ',
    '. A',
    'cannot to be ',
  ],
];

describe('a response of one piece over and over', () => {
  it.each(pieces)('%j', (piece) => {
    for (const length of [8_000, 70_000]) {
      const response = piece.repeat(Math.ceil(length / piece.length));
      for (const row of rows) {
        for (const text of [response, `The answer is ${response}`]) {
          expect(verdicts).toContain(protocols.get('mstar')?.grade({ ...row, response: text }).verdict);
        }
      }
    }
  });

  it.each([...protocols.keys()])('by protocol %s', (name) => {
    for (const response of ['9'.repeat(20_000), `${'9'.repeat(20_000)}x`, '1_1'.repeat(7000), 'x '.repeat(10_000)]) {
      for (const row of rows) expect(protocols.get(name)?.grade({ ...row, response }).verdict).toBeOneOf(verdicts);
    }
  });
});

describe('a box of 4,000 characters', () => {
  const boxes = [
    `${'√'.repeat(4000)}7`,
    `5${'!'.repeat(4000)}`,
    `${'-'.repeat(4000)}7`,
    `${'2^'.repeat(1900)}2`,
    `${'2*'.repeat(1900)}2`,
    `1${'\\pm 1'.repeat(700)}`,
    `${'|'.repeat(4000)}7`,
    `${'\\sqrt'.repeat(700)}7`,
    `${'sin '.repeat(900)}7`,
    `7${'%'.repeat(4000)}`,
    sets('8', 30),
    sets('7, 8', 40),
    `${'\\{7, '.repeat(40)}7${'\\}'.repeat(40)}`,
  ];
  it.each(boxes)('%#: is graded by every protocol', (box) => {
    for (const protocol of protocols.values())
      for (const row of rows)
        expect(verdicts).toContain(protocol.grade({ ...row, response: `\\boxed{${box}}` }).verdict);
  });

  it('is no mathematics beyond a depth and a number of signs', () => {
    const nested = (depth: number): string => `${'('.repeat(depth)}7${')'.repeat(depth)}`;
    const sum = (terms: number): string => Array.from({ length: terms }, () => '1').join('+');
    expect([parseMath(nested(20)), parseMath(nested(200))].map((node) => node !== null)).toEqual([true, false]);
    expect([parseMath(sum(400)), parseMath(sum(401))].map((node) => node !== null)).toEqual([true, false]);
  });
});
