// The grader on ordinary answers, three outcomes, hostile text.
import { describe, expect, it } from 'vitest';
import { type Gradable, grade } from '../../../../src/reward/answer/grade.js';

const integer = (answer: string): Gradable => ({
  answer,
  questionType: 'free_form',
  answerType: 'integer',
  choices: [],
});
const float = (answer: string, precision: number): Gradable => ({ ...integer(answer), answerType: 'float', precision });
const list = (answer: string): Gradable => ({ ...integer(answer), answerType: 'list' });
const text = (answer: string): Gradable => ({ ...integer(answer), answerType: 'text' });
const choice = (answer: string, ...choices: string[]): Gradable => ({
  answer,
  questionType: 'multi_choice',
  answerType: 'text',
  choices,
});

type Row = [response: string, verdict: 'correct' | 'wrong' | 'unreadable', normalised?: string];

function check(problem: Gradable, [response, verdict, normalised]: Row): void {
  const result = grade(problem, response);
  expect(result).toMatchObject({ verdict, ...(normalised === undefined ? {} : { normalised }) });
  expect(result.reason).not.toBe('');
  if (verdict === 'unreadable') expect(result).toMatchObject({ extracted: null, normalised: null });
}

describe('integer answers (gold 8)', () => {
  it.each<Row>([
    ['red is 5.\nblue is 3.\n5 + 3 = 8.\nThe answer is 8.', 'correct', '8'],
    ['The answer is 8', 'correct', '8'],
    ['The answer is 9.', 'wrong', '9'],
    ['The answer is -8.', 'wrong', '-8'],
    ['The answer is 8.0', 'correct', '8'],
    ['The answer is 8.5', 'wrong', '8.5'],
    ['the final answer is: **8**', 'correct'],
    ['Answer: 8 apples', 'correct'],
    ['The answer is 5 + 3 = 8', 'correct'],
    ['The answer is\n\n8', 'correct'],
    ['The answer is 7. Wait, that is wrong. The answer is 8.', 'correct'],
    ['The answer is eight.', 'correct', '8'],
    ['So we get \\boxed{8}.', 'correct'],
    ['So we get $\\boxed{\\text{8 apples}}$.', 'correct'],
    ['First \\boxed{7}, so the answer is \\boxed{8}', 'correct'],
    ['<think>Perhaps 9? The answer is 9</think>\n<answer>8</answer>', 'correct'],
    ['<think>Perhaps 9.</think> 8</s>', 'correct'],
    ['8', 'correct'],
    ['5 + 3 = 8', 'correct'],
    ['The sum is 8.\n\nI hope this helps!', 'correct'],
    ['There are 8 bars with values below 40.', 'correct'],
    ['There are eight models that score greater than 60.', 'correct'],
    ['答案是8', 'correct'],
    ['The answer is', 'unreadable'],
    ['', 'unreadable'],
    ['   \n', 'unreadable'],
    ['I see no picture.', 'unreadable'],
    ['There are 8 people, so it is impossible to determine the value for 2012.', 'unreadable'],
  ])('%j is %s', (...row) => check(integer('8'), row));

  it.each<[string, Row]>([
    ['-3', ['The answer is -3.', 'correct', '-3']],
    ['-3', ['The answer is −3', 'correct', '-3']],
    ['-3', ['4 - 7 = -3', 'correct']],
    ['3', ['7 - 4 is 3', 'correct']],
    ['4', ['The answer is 7-3=4', 'correct']],
    ['1234', ['The answer is 1,234.', 'correct', '1234']],
    ['1,234', ['The answer is $1234', 'correct', '1234']],
    ['2013', ['The answer is 2010-2013', 'wrong', '2010-2013']],
    ['25', ['The answer is twenty-five', 'correct', '25']],
    ['205', ['The answer is two hundred and five.', 'correct', '205']],
    ['45', ['The answer is 45%', 'correct', '45']],
    ['45', ['The answer is 45 degrees', 'correct', '45']],
    ['45', ['The answer is $45^\\circ$.', 'correct', '45']],
    ['7', ['The answer is H2O, or 7', 'correct', '7']],
  ])('gold %j against %j', (gold, row) => check(integer(gold), row));
});

