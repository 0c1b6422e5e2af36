// From step scores to a reward.
import { describe, expect, it } from 'vitest';
import { aggregate } from '../../../src/reward/aggregate.js';

describe('aggregate', () => {
  it.each([
    [undefined, [0.9, 0.25, 0.5], 0.25],
    ['min', [0.9, -0.5, 0.5], -0.5],
    ['last', [0.9, 0.25, 0.5], 0.5],
    ['mean', [0.75, 0.25, 0.5], 0.5],
    ['product', [0.5, 0.25], 0.125],
    ['product', [-0.5, -0.25, 1], 0],
    ['product', [1.5, 0.5], 0.5],
    ['min', [0.9, Number.NaN], Number.NaN],
  ] as const)('%s of %j is %d', (how, scores, reward) => {
    expect(aggregate(Float64Array.from(scores), how)).toBe(reward);
  });

  it('refuses a response without steps', () => {
    expect(() => aggregate([])).toThrow('a response without steps has no reward');
  });
});
