import { expect, test } from 'vitest';
import { printable, printableJson } from '../../../src/core/printable.js';

test.each([
  ['\x1b[2J\x07', '\\u{1b}[2J\\u{7}'],
  ['\x9b31m red\x7f', '\\u{9b}31m red\\u{7f}'],
  ['a\r\nb\tc', 'a\\u{d}\\u{a}b\\u{9}c'],
  ['\u202egnp.exe', '\\u{202e}gnp.exe'],
  ['\ud800', '\\u{d800}'],
  ['5 √3 ≈ 8.66 Ω 中文 👩\u200d🔬 می\u200cخواهم', '5 √3 ≈ 8.66 Ω 中文 👩\u200d🔬 می\u200cخواهم'],
])('%j is printed as %j', (text, printed) => {
  expect(printable(text)).toBe(printed);
});

test('JSON holds no character that a terminal acts on, and the same value', () => {
  const value = { text: '\x1b[2J \x9b31m \x7f \u202e 中文 "\\' };
  const line = printableJson(value);
  expect(line).toContain('\\u001b[2J \\u009b31m \\u007f \\u202e 中文');
  expect(JSON.parse(line)).toEqual(value);
});