describe('float answers', () => {
  it.each<[string, number, Row]>([
    ['35.33', 2, ['The answer is 35.33', 'correct', '35.33']],
    ['35.33', 2, ['The answer is 35.3333', 'correct', '35.33']],
    ['35.33', 2, ['The answer is 35.3', 'wrong', '35.3']],
    ['4.9', 2, ['The answer is $4.90.', 'correct', '4.9']],
    ['0.5', 1, ['The answer is 1/2', 'correct', '0.5']],
    ['0.5', 1, ['The answer is \\frac{1}{2}', 'correct', '0.5']],
    ['0.5', 1, ['The answer is 50%', 'correct', '50']],
    ['1.5', 1, ['The answer is 1 1/2.', 'correct', '1.5']],
    ['12.6', 1, ['The answer is $12\\frac{3}{5}$', 'correct', '12.6']],
    ['2.68', 2, ['The answer is 2.675', 'correct', '2.68']],
    ['0.33', 2, ['\\boxed{\\dfrac{1}{3}}', 'correct', '0.33']],
    ['1842.4', 1, ['The answer is 1,842.4 million', 'wrong', '1842400000']],
    ['400', 1, ['The answer is 4 \\times 10^{2} m', 'correct', '400']],
    ['0.0', 1, ['The answer is -0.04', 'correct', '0']],
    ['1.2', 1, ['The answer is .', 'unreadable']],
    ['1.2', 1, ['The answer is 1.1.', 'wrong', '1.1']],
  ])('gold %j at %i decimals against %j', (gold, precision, row) => check(float(gold, precision), row));
});

describe('list answers (gold [2013, 2016])', () => {
  it.each<Row>([
    ['The answer is [2013, 2016]', 'correct', '[2013, 2016]'],
    ['The answer is [2013,2016].', 'correct'],
    ['The years are [2013.0, 2016]', 'correct'],
    ['The answer is [2016, 2013]', 'wrong'],
    ['The answer is [2013]', 'wrong', '[2013]'],
    ['First [1, 2], then [2013, 2016]', 'correct'],
    ['\\boxed{[2013, 2016]}', 'correct'],
    ['The answer is 2013 and 2016', 'correct'],
    ['The years are 2013 and 2016, I think', 'unreadable'],
  ])('%j is %s', (...row) => check(list('[2013, 2016]'), row));
});

describe('text answers', () => {
  it.each<[string, Row]>([
    ['Heart disease', ['The answer is heart disease.', 'correct', 'heart disease']],
    ['Heart disease', ['The answer is the **Heart  disease**', 'correct']],
    ['Heart disease', ['Heart disease', 'correct']],
    ['No', ['The answer is no, because it is lower.', 'correct', 'no']],
    ['No', ['The answer is not known', 'wrong']],
    ['gray', ['The answer is \\text{gray}.', 'correct']],
    ['12%', ['The answer is 12 %', 'correct', '12']],
    ['three', ['The answer is 3', 'correct', '3']],
    ['2x + 6', ['The answer is 2(x+3).', 'correct']],
    ['2x + 6', ['The answer is 2(x+4).', 'wrong']],
    ['$\\sqrt{12}$', ['The answer is $2\\sqrt{3}$.', 'correct']],
    [
      'Tech',
      ['The bars show two groups of people. The red one is far longer than the other one, as I see it.', 'unreadable'],
    ],
  ])('gold %j against %j', (gold, row) => check(text(gold), row));
});

describe('multiple-choice answers (gold B of red, dark blue, blue, 12 cm)', () => {
  it.each<Row>([
    ['(B) is 8.\nThe answer is B.', 'correct', 'B'],
    ['The answer is (B)', 'correct'],
    ['The answer is B: dark blue', 'correct'],
    ['The answer is b', 'correct', 'B'],
    ['The answer is dark blue.', 'correct', 'B'],
    ['The answer is blue.', 'wrong', 'C'],
    ['The correct option is B', 'correct'],
    ['The answer is option B because it is tall', 'correct'],
    ['The answer is A because it is tall', 'wrong', 'A'],
    ['The answer is A dark blue bar', 'correct', 'B'],
    ['\\boxed{\\textbf{(B) }dark blue}', 'correct'],
    ['\\boxed{B}', 'correct'],
    ['(B)', 'correct'],
    ['B', 'correct'],
    ['B.', 'correct'],
    ['B. dark blue', 'correct'],
    ['dark blue', 'correct'],
    ['The bar is the longest one, so I choose dark blue', 'correct'],
    ['It is not (A), it is (B)', 'correct'],
    ['Red is shorter than dark blue', 'correct'],
    ['The length comes out at 12.', 'wrong', 'D'],
    ['The answer is 12', 'wrong', 'D'],
    ['The answer is E', 'unreadable'],
    ['The answer is green', 'unreadable'],
    ['It starts at 10:15 A.M. today', 'unreadable'],
    ['', 'unreadable'],
  ])('%j is %s', (...row) => check(choice('B', 'red', 'dark blue', 'blue', '12 cm'), row));

  it.each<[string[], Row]>([
    [
      ['B', 'C', 'A', 'D'],
      ['The answer is B', 'correct', 'B'],
    ],
    [
      ['d', 'a', 'b', 'c'],
      ['b', 'wrong', 'C'],
    ],
    [
      ['Point C', 'Point A', 'Point B'],
      ['The deepest is Point A', 'correct', 'B'],
    ],
    [
      ['1/2', '2/3'],
      ['The answer is \\frac{2}{3}', 'correct', 'B'],
    ],
    [
      ['$5', '$7'],
      ['The answer is 7', 'correct', 'B'],
    ],
    [
      ['yes', 'no'],
      ['No', 'correct', 'B'],
    ],
    [
      ['10:15 A.M.', '1:45 P.M.'],
      ['The bus leaves at 1:45 P.M.', 'correct', 'B'],
    ],
  ])('choices %j against %j', (choices, row) => check(choice('B', ...choices), row));

  it('compares the letter with a gold answer that is none of the choices, too', () => {
    check(choice('green', 'red', 'blue'), ['The answer is A', 'wrong', 'A']);
  });
});

