// Pseudo labels: the weighted vote decides, the true answer is never looked at but for the journal.
import { expect, test } from 'vitest';
import type { Problem, Verdict } from '../../../src/core/types.js';
import { pseudoLabel, withoutAnswerType } from '../../../src/evolve/choose.js';
import type { Rollout } from '../../../src/record/rollout.js';

const problem: Problem = {
  id: 'p',
  question: 'q',
  images: [],
  answer: '7',
  questionType: 'free_form',
  answerType: 'integer',
  choices: [],
  source: '',
};
const response = {
  tokens: Int32Array.of(1),
  logprobs: Float32Array.of(0),
  text: '',
  ends: Uint32Array.of(0),
  finish: 'stop' as const,
};
const rollout = (rows: readonly (readonly [answer: string | null, reward: number | undefined])[]): Rollout => ({
  problem,
  responses: rows.map(([normalised, reward]) => ({
    response,
    steps: [],
    grade: {
      verdict: (normalised === null ? 'unreadable' : normalised === '7' ? 'correct' : 'wrong') as Verdict,
      extracted: normalised,
      normalised,
      reason: '',
    },
    ...(reward !== undefined && { reward }),
  })),
});
const verdicts = ({ responses }: Rollout) => responses.map(({ grade }) => grade.verdict);

test('responses that agree with the greatest weight count as correct, whatever is true', () => {
  const { rollout: judged, right } = pseudoLabel(
    rollout([
      ['7', 0.3],
      ['5', 0.9],
      ['7', 0.2],
      [null, 0.9],
      ['5', 0.1],
    ]),
  );
  expect(verdicts(judged)).toEqual(['wrong', 'correct', 'wrong', 'unreadable', 'correct']);
  expect(right).toBe(false);
});

test('rewards below zero and missing ones weigh nothing; a tie goes to the answer that came first', () => {
  const { rollout: judged, right } = pseudoLabel(
    rollout([
      ['7', undefined],
      ['5', -2],
      ['5', -3],
    ]),
  );
  expect(verdicts(judged)).toEqual(['correct', 'wrong', 'wrong']);
  expect(right).toBe(true);
});

test('without a readable answer there is no label', () => {
  expect(pseudoLabel(rollout([[null, 1]]))).toMatchObject({
    right: null,
    rollout: { responses: [{ grade: { verdict: 'unreadable' } }] },
  });
});

test('votes are classed by the hint line of the question or as texts, whatever kind of value the hidden answer is', () => {
  const hint =
    'Hint: Please answer the question requiring an integer answer and provide the final value, e.g., 1, 2, 3, at the end.';
  const hidden = [
    { answer: '7', answerType: 'integer' },
    { answer: '7.50', answerType: 'float', precision: 2 },
    { answer: 'seven', answerType: 'text' },
  ] as const;
  for (const [question, answerType] of [
    ['How many?', 'text'],
    [`${hint}\nQuestion: How many?`, 'integer'],
  ]) {
    for (const known of hidden) {
      expect(withoutAnswerType({ ...problem, ...known, question: question as string })).toMatchObject({ answerType });
      expect(withoutAnswerType({ ...problem, ...known, question: question as string }).precision).toBeUndefined();
    }
  }
  const chosen = { ...problem, questionType: 'multi_choice' as const, choices: ['a', 'b'], answer: 'A' };
  expect(withoutAnswerType(chosen)).toBe(chosen);
});
