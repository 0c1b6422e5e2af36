// Counter-based randomness: the published generator, purity, ranges, evenness.
import { describe, expect, it } from 'vitest';
import { philox, random } from '../../../src/core/random.js';

describe('philox', () => {
  // Known answers published with Random123 for philox4x32 with 10 rounds.
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)('gives the published words for counter %j', (counter, key, words) => {
    expect(philox(counter, key)).toEqual(words);
  });
});

describe('random', () => {
  it('gives the same draw for the same seed, purpose and index, whatever was drawn before', () => {
    const stream = random(7, 'split');
    const fifth = stream.uniform(5);
    stream.shuffle([1, 2, 3]);
    expect(random(7, 'split').uniform(5)).toBe(fifth);
  });

  it('gives other draws for another seed, purpose or index, far indices and seeds included', () => {
    const draws = [
      random(7, 'split').uniform(5),
      random(8, 'split').uniform(5),
      random(7 + 2 ** 32, 'split').uniform(5),
      random(7, 'splits').uniform(5),
      random(7, '').uniform(5),
      random(7, 'split').uniform(6),
      random(7, 'split').uniform(5 + 2 ** 32),
    ];
    expect(new Set(draws).size).toBe(draws.length);
  });

  it('spreads evenly over the unit interval', () => {
    const stream = random(1, 'evenness');
    const bins = new Array<number>(10).fill(0);
    for (let i = 0; i < 20_000; i++) {
      const draw = stream.uniform(i);
      expect(draw >= 0 && draw < 1).toBe(true);
      bins[Math.floor(draw * 10)]!++;
    }
    const chiSquare = bins.reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0);
    expect(chiSquare).toBeLessThan(27.9); // 0.1 % quantile for 9 degrees of freedom
  });

  it('draws every integer below n', () => {
    const stream = random(1, 'below');
    expect(new Set(Array.from({ length: 200 }, (_, i) => stream.below(i, 5)))).toEqual(new Set([0, 1, 2, 3, 4]));
    expect(stream.below(3, 1)).toBe(0);
  });

  it('shuffles without loss and makes every order about equally often', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = random(i, 'order').order(3).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual(['012', '021', '102', '120', '201', '210']);
    expect(Math.min(...counts.values())).toBeGreaterThan(880);
    const items = Object.freeze(['a', 'b', 'c', 'd']);
    expect(random(3, 's').shuffle(items).sort()).toEqual(items);
  });

  it('refuses seeds and ranges that it cannot serve', () => {
    for (const seed of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => random(seed, 'x')).toThrow(/^seed: /);
    for (const n of [0, -1, 1.5, 2 ** 32 + 1]) expect(() => random(1, 'x').below(0, n)).toThrow(/^n: /);
  });

  it('keeps its draws from version to version', () => {
    expect(random(1, 'split').order(8)).toMatchInlineSnapshot(`
      [
        6,
        5,
        3,
        0,
        1,
        4,
        7,
        2,
      ]
    `);
    expect(random(2 ** 40 + 1, 'select/iter-3/q17').uniform(123)).toMatchInlineSnapshot(`0.3829521006101507`);
  });
});
