import { expect, test } from 'vitest';
import { printable, UserError } from '../../../src/core/errors.js';

test('a text of anybody shows its control, direction and line characters instead of having them', () => {
  expect(printable('a\u001b[2Jb\nc\u202ed\u2028e\u009bf\ud800g')).toBe(
    'a\\u{1b}[2Jb\\u{a}c\\u{202e}d\\u{2028}e\\u{9b}f\\u{d800}g',
  );
  expect(printable('caf\u00e9 \u4e09 \u{1f600}')).toBe('caf\u00e9 \u4e09 \u{1f600}');
});

test('a UserError is one line whatever it quotes', () => {
  expect(new UserError('f.json:1: key "a\nb\u0007": found, wanted').message).toBe(
    'f.json:1: key "a\\u{a}b\\u{7}": found, wanted',
  );
});

test('a UserError that quotes too much keeps its place and what is wanted', () => {
  const { message } = new UserError(`f.json:1: ${'\u{1f600}'.repeat(5000)}: given twice, wanted once`);
  expect([...message].length).toBeLessThan(650);
  expect(message).toMatch(/^f\.json:1: .* \.\.\. .*: given twice, wanted once$/);
  expect(message.isWellFormed()).toBe(true);
});
