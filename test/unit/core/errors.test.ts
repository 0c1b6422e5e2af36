import { expect, test } from 'vitest';
import { UserError } from '../../../src/core/errors.js';

test('a UserError is one line whatever it quotes', () => {
  expect(new UserError('f.json:1: key "a\nb\u001b[2J\ud800": found, wanted').message).toBe(
    'f.json:1: key "a\\u{a}b\\u{1b}[2J\\u{d800}": found, wanted',
  );
});

test('a UserError that quotes too much keeps its place and what is wanted', () => {
  const { message } = new UserError(`f.json:1: ${'\u{1f600}'.repeat(5000)}: given twice, wanted once`);
  expect([...message].length).toBeLessThan(650);
  expect(message).toMatch(/^f\.json:1: .* \.\.\. .*: given twice, wanted once$/);
  expect(message.isWellFormed()).toBe(true);
});
