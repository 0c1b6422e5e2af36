import { expect, test } from 'vitest';
import { parseJson } from '../../../src/core/json.js';

const parse = (text: string) => parseJson(Buffer.from(text), 'f.json');

test('reads what JSON.parse reads', () => {
  const text = '{"a": [1, -2.5e3, "x\\u0041\\"{", null, true], "b": {"a": {}}, "": "\\\\"}';
  expect(parse(text)).toEqual(JSON.parse(text));
});

test('a key given twice is refused with its line, escaped or not', () => {
  expect(() => parse('{\n"a": 1,\n"a": 2}')).toThrow('f.json:3: "a": given twice');
  expect(() => parse('{"a": 1, "\\u0061": 2}')).toThrow('given twice');
  expect(parse('[{"a": 1}, {"a": 2}]')).toHaveLength(2);
  expect(parse('{"a": "a", "b": {"a": 1}}')).toHaveProperty('b');
});

test('depth is bounded', () => {
  expect(parse('['.repeat(64) + ']'.repeat(64))).toBeInstanceOf(Array);
  expect(() => parse('['.repeat(65) + ']'.repeat(65))).toThrow('f.json:1: document: nested deeper than 64');
  expect(() => parse('['.repeat(1_000_000))).toThrow('nested deeper');
});

test('the number of values is bounded', () => {
  expect(() => parse(`[${'1,'.repeat(4_000_001)}1]`)).toThrow('more than 4000000 values');
});

test('what is not JSON is refused with its line where it is known', () => {
  expect(() => parse('{\n"a": }')).toThrow(/^f\.json(:2)?: document: a syntax error, wanted JSON$/);
  expect(() => parse('{"a": NaN}')).toThrow('syntax error');
  expect(() => parse('"open')).toThrow('syntax error');
  expect(() => parse('')).toThrow('syntax error');
  expect(() => parseJson(Buffer.from([0x22, 0xff, 0x22]), 'f.json')).toThrow('not UTF-8');
});
