// Problems that a program gives: what it leaves out is filled in as for a record of a file.
import { expect, test } from 'vitest';
import { type ProblemInput, takeProblems } from '../../../src/data/given.js';

const take = (given: readonly unknown[], warnings: string[] = []) =>
  takeProblems(given as readonly ProblemInput[], (warning) => warnings.push(warning));
const bytes = Uint8Array.of(137, 80, 78, 71);

test('a number, a unit and a path make a free-form problem whose answer says what it is', async () => {
  const [problem] = await take([{ question: 'How long?', answer: 2.5, unit: 'cm', images: ['a.png'] }]);
  expect(problem).toMatchObject({
    id: '0',
    question: 'How long? (Unit: cm)',
    images: [{ path: 'a.png' }],
    answer: '2.5',
    questionType: 'free_form',
    answerType: 'float',
    precision: 1,
    unit: 'cm',
    choices: [],
    source: 'program',
  });
});

test('choices stand under the question, and the answer is their letter', async () => {
  const given = { question: 'Which?', answer: 'blue', choices: ['red', 'blue'], images: [bytes], id: 'b', source: 's' };
  expect(await take([given])).toMatchObject([
    {
      id: 'b',
      question: 'Which?\nChoices:\n(A) red\n(B) blue',
      images: [{ bytes, name: 'problem b, picture 1' }],
      answer: 'B',
      questionType: 'multi_choice',
      source: 's',
    },
  ]);
});

test('a whole problem stays as it is', async () => {
  const [whole] = await take([{ question: 'Which?', answer: 'A', choices: ['red', 'blue'], tags: { task: 't' } }]);
  expect(await take([whole])).toEqual([whole]);
});

test('an answer that is none of the choices is told', async () => {
  const warnings: string[] = [];
  await take([{ question: 'Which?', answer: 'green', choices: ['red', 'blue'] }], warnings);
  expect(warnings).toEqual(['problems:1: answer: "green", wanted one of the 2 choices']);
});

test.each<[unknown, string]>([
  [null, 'problems:1: problem: null, wanted a value of type object'],
  [{ question: 'q' }, 'problems:1: answer: missing'],
  [{ question: ' ', answer: 1 }, 'problems:1: question: no text, wanted a question'],
  [{ question: 'q', answer: '' }, 'problems:1: answer: "", wanted an answer'],
  [{ question: 'q', answer: 1, images: [7] }, 'problems:1: images.0: 7, wanted a path or encoded bytes'],
  [{ question: 'q', answer: 1, sauce: 's' }, 'problems:1: sauce: unknown, did you mean source?'],
  [{ question: 'q', answer: 'D', choices: ['x', 'y'] }, 'problems:1: answer: "D", wanted a letter from A to B'],
  [{ question: 'q', answer: '1', questionType: 'free_form' }, 'problems:1: id: missing'],
])('%j is refused', async (given, message) => {
  await expect(take([given])).rejects.toThrow(message);
});
