// Each benchmark's rule on answers made up for it, its quirks included.
import { describe, expect, it } from 'vitest';
import { countRotations } from '../../../../src/reward/protocol/circular.js';
import type { AnswerRow } from '../../../../src/reward/protocol/protocol.js';
import { officialProtocol, protocols } from '../../../../src/reward/protocol/registry.js';

type Verdict = 'correct' | 'wrong' | 'unreadable';
type Row = [response: string, verdict: Verdict, normalised?: string | null];

const choices = ['red', 'dark blue', 'green'];
const base: AnswerRow = {
  id: '1',
  taskFormat: '',
  source: '',
  questionType: 'multi_choice',
  answerType: 'text',
  choices,
  answer: 'B',
  answerLetter: 'B',
  response: '',
};

function check(protocol: string, row: Partial<AnswerRow>, [response, verdict, normalised]: Row): void {
  const grade = protocols.get(protocol)?.grade({ ...base, ...row, response });
  expect(grade).toMatchObject({ verdict, ...(normalised === undefined ? {} : { normalised }) });
  expect(grade?.reason).not.toBe('');
}

describe('m3cot: the last letter in brackets, else the last choice named, else a lone letter', () => {
  it.each<Row>([
    ['Not (A) but (b).', 'correct', 'B'],
    ['(B), and the gene (F)', 'wrong', 'F'],
    ['It is DARK BLUE, not red', 'correct', 'B'],
    ['I say A or B', 'correct', 'B'],
    ['so b it is', 'correct', 'B'],
    ['[Answer] (B) [Rationale] as (A) is red', 'correct', 'B'],
    ['no idea', 'unreadable', null],
    ['', 'unreadable', null],
  ])('%j is %s', (...row) => check('m3cot', {}, row));
});

describe('mmstar: the response opens with the letter', () => {
  it.each<Row>([
    ['B', 'correct', 'B'],
    ['b: dark blue', 'correct'],
    ['(B) dark blue', 'correct'],
    ['Option B', 'correct'],
    ['The answer is B.', 'correct'],
    ['blue', 'correct', 'B'],
    ['A', 'wrong', 'A'],
    ['The answer is C', 'wrong', 'C'],
    ['So the answer is B', 'unreadable', null],
    ['', 'unreadable', null],
  ])('%j is %s', (...row) => check('mmstar', {}, row));
});

describe.each(['mmbench', 'ai2d'])('%s: exactly one option', (protocol) => {
  it.each<Row>([
    ['B', 'correct', 'B'],
    ['B. dark blue', 'correct'],
    ['The answer is (B).', 'correct'],
    ['It is dark blue', 'correct', 'B'],
    ['A or B', 'unreadable', null],
    ['B is what I see in this very long picture', 'unreadable', null],
    ['The correct answer is **B**, as the bar that I see here goes up to ten', 'correct', 'B'],
    ['Cannot determine the answer', 'wrong', 'Z'],
    ['Z', 'wrong', 'Z'],
    ['red, dark blue', 'unreadable', null],
    ['Failed to obtain answer via API', 'unreadable', null],
  ])('%j is %s', (...row) => check(protocol, {}, row));
});

describe('geoqa: set phrases, else the last sentence', () => {
  it.each<Row>([
    ['so it is A. Answer:B', 'correct', 'B'],
    ['Therefore, the correct answer is option B', 'correct'],
    ['option C is selected', 'wrong', 'C'],
    ['the answer is (B) 14.', 'correct'],
    ['First a. Thus the answer is B.', 'correct', 'B'],
    ['B', 'unreadable', null],
  ])('%j is %s', (...row) => check('geoqa', {}, row));
});

describe('scienceqa: the letter, "B. " or "The answer is B"', () => {
  it.each<Row>([
    [' B ', 'correct', 'B'],
    ['B. dark blue', 'correct'],
    ['It is long.\nThe answer is B.', 'correct'],
    ['The answer is E.', 'unreadable', null],
    ['the answer is B', 'unreadable', null],
  ])('%j is %s', (...row) => check('scienceqa', {}, row));
});

