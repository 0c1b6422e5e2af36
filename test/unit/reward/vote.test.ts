// Voting over answer classes.
import { describe, expect, it } from 'vitest';
import { majorityVote, weightedVote } from '../../../src/reward/vote.js';

describe('majorityVote', () => {
  it.each([
    [['a', 'b', 'b'], { answer: 'b', sample: 1, weight: 2 }],
    [['b', 'a', 'a', 'b'], { answer: 'b', sample: 0, weight: 2 }],
    [[null, null, 'c', null], { answer: 'c', sample: 2, weight: 1 }],
    [[null], null],
    [[], null],
    [['__proto__', 'constructor', '__proto__'], { answer: '__proto__', sample: 0, weight: 2 }],
  ])('of %j is %j', (answers, vote) => {
    expect(majorityVote(answers)).toEqual(vote);
  });
});

describe('weightedVote', () => {
  it.each([
    [['a', 'b', 'b'], [0.9, 0.3, 0.4], { answer: 'a', sample: 0, weight: 0.9 }],
    [['a', 'b', 'b'], [0.5, 0.25, 0.5], { answer: 'b', sample: 1, weight: 0.75 }],
    [['a', 'b'], [0.5, 0.5], { answer: 'a', sample: 0, weight: 0.5 }],
    [['a', 'b'], [-2, -1], { answer: 'a', sample: 0, weight: 0 }],
    [['a', 'b', 'a'], [0.5, 0.4, -0.3], { answer: 'a', sample: 0, weight: 0.5 }],
    [['a', 'b'], [Number.NaN, 0.1], { answer: 'b', sample: 1, weight: 0.1 }],
    [[null, 'b'], [9, 0], { answer: 'b', sample: 1, weight: 0 }],
  ])('of %j with weights %j is %j', (answers, weights, vote) => {
    expect(weightedVote(answers, Float64Array.from(weights))).toEqual(vote);
  });
});
