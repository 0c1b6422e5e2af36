// Which problems of an iteration are shown.
import { describe, expect, test } from 'vitest';
import type { ProblemStats } from '../../../../src/record/tables.js';
import { pickProblems } from '../../../../src/views/run/problems.js';

function stats(problem: string, change: Partial<ProblemStats> = {}): ProblemStats {
  return {
    problem,
    responses: 8,
    correct: 4,
    unfinished: 0,
    error: false,
    multipleChoice: false,
    selected: 2,
    luckySelected: 0,
    soundReward: 0.5,
    refusedLuckyReward: null,
    soundRefused: 0,
    ...change,
  };
}

describe('pickProblems', () => {
  test('starts with a right chain that was kept where a lucky one was refused, the clearest case first', () => {
    const problems = [
      stats('plain'),
      stats('close', { soundReward: 0.5, refusedLuckyReward: 0.4 }),
      stats('clear', { soundReward: 0.9, refusedLuckyReward: 0.1 }),
    ];
    expect(pickProblems(problems, 1)).toEqual([{ problem: 'clear', why: 'kept a right chain, refused a lucky one' }]);
  });

  test('shows one problem of every kind and fills up with others', () => {
    const problems = [
      stats('plain-1'),
      stats('plain-2'),
      stats('wrong', { correct: 0, selected: 0, soundReward: null }),
      stats('right', { correct: 8 }),
      stats('single', { correct: 1 }),
      stats('choice', { multipleChoice: true }),
      stats('fooled', { luckySelected: 1, soundRefused: 1 }),
      stats('kept', { refusedLuckyReward: 0.2 }),
      stats('cut', { unfinished: 3 }),
      stats('failed', { responses: 0, correct: 0, selected: 0, error: true, soundReward: null }),
    ];
    const picked = pickProblems(problems, 9).map(({ problem }) => problem);
    expect(picked).toEqual(['kept', 'fooled', 'choice', 'single', 'wrong', 'right', 'cut', 'failed', 'plain-1']);
  });

  test('shows no problem twice and no more than there are', () => {
    const problems = [stats('only', { multipleChoice: true, unfinished: 1 })];
    expect(pickProblems(problems, 8)).toHaveLength(1);
    expect(pickProblems([], 8)).toEqual([]);
  });

  test('does not call a problem with a lucky response among the kept ones a success of the PRM', () => {
    const [first] = pickProblems([stats('mixed', { refusedLuckyReward: 0.2, luckySelected: 1 })], 1);
    expect(first?.why).toBe('as it came');
  });
});
