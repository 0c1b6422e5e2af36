// Reading question and answer texts of the MathV360K / MathVista form.
import { describe, expect, it } from 'vitest';
import { answerForm, checkLetter, choiceLetter, parseQuestion, unwrapAnswer } from '../../../src/data/question.js';

const LETTER_HINT =
  'Hint: Please answer the question and provide the correct option letter, e.g., A, B, C, D, at the end.';
const hint = (what: string) => `Hint: Please answer the question requiring ${what} at the end.`;

describe('parseQuestion', () => {
  it.each([
    [hint('an integer answer and provide the final value, e.g., 1, 2, 3,'), { answerType: 'integer' }],
    [hint('a floating-point number with one decimal place and provide it'), { answerType: 'float', precision: 1 }],
    [hint('a floating-point number with two decimal places and provide it'), { answerType: 'float', precision: 2 }],
    [hint('a Python list as an answer and provide the final list'), { answerType: 'list' }],
    [LETTER_HINT, undefined],
    ['Question: which needs requiring an integer answer', undefined],
  ])('reads the answer type from the hint line only: %j', (first, hinted) => {
    expect(parseQuestion(`${first}\nQuestion: How many?`).hinted).toEqual(hinted);
  });

  it('reads the unit from the end of the question only', () => {
    expect(parseQuestion('Question: How much? (Unit: $, per day)').unit).toBe('$, per day');
    expect(parseQuestion('Question: How much? (Unit: minutes)\nChoices:\n(A) 1\n(B) 2').unit).toBe('minutes');
    expect(parseQuestion('Question: (Unit: $) How much?').unit).toBeUndefined();
  });

  it('reads choices line by line, texts with brackets, letters and line breaks included', () => {
    const block = '(A) f(x) = (B)\n(B) neither;\nboth are (C) equal\n(C) 3';
    expect(parseQuestion(`${LETTER_HINT}\nQuestion: Which?\nChoices:\n${block}`).choices).toEqual([
      'f(x) = (B)',
      'neither;\nboth are (C) equal',
      '3',
    ]);
  });

  it('reads choices that stand in one line', () => {
    expect(parseQuestion('Question: Which?\nChoices: (A) red (B) dark blue').choices).toEqual(['red', 'dark blue']);
  });

  it('takes the word "choices" inside a question for text', () => {
    expect(parseQuestion('Question: Who made Choices:\nold or new?').choices).toEqual([]);
  });

  it('needs time linear in the text', () => {
    const started = performance.now();
    parseQuestion(`Question: ${'(Unit: '.repeat(8000)}${' '.repeat(8000)}\nChoices:${'\n(A)'.repeat(2000)}`);
    unwrapAnswer(`${'the answer is '.repeat(4000)}${'1'.repeat(8000)}x`);
    expect(performance.now() - started).toBeLessThan(500);
  });
});

describe('unwrapAnswer', () => {
  it.each([
    ['The answer is 3', '3'],
    ['The answer is 3.', '3'],
    ['The answer is 3.5.', '3.5'],
    ['the answer is: Heart disease.', 'Heart disease'],
    ['The answer is 1:45 P.M.', '1:45 P.M.'],
    [' 1842.4 ', '1842.4'],
    ['First, the answer is 2. No: The answer is B', 'B'],
    ['The answer is', ''],
    ['The answer is: ', ''],
    ['2 + 1 = 3\n#### 3', '3'],
    ['<think>so</think><answer> 3 </answer>', '3'],
    ['<answer>The answer is 3.</answer>\n', '3'],
    ['\\boxed{\\frac{1}{2}}', '\\frac{1}{2}'],
    ['\\boxed{1}, \\boxed{2}', '\\boxed{1}, \\boxed{2}'],
    ['a </answer>', 'a </answer>'],
  ])('reads %j as %j', (value, answer) => {
    expect(unwrapAnswer(value)).toBe(answer);
  });
});

describe('choiceLetter', () => {
  const choices = ['yes', 'A cat', 'Both of  them'];
  it.each([
    ['B', 'B'],
    ['(B)', 'B'],
    ['C.', 'C'],
    ['A: yes', 'A'],
    ['(C) Both of them', 'C'],
    ['a cat', 'B'],
    ['both of them', 'C'],
    ['D', null],
    ['dog', null],
  ])('maps %j to %j', (answer, letter) => {
    expect(choiceLetter(answer, choices)).toBe(letter);
  });
});

describe('checkLetter', () => {
  const check = (answer: string, choices: string[]) =>
    checkLetter(answer, choices, { file: 'a.json', line: 3 }, 'answer');

  it.each([
    ['D', ['yes', 'no']],
    ['(D).', ['yes', 'no']],
  ])('refuses %j, which none of %j has', (answer, choices) => {
    const wanted = 'wanted a letter from A to B, or the text of a choice';
    expect(() => check(answer, choices)).toThrow(`a.json:3: answer: ${JSON.stringify(answer)}, ${wanted}`);
  });

  it.each([
    ['B', ['yes', 'no']],
    ['D', ['C', 'D']],
    ['dog', ['yes', 'no']],
    ['D', []],
  ])('lets %j stand beside %j', (answer, choices) => expect(() => check(answer, choices)).not.toThrow());
});

describe('answerForm', () => {
  it.each([
    ['12', { answerType: 'integer' }],
    ['-1,200', { answerType: 'integer' }],
    ['0.50', { answerType: 'float', precision: 2 }],
    ['[1, 2]', { answerType: 'list' }],
    ['Tech', { answerType: 'text' }],
    ['12%', { answerType: 'text' }],
  ])('takes the form of %j', (answer, form) => {
    expect(answerForm(answer)).toEqual(form);
  });
});
