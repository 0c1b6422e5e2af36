import { describe, expect, test } from 'vitest';
import type { Problem, Verdict } from '../../../src/core/types.js';
import { choosePairs, type Pair, pairsOf } from '../../../src/label/pairs.js';
import type { RatedResponse, Rollout } from '../../../src/record/rollout.js';

function problem(id: string, questionType: Problem['questionType'] = 'free_form'): Problem {
  return { id, question: '?', images: [], answer: '5', questionType, answerType: 'integer', choices: [], source: 's' };
}

function rated(text: string, verdict: Verdict): RatedResponse {
  const response = {
    tokens: Int32Array.of(1),
    logprobs: Float32Array.of(0),
    text,
    ends: Uint32Array.of(text.length),
    finish: 'stop' as const,
  };
  const steps = [{ textStart: 0, textEnd: text.length, tokenStart: 0, tokenEnd: 1 }];
  return { response, grade: { verdict, extracted: null, normalised: null, reason: '' }, steps };
}

function rollout(verdicts: string): Rollout {
  const kinds: Record<string, Verdict> = { c: 'correct', w: 'wrong', u: 'unreadable' };
  return {
    problem: problem('q'),
    responses: [...verdicts].map((kind, i) => rated(`text ${i}`, kinds[kind] as Verdict)),
  };
}

const kindsOf = (pairs: readonly Pair[]): string =>
  pairs
    .map((pair) => (pair.rated.grade.verdict === 'correct' ? 'c' : 'w'))
    .sort()
    .join('');

describe('the pairs of a problem', () => {
  test.each([
    ['cccccccw', 4, 'cccw'],
    ['ccccwwww', 4, 'ccww'],
    ['wwwwwwww', 4, 'wwww'],
    ['cwu', 4, 'cww'],
    ['ccccwwww', 3, 'ccw'],
  ])('of %s, at most %i, are %s', (verdicts, most, kinds) => {
    expect(kindsOf(pairsOf(rollout(verdicts), most, 1))).toBe(kinds);
  });

  test('are different texts in sample order, and which ones depends on the seed', () => {
    const { problem: of, responses } = rollout('cccccccc');
    const repeated = { problem: of, responses: [...responses, ...responses] };
    const chosen = [1, 2, 3].map((seed) => pairsOf(repeated, 4, seed).map(({ sample }) => sample));
    for (const samples of chosen) {
      expect(new Set(samples.map((sample) => sample % 8)).size).toBe(4);
      expect(samples).toEqual([...samples].sort((a, b) => a - b));
    }
    expect(new Set(chosen.map(String)).size).toBeGreaterThan(1);
  });
});

describe('balancing', () => {
  function pairs(counts: { rightChoice: number; wrongChoice: number; rightFree: number; wrongFree: number }): Pair[] {
    const of = (count: number, verdict: Verdict, type: Problem['questionType']): Pair[] =>
      Array.from({ length: count }, (_, i) => ({
        problem: problem(`${verdict}-${type}-${i}`, type),
        sample: 0,
        rated: rated('t', verdict),
      }));
    return [
      ...of(counts.rightChoice, 'correct', 'multi_choice'),
      ...of(counts.wrongChoice, 'wrong', 'multi_choice'),
      ...of(counts.rightFree, 'correct', 'free_form'),
      ...of(counts.wrongFree, 'wrong', 'free_form'),
    ];
  }

  const summary = (chosen: readonly Pair[]) => ({
    all: chosen.length,
    right: chosen.filter((pair) => pair.rated.grade.verdict === 'correct').length,
    choice: chosen.filter((pair) => pair.problem.questionType === 'multi_choice').length,
  });

  test.each([
    ['plenty of all', { rightChoice: 50, wrongChoice: 50, rightFree: 50, wrongFree: 50 }, 40, 40],
    ['few wrong choices', { rightChoice: 50, wrongChoice: 2, rightFree: 50, wrongFree: 50 }, 40, 40],
    ['less than asked for', { rightChoice: 3, wrongChoice: 2, rightFree: 9, wrongFree: 4 }, 40, 10],
    ['an empty cell', { rightChoice: 5, wrongChoice: 0, rightFree: 9, wrongFree: 7 }, 40, 10],
  ])('keeps both ratios at 1 : 1 with %s', (_, counts, most, all) => {
    expect(summary(choosePairs(pairs(counts), most, true, 1))).toEqual({ all, right: all / 2, choice: all / 2 });
  });

  test('keeps right : wrong alone where the data has one type of question', () => {
    const free = pairs({ rightChoice: 0, wrongChoice: 0, rightFree: 9, wrongFree: 4 });
    expect(summary(choosePairs(free, 40, true, 1))).toEqual({ all: 8, right: 4, choice: 0 });
    const choice = pairs({ rightChoice: 9, wrongChoice: 4, rightFree: 0, wrongFree: 0 });
    expect(summary(choosePairs(choice, 6, true, 1))).toEqual({ all: 6, right: 3, choice: 6 });
  });

  test('can be off, and keeps the given order either way', () => {
    const all = pairs({ rightChoice: 9, wrongChoice: 1, rightFree: 0, wrongFree: 0 });
    const chosen = choosePairs(all, 8, false, 1);
    expect(chosen).toHaveLength(8);
    expect(chosen.map((pair) => all.indexOf(pair))).toEqual(
      chosen.map((pair) => all.indexOf(pair)).sort((a, b) => a - b),
    );
  });
});