describe('answers without a sign', () => {
  const asked = (problem: Gradable, question: string): Gradable => ({ ...problem, question });
  const yesNo = choice('A', 'Yes', 'No');

  it.each<[Gradable, Row]>([
    [choice('B', 'red', 'the answer is A'), ['So it is (B) the answer is A.', 'correct', 'B']],
    [choice('B', 'grass', 'grasshopper'), ['B. grasshopper\n\nThe grass needs light.', 'correct', 'B']],
    [choice('A', '1', '2', '3'), ['Since sin(C) is 1, the length is 1.', 'correct', 'A']],
    [
      choice('B', 'It would grow.', 'It would also shrink.'),
      ['Then the lions would also shrink, I think', 'correct', 'B'],
    ],
    [choice('A', 'Crabs will shrink', 'Gulls will grow'), ['Crabs would shrink a lot', 'correct', 'A']],
    [
      asked(yesNo, 'Is the green bar longer than the red bar?'),
      ['The green bar is longer than the red bar.', 'correct', 'A'],
    ],
    [
      asked(yesNo, 'Is the green bar longer than the red bar?'),
      ['The green bar is not longer than the red bar.', 'wrong', 'B'],
    ],
    [
      asked(yesNo, 'Is the green bar longer than the red bar?'),
      ['The red bar is longer than the green bar.', 'wrong', 'B'],
    ],
    [
      asked(yesNo, 'Is the green bar longer than the red bar?'),
      ['The green bar is shorter than the red bar.', 'wrong', 'B'],
    ],
    [
      asked(yesNo, 'Is the green bar longer than the red bar?'),
      ['I wonder if the green bar is longer than the red bar.', 'unreadable'],
    ],
    [
      asked(float('1842.4', 1), 'How many million dollars is it?'),
      ['The answer is 1,842.4 million', 'correct', '1842400000'],
    ],
    [integer('13'), ['The gap is 13 years, with one being 13 and the other one 26.', 'correct', '13']],
    [integer('40'), ['It makes about 40 to 50 miles.', 'correct', '40']],
    [integer('0'), ['There are no such bars.', 'correct', '0']],
    [integer('3'), ['There are three people. They were all born after 1945.', 'correct', '3']],
    [integer('9'), ['The speed is 9 cm/s^2', 'correct', '9']],
    [
      asked(integer('3'), 'How many bars have a value below 40?'),
      ['There are 3 bars below 40. The years are 2014, 2015 and 2016. They read 58, 59, and 63.', 'correct', '3'],
    ],
  ])('%j against %j', (problem, row) => check(problem, row));
});

describe('why a response is unreadable', () => {
  const colour = choice('B', 'red', 'blue', 'green');
  it.each<[Gradable, string, string]>([
    [colour, 'The answer is purple.', 'after "answer is": "purple." is none of the choices'],
    [colour, '\\boxed{E}', 'the last box: "E" is none of the choices'],
    [colour, 'The answer is A or B.', 'after "answer is": A or B names several choices at once'],
    [colour, '\\boxed{A} and \\boxed{', 'the last box is empty'],
    [colour, 'I see nothing.', 'no final answer found'],
    [integer('7'), '\\boxed{\\text{unknown}}', 'the last box: "\\\\text{unknown}" is no integer'],
  ])('%#: %j', (problem, response, reason) => {
    expect(grade(problem, response)).toMatchObject({ verdict: 'unreadable', reason });
  });
});

describe('robustness', () => {
  it('reads the end of a text that is too long', () => {
    check(integer('8'), [`The answer is 7. ${'x '.repeat(100_000)} The answer is 8.`, 'correct']);
  });

  it('runs nothing and is not confused by names of object members', () => {
    check(integer('8'), ['The answer is __proto__', 'unreadable']);
    check(text('constructor'), ['The answer is constructor', 'correct']);
    check(integer('8'), ['The answer is 2**3', 'correct', '8']);
    check(integer('8'), ['The answer is 9e999', 'unreadable']);
  });
});
