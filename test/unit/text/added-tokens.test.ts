// Added tokens in a text: which is found, what white space it takes with it, and what is left between.
import { describe, expect, test } from 'vitest';
import { splitAdded } from '../../../src/text/tokenizer-json.js';
import type { AddedToken } from '../../../src/text/tokenizer-json-file.js';

type Flags = Partial<Omit<AddedToken, 'id' | 'content'>>;
const token = (id: number, content: string, flags: Flags = {}): AddedToken => ({
  id,
  content,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
  ...flags,
});
const same = (text: string) => text;
const split = (tokens: readonly AddedToken[], text: string, normalise: (text: string) => string = same) =>
  splitAdded(tokens, normalise)(text);

describe('finding', () => {
  test('parts are in order and never empty', () => {
    const tokens = [token(1, '<a>'), token(2, '<b>')];
    expect(split(tokens, 'x<a>y<b>')).toEqual(['x', 1, 'y', 2]);
    expect(split(tokens, '<a><b><a>')).toEqual([1, 2, 1]);
    expect(split(tokens, 'no token')).toEqual(['no token']);
    expect(split(tokens, '')).toEqual([]);
    expect(split([], 'x<a>')).toEqual(['x<a>']);
  });

  test('of tokens that begin at the same place the longest is taken, whatever their order', () => {
    const tokens = [token(1, '<a'), token(2, '<a>'), token(3, '<a>b')];
    for (const order of [tokens, tokens.toReversed()]) expect(split(order, '<a<a><a>b')).toEqual([1, 2, 3]);
  });

  test('the first to begin wins over a longer one that begins inside it', () => {
    expect(split([token(1, 'ab'), token(2, 'bcd')], 'abcd')).toEqual([1, 'cd']);
  });

  test('signs that mean something in expressions are taken as they are', () => {
    const signs = ['.', '*', '[X]', '(|', '\\d', '^$', '{2}', '/'];
    const tokens = signs.map((content, index) => token(index, content));
    for (const [index, content] of signs.entries()) expect(split(tokens, `q${content}q`)).toEqual(['q', index, 'q']);
  });
});

describe('white space', () => {
  const blanks = ' \t\n\u00a0\u3000';

  test('is left alone, or taken from the side that the token says', () => {
    const text = `a${blanks}<t>${blanks}b`;
    expect(split([token(1, '<t>')], text)).toEqual([`a${blanks}`, 1, `${blanks}b`]);
    expect(split([token(1, '<t>', { lstrip: true })], text)).toEqual(['a', 1, `${blanks}b`]);
    expect(split([token(1, '<t>', { rstrip: true })], text)).toEqual([`a${blanks}`, 1, 'b']);
    expect(split([token(1, '<t>', { lstrip: true, rstrip: true })], text)).toEqual(['a', 1, 'b']);
  });

  test('at the ends of a text may be all there is', () => {
    expect(split([token(1, '<t>', { lstrip: true, rstrip: true })], '  <t>  ')).toEqual([1]);
  });

  test('between two tokens goes to the first that takes it', () => {
    const taking = [token(1, '<r>', { rstrip: true }), token(2, '<l>', { lstrip: true })];
    expect(split(taking, '<r>  <l>')).toEqual([1, 2]);
    expect(split(taking, '<l> <r>')).toEqual([2, ' ', 1]);
  });

  test('what is no white space in Unicode stays: zero width, and the separators of ASCII', () => {
    for (const kept of ['\u200b', '\ufeff', '\x1c'])
      expect(split([token(1, '<t>', { lstrip: true, rstrip: true })], `a${kept}<t>${kept}b`)).toEqual([
        `a${kept}`,
        1,
        `${kept}b`,
      ]);
  });
});

describe('normalisation', () => {
  const lower = (text: string) => text.toLowerCase();

  test('falls on the text between tokens, not on the tokens', () => {
    expect(split([token(1, '<A>')], 'X<A>Y', lower)).toEqual(['x', 1, 'y']);
    expect(split([token(1, '<A>')], 'X<a>Y', lower)).toEqual(['x<a>y']);
  });

  test('a normalised token is found in normalised text by its normalised content', () => {
    expect(split([token(1, '<A>', { normalized: true })], 'X<a>Y<A>', lower)).toEqual(['x', 1, 'y', 1]);
  });

  test('tokens as they stand are found first', () => {
    const tokens = [token(1, 'a<x>', { normalized: true }), token(2, '<x>')];
    expect(split(tokens, 'a<x>', lower)).toEqual(['a', 2]);
  });

  test('a mark put in front stands before every stretch of text', () => {
    expect(split([token(1, '<t>')], 'a<t>b', (text) => `_${text}`)).toEqual(['_a', 1, '_b']);
  });
});

test('any number of tokens are found', () => {
  const tokens = Array.from({ length: 200_000 }, (_, id) => token(id, `<extra_${id}>`));
  expect(split(tokens, 'a<extra_199999>b<extra_7><extra_200000>')).toEqual(['a', 199_999, 'b', 7, '<extra_200000>']);
});