describe('tabmwp', () => {
  it.each<Row>([
    ['The answer is dark blue.', 'correct', 'dark blue'],
    ['(b)', 'correct'],
    ['The answer is (A) red', 'wrong', 'red'],
    ['The answer is F', 'unreadable', null],
    ['a dark blue thing', 'correct'],
  ])('with choices %j is %s', (...row) => check('tabmwp', { answer: 'dark blue' }, row));

  const value = { questionType: 'free_form', choices: [], answer: '1,200', unit: 'books' } as const;
  it.each<Row>([
    ['The answer is 1200.', 'correct', '1200'],
    ['30 x 40 = $1,200.', 'correct'],
    ['The rate is 1200 per year.', 'correct'],
    ['There were 5 of 1200', 'wrong', '5'],
    ['The answer is $\\frac{2400}{2}$', 'correct'],
    ['The answer is 1200 books', 'correct'],
    ['nothing', 'wrong', 'nothing'],
  ])('without choices %j is %s', (...row) => check('tabmwp', value, row));
});

describe('math-text', () => {
  const gold = (answer: string) =>
    ({ questionType: 'free_form', answerType: 'expression', choices: [], answer }) as const;
  it.each<[string, Row]>([
    ['\\frac{1}{2}', ['so \\boxed{\\dfrac12}', 'correct']],
    ['\\frac{1}{2}', ['so \\boxed{0.5}', 'correct']],
    ['0.5', ['\\boxed{50\\%}', 'correct']],
    ['50', ['\\boxed{0.5}', 'correct']],
    ['10{,}000', ['\\boxed{10000}', 'wrong']],
    ['x^2+2x+1', ['The answer is (x+1)^2.', 'correct']],
    ['7', ['3 and 4 make 7', 'correct', '7']],
    ['7', ['nothing', 'unreadable', null]],
  ])('gold %j against %j', (answer, row) => check('math-text', gold(answer), row));
});

describe('mathvista', () => {
  const text = { answer: 'dark blue' } as const;
  it.each<[string | null, Verdict, string]>([
    ['(B) red', 'correct', 'dark blue'],
    ['B', 'correct', 'dark blue'],
    [' dark bleu', 'correct', 'dark blue'],
    ['(Z)', 'wrong', 'red'],
    ['', 'wrong', 'red'],
    [null, 'wrong', 'red'],
  ])('takes the recorded extraction %j for a choice: %s', (extraction, verdict, normalised) =>
    check('mathvista', { ...text, extraction }, ['(A)', verdict, normalised]),
  );

  const number = { questionType: 'free_form', choices: [] } as const;
  it.each<[string, Partial<AnswerRow>, Verdict, string | null]>([
    ['7.026', { answerType: 'integer', answer: '7' }, 'correct', '7'],
    ['7 cm', { answerType: 'integer', answer: '7' }, 'unreadable', null],
    ['2.675', { answerType: 'float', precision: 2, answer: '2.67' }, 'correct', '2.67'],
    ['3', { answerType: 'float', precision: 1, answer: '3.0' }, 'correct', '3.0'],
    ['[1, 2]', { answerType: 'list', answer: '[1, 2]' }, 'correct', '[1, 2]'],
    ['[1,2]', { answerType: 'list', answer: '[1, 2]' }, 'wrong', '[1,2]'],
  ])('normalises the recorded extraction %j', (extraction, row, verdict, normalised) =>
    check('mathvista', { ...number, ...row, extraction }, ['', verdict, normalised]),
  );

  it('reads the response itself where nothing is recorded', () => {
    check('mathvista', text, ['dark blue', 'correct', 'dark blue']);
    check('mathvista', text, ['I see two. The answer is (B).', 'correct', 'dark blue']);
    check('mathvista', { ...number, answerType: 'integer', answer: '8' }, ['The answer is 8.', 'correct', '8']);
  });
});

describe('the official protocol', () => {
  it.each([
    ['m3cot', '', 'm3cot'],
    ['mathvista', 'ChartQA', 'mathvista'],
    ['ai2d', '', 'ai2d'],
    ['math_text', 'MATH', 'math-text'],
    ['mathv360k', 'TabMWP', 'tabmwp'],
    ['mathv360k', 'GeoQA+/UniGeo test', 'geoqa'],
    ['mathv360k', 'PlotQA', 'mstar'],
    ['', '', 'mstar'],
  ])('of task %j and source %j is %s', (taskFormat, source, name) => {
    expect(officialProtocol({ taskFormat, source }).name).toBe(name);
  });
});

describe('countRotations', () => {
  it('counts a question as right circularly only if all rotations are, and by its first one plainly', () => {
    const counts = countRotations([
      { index: 1, correct: true },
      { index: 1_000_001, correct: false },
      { index: 1_000_002, correct: true },
      { index: 2, correct: true },
    ]);
    expect(counts).toEqual({ questions: 2, circular: 0.5, vanilla: 1 });
  });

  it('gives nothing where every question stands once', () => {
    expect(countRotations([{ index: 1, correct: true }])).toBeNull();
  });
});
