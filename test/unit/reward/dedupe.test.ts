// When two responses count as the same.
import { describe, expect, it } from 'vitest';
import { dedupe } from '../../../src/reward/dedupe.js';

describe('dedupe', () => {
  it('keeps the first of texts that differ in white space or Unicode form only', () => {
    const texts = ['x = 1\nso 2', ' x = 1 so  2 ', 'caf\u00e9', 'cafe\u0301', 'X = 1 so 2'].map((text) => ({ text }));
    expect(dedupe(texts).map(({ text }) => text)).toEqual(['x = 1\nso 2', 'caf\u00e9', 'X = 1 so 2']);
  });
});
