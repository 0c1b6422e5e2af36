import { expect, test } from 'vitest';
import { readSpecialTokens } from '../../../src/text/special-tokens.js';

const decoder = (entries: Record<string, unknown>) => ({ added_tokens_decoder: entries });

test('both files together name the special tokens', () => {
  const tokens = readSpecialTokens(
    'm',
    decoder({ 7: { content: '<a>', special: true }, 8: { content: 'b', special: false } }),
    { '<c>': 9, '<a>': 7 },
  );
  expect(Object.fromEntries(tokens)).toEqual({
    '<a>': { id: 7, hidden: true },
    b: { id: 8, hidden: false },
    '<c>': { id: 9, hidden: true },
  });
});

test('absent files give none', () => {
  expect(readSpecialTokens('m', undefined, undefined).size).toBe(0);
});

test('an id or a string that is given twice is refused', () => {
  expect(() => readSpecialTokens('m', decoder({ 7: { content: '<a>' } }), { '<c>': 7 })).toThrow(
    'm/added_tokens.json: "<c>": id 7',
  );
  expect(() => readSpecialTokens('m', decoder({ 7: { content: '<a>' } }), { '<a>': 8 })).toThrow(
    'm/added_tokens.json: "<a>": id 8',
  );
});

test('what is no id is refused by field', () => {
  expect(() => readSpecialTokens('m', undefined, { '<c>': -1 })).toThrow(
    'm/added_tokens.json: <c>: -1, wanted at least 0',
  );
  expect(() => readSpecialTokens('m', decoder({ 7: { content: '' } }), undefined)).toThrow(
    'added_tokens_decoder.7.content',
  );
});
