// Selection rules over the responses of one problem.
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../src/core/types.js';
import { type Candidate, eligible, type SelectionRule, select as selectAmong } from '../../../src/evolve/select.js';

const draw = { seed: 1, key: 'iter-0/q0' };
const select = (all: readonly Candidate[], ...how: [SelectionRule, typeof draw]) =>
  selectAmong(eligible(all, 'drop'), ...how);

function candidates(...rows: [text: string, verdict: Verdict, reward: number][]): Candidate[] {
  return rows.map(([text, verdict, reward], sample) => ({ sample, text, verdict, reward }));
}

const problem = candidates(
  ['a', 'correct', 0.5],
  ['b', 'wrong', 0.99],
  ['c', 'correct', 0.9],
  [' a ', 'correct', 0.5],
  ['d', 'unreadable', 0.8],
  ['e', 'correct', 0.5],
  ['f', 'correct', 0.1],
);

describe('select', () => {
  it.each<[SelectionRule, number[]]>([
    [{ rule: 'all' }, [0, 2, 5, 6]],
    [{ rule: 'top', k: 1 }, [2]],
    [{ rule: 'top', k: 2 }, [0, 2]],
    [{ rule: 'top', k: 3 }, [0, 2, 5]],
    [{ rule: 'top', k: 99 }, [0, 2, 5, 6]],
    [{ rule: 'threshold', threshold: 0.5 }, [0, 2, 5]],
    [{ rule: 'threshold', threshold: 0.95 }, []],
    [{ rule: 'random', k: 99 }, [0, 2, 5, 6]],
  ])('%j keeps samples %j of the distinct correct ones', (rule, samples) => {
    expect(select(problem, rule, draw)).toEqual(samples);
  });

  it.each<[SelectionRule, number[]]>([
    [{ rule: 'all' }, [0, 2, 3, 5, 6]],
    [{ rule: 'top', k: 3 }, [0, 2, 3]],
    [{ rule: 'threshold', threshold: 0.5 }, [0, 2, 3, 5]],
  ])('%j keeps samples %j where repeats of a text are kept', (rule, samples) => {
    expect(selectAmong(eligible(problem, 'keep'), rule, draw)).toEqual(samples);
  });

  it('keeps nothing of nothing', () => {
    expect(select([], { rule: 'all' }, draw)).toEqual([]);
  });

  it('does not depend on the order in which the responses finished', () => {
    for (const rule of [
      { rule: 'top', k: 2 },
      { rule: 'random', k: 2 },
    ] as const) {
      expect(select([...problem].reverse(), rule, draw)).toEqual(select(problem, rule, draw));
    }
  });

  it('ranks a reward that is not a number last', () => {
    const rows = candidates(['a', 'correct', Number.NaN], ['b', 'correct', -5], ['c', 'correct', 1]);
    expect(select(rows, { rule: 'top', k: 2 }, draw)).toEqual([1, 2]);
    expect(select(rows, { rule: 'threshold', threshold: -9 }, draw)).toEqual([1, 2]);
  });

  it('draws each correct one about equally often at random, by seed and key', () => {
    const counts = new Map<number, number>();
    for (let i = 0; i < 2000; i++) {
      for (const sample of select(problem, { rule: 'random', k: 2 }, { seed: 1, key: `q${i}` })) {
        counts.set(sample, (counts.get(sample) ?? 0) + 1);
      }
    }
    expect([...counts.keys()].sort()).toEqual([0, 2, 5, 6]);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(100);
    expect(select(problem, { rule: 'random', k: 2 }, draw)).toEqual(select(problem, { rule: 'random', k: 2 }, draw));
  });
});
