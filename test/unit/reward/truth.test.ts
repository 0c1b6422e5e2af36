// Step correctness against what the generator knows.
import { describe, expect, it } from 'vitest';
import { answerForm, parseQuestion } from '../../../src/data/question.js';
import { families } from '../../../src/problems/families.js';
import { generateProblem } from '../../../src/problems/problem.js';
import { grade } from '../../../src/reward/answer/grade.js';
import { soundSoFar, stepTruth } from '../../../src/reward/truth.js';

const total = {
  family: 'bars',
  steps: ['red is 5.', 'blue is 3.', 'green is 2.', '5 + 3 = 8.', '8 + 2 = 10.', 'The answer is 10.'],
  scene: { red: 5, blue: 3, green: 2 },
};
const choice = {
  family: 'dots',
  steps: ['red is 5.', 'blue is 3.', 'red is the largest.', '(B) is red.', 'The answer is B.'],
  scene: { red: 5, blue: 3 },
};

describe('stepTruth', () => {
  it.each([
    ['the true chain', total.steps, [true, true, true, true, true, true]],
    [
      'another order of readings and sums',
      ['Green is 2', 'blue is 3', '2+3=5', 'red is 5.', '5 + 5 = 10'],
      [1, 1, 1, 1, 1],
    ],
    ['step numbers and odd spacing', ['Step 1:  red  is 5 .', 'Step 12. blue is 3'], [1, 1]],
    ['several statements in one step', ['red is 5. blue is 3.', 'red is 5. blue is 4.'], [1, 0]],
    ['a wrong reading', ['red is 4.', 'The answer is 10.'], [0, 1]],
    ['the other phrasing of a reading', ['red shows 5.', 'red shows 4.', 'red has 5.'], [1, 0, 0]],
    ['an unknown name', ['pink is 5.'], [0]],
    ['wrong arithmetic', ['5 + 3 = 9.'], [0]],
    ['true arithmetic on numbers that nothing shows', ['4 + 4 = 8.'], [0]],
    ['one quantity used as two', ['2 + 2 = 4.'], [0]],
    ['a result used by a later step', ['5 + 3 = 8.', '8 - 2 = 6.', '6 * 5 = 30.'], [1, 1, 1]],
    ['a wrong result used by a later step', ['5 + 3 = 9.', '9 + 2 = 11.'], [0, 0]],
    ['a wrong answer line', ['The answer is 11.'], [0]],
    ['words that cannot be checked', ['Look at the picture.'], [0]],
    ['a step without words', [' '], [0]],
  ])('judges %s', (_, steps, right) => {
    expect(stepTruth(total, steps)).toEqual(right.map(Boolean));
  });

  it('judges the lines of a multiple-choice question', () => {
    expect(stepTruth(choice, ['red is the largest.', '(B) is red.', '(A) is red.', 'The answer is B.'])).toEqual([
      true,
      true,
      false,
      true,
    ]);
    expect(stepTruth(choice, ['blue is the largest.'])).toEqual([false]);
  });
});

describe('the true chains of generated problems', () => {
  it.each(Object.keys(families))('are right in every step and graded correct: %s', (family) => {
    for (let index = 0; index < 50; index++) {
      const { truth, question, answer } = generateProblem(family, 1, index);
      expect(stepTruth(truth, truth.steps)).toEqual(truth.steps.map(() => true));
      const { choices } = parseQuestion(question);
      const [questionType, form] =
        choices.length > 0
          ? (['multi_choice', { answerType: 'text' }] as const)
          : (['free_form', answerForm(answer)] as const);
      const graded = grade({ answer, choices, questionType, ...form }, truth.steps.join('\n'));
      expect(graded).toMatchObject({ verdict: 'correct', normalised: answer });
    }
  });
});

describe('soundSoFar', () => {
  it('is true up to the first wrong step', () => {
    expect(soundSoFar([true, false, true])).toEqual([true, false, false]);
    expect(soundSoFar([true, true])).toEqual([true, true]);
  });
});
