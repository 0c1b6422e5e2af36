import { describe, expect, test } from 'vitest';
import {
  Idle,
  isOver,
  type Reached,
  reach,
  START,
  shareDone,
  stepsOfNext,
  unlabelledPerIteration,
} from '../../../src/evolve/budget.js';
import { labelledProblems } from '../../../src/evolve/iteration.js';

const limits = (steps: number, iterations: number, method: 'continuous' | 'sft' = 'continuous') => ({
  method,
  steps,
  iterations,
});
const at = (iterations: number, steps: number): Reached => ({ iterations, steps, mixed: 0 });

describe('a run', () => {
  test('is over with its optimizer steps or its iterations, whichever end first', () => {
    expect(isOver(limits(100, 0), at(50, 99))).toBe(false);
    expect(isOver(limits(100, 0), at(3, 100))).toBe(true);
    expect(isOver(limits(0, 4), at(4, 7))).toBe(true);
    expect(isOver(limits(100, 4), at(4, 7))).toBe(true);
    expect(isOver(limits(100, 4), at(3, 7))).toBe(false);
  });

  test('of the method sft is over after the one training', () => {
    expect(isOver(limits(100, 0, 'sft'), START)).toBe(false);
    expect(isOver(limits(100, 0, 'sft'), at(1, 100))).toBe(true);
  });

  test('has come as far as the nearer of its limits says', () => {
    expect(shareDone(limits(100, 0), at(3, 25))).toBe(0.25);
    expect(shareDone(limits(0, 4), at(3, 25))).toBe(0.75);
    expect(shareDone(limits(100, 4), at(1, 75))).toBe(0.75);
    expect(shareDone(limits(100, 0), at(1, 110))).toBe(1);
  });

  test('gives an iteration what is left of its steps, or an even share of that', () => {
    const next = (steps: number, iterations: number, evenly: boolean, reached: Reached): number =>
      stepsOfNext({ ...limits(steps, iterations), evenly }, reached);
    expect(next(100, 0, false, at(1, 70))).toBe(30);
    expect(next(0, 4, false, at(1, 70))).toBe(0);
    expect(stepsOfNext({ ...limits(100, 3, 'sft'), evenly: true }, START)).toBe(100);
    expect([at(0, 0), at(1, 34), at(2, 67)].map((reached) => next(100, 3, true, reached))).toEqual([34, 33, 33]);
  });

  test('sums what its iterations did', () => {
    const first = reach(START, { training: { steps: 7 }, unlabelled: 0 });
    expect(reach(first, { training: { steps: 5 }, unlabelled: 30 })).toEqual({ iterations: 2, steps: 12, mixed: 1 });
  });
});

describe('a run whose iterations select nothing', () => {
  const choice = { sampled: 40, correct: 3, distinct: 2 } as never;
  const idle = (iterations: number): Idle => {
    const data = { labelled: Array.from({ length: 10 }) } as never;
    return new Idle({ config: { evolve: { iterations, interval: 3, select: { rule: 'threshold' } } } as never, data });
  };
  const nothing = { training: { steps: 0 } as never, choice };

  test('ends in an error once a whole pass has trained on nothing', () => {
    const one = idle(0);
    one.check(nothing);
    one.check(nothing);
    expect(() => one.check(nothing)).toThrow(
      'evolve.select: none of 120 responses in 3 iterations was selected, wanted at least one (6 are right: lower evolve.select.threshold)',
    );
  });

  test('goes on where any iteration of the pass led to a step', () => {
    const one = idle(0);
    for (let pass = 0; pass < 3; pass++) {
      one.check(nothing);
      one.check(nothing);
      one.check({ training: { steps: 1 } as never, choice });
    }
  });

  test('ends in an error once all of its iterations have, if these are fewer than a pass', () => {
    const one = idle(2);
    one.check(nothing);
    expect(() => one.check(nothing)).toThrow('none of 80 responses in 2 iterations');
  });

  test('goes on to the limit of its iterations once it has trained', () => {
    const one = idle(9);
    one.check({ training: { steps: 1 } as never, choice });
    for (let i = 0; i < 8; i++) one.check(nothing);
  });

  test.each([
    [{ sampled: 8, correct: 0, distinct: 0 }, 'none is right: raise evolve.n'],
    [{ sampled: 8, correct: 2, distinct: 0 }, '2 are right, but cut off: raise sampling.maxTokens'],
  ])('is told what to do about %j', (counts, remedy) => {
    const one = idle(1);
    expect(() => one.check({ ...nothing, choice: counts as never })).toThrow(remedy);
  });
});

describe('unlabelled problems', () => {
  const taken = (after: number, answers = 'pseudo', unlabelled = 9): number[] => {
    const evolve = { iterations: 4, steps: 0, interval: 6, unlabelled: { answers, after } };
    const data = { labelled: Array.from({ length: 10 }), unlabelled: Array.from({ length: unlabelled }) };
    const job = { config: { evolve }, data } as never;
    return [0, 1, 2, 3].map((done) => unlabelledPerIteration(job, at(done, 7)));
  };

  test('are mixed in, as half of the interval, once the share of the training has passed', () => {
    expect([0, 0.25, 0.5, 0.75, 1].map((after) => taken(after))).toEqual([
      [3, 3, 3, 3],
      [0, 3, 3, 3],
      [0, 0, 3, 3],
      [0, 0, 0, 3],
      [0, 0, 0, 0],
    ]);
  });

  test('are those that there are, and none where their answers are not asked for', () => {
    expect(taken(0.5, 'oracle', 2)).toEqual([0, 0, 2, 2]);
    expect(taken(0, 'none')).toEqual([0, 0, 0, 0]);
  });

  test('share the interval with the labelled ones, of which none is lost or taken twice in a pass', () => {
    const labelled = Array.from({ length: 12 }, (_, id) => ({ id: String(id) }));
    const job = { config: { seed: 1, evolve: { interval: 5 } }, data: { labelled } } as never;
    const states: [Reached, boolean][] = [
      [at(0, 0), false],
      [{ ...at(1, 0), mixed: 0 }, true],
      [{ ...at(2, 0), mixed: 1 }, true],
      [{ ...at(3, 0), mixed: 2 }, true],
    ];
    const taken = states.map(([reached, isMixed]) => labelledProblems(job, reached, isMixed));
    expect(taken.map(({ epoch, problems }) => [epoch, problems.length])).toEqual([
      [0, 5],
      [0, 4],
      [0, 3],
      [1, 3],
    ]);
    const first = taken.slice(0, 3).flatMap(({ problems }) => problems);
    expect(new Set(first.map(({ id }) => id)).size).toBe(12);
  });

  test('come in time although a share of counts is not the same double', () => {
    const evolve = { iterations: 0, steps: 10, interval: 6, unlabelled: { answers: 'pseudo', after: 1 - 0.7 } };
    const job = { config: { evolve }, data: { labelled: [1], unlabelled: [1] } } as never;
    expect(unlabelledPerIteration(job, at(1, 3))).toBe(1);
  });
});
