// Choosing the temperature.
import { describe, expect, it, test } from 'vitest';
import { chooseTemperature, scoresOf } from '../../../src/evolve/dynamics.js';
import { samples } from '../../fakes/journal.js';

const scores = (...rows: [number, number][]) =>
  rows.map(([temperature, rewardPassAt2]) => ({ temperature, rewardPassAt2 }));

describe('chooseTemperature', () => {
  it.each([
    [scores([0.3, 0.5], [0.6, 0.7], [1, 0.6]), 0.6, [0.6]],
    [scores([1.2, 0.7], [0.6, 0.7], [0.3, 0.1]), 0.6, [0.6, 1.2]],
    [scores([0.5, 0], [0.4, 0]), 0.4, [0.4, 0.5]],
    [scores([1.6, 1]), 1.6, [1.6]],
  ])('of %j picks %d', (list, chosen, tied) => {
    expect(chooseTemperature(list, 1)).toMatchObject({ chosen, tied });
  });

  it('records everything that led to the choice, by ascending temperature', () => {
    expect(chooseTemperature(scores([1, 0.5], [0.3, 0.75]), 1)).toEqual({
      chosen: 0.3,
      previous: 1,
      best: 0.75,
      tied: [0.3],
      scores: scores([0.3, 0.75], [1, 0.5]),
    });
  });

  it('refuses to choose from nothing or from what is no number', () => {
    expect(() => chooseTemperature([], 1)).toThrow('no temperature was scored');
    expect(() => chooseTemperature(scores([1, Number.NaN]), 1)).toThrow('score of temperature 1: NaN, wanted a number');
  });
});

test('a selection that drops repeats has its temperature chosen among responses of different text', () => {
  const measured = [
    samples(0.4, { rewardPassAt2: 0.7, rewardPassAt2Distinct: 0.5 }),
    samples(1, { rewardPassAt2: 0.6, rewardPassAt2Distinct: 0.6 }),
  ];
  expect(chooseTemperature(scoresOf(measured, 'keep'), 1).chosen).toBe(0.4);
  expect(chooseTemperature(scoresOf(measured, 'drop'), 1).chosen).toBe(1);
});
