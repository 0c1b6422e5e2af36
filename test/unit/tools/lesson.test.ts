import { describe, expect, test } from 'vitest';
import { lesson } from '../../../tools/tiny/lesson.js';

const many = Array.from({ length: 200 }, (_, index) => index);

describe('lessons', () => {
  test('ask for quantities of the picture and read each within the range, in the order of the question', () => {
    for (const index of many) {
      const { question, response } = lesson('dials', 1, index, 6);
      const [, names = ''] = /^Read the dials\. What is (\w+(?: and \w+)*)\?$/.exec(question) ?? [];
      const read = response.split('\n').map((line) => /^(\w+) (?:is|shows) [1-6]\.$/.exec(line)?.[1]);
      expect(read).toEqual(names.split(' and '));
    }
  });

  test('show the value that they answer: another value gives another picture', () => {
    const values = new Map<string, Map<string, string>>();
    for (const index of many) {
      const { response, rgb } = lesson('bars', 1, index, 6);
      const key = Buffer.from(rgb).toString('base64');
      const known = values.get(key) ?? new Map<string, string>();
      for (const [, name, value] of response.matchAll(/(\w+) \w+ (\d)/g) as Iterable<[string, string, string]>) {
        expect(known.get(name) ?? value).toBe(value);
        known.set(name, value);
      }
      values.set(key, known);
    }
    expect(values.size).toBeGreaterThan(150);
  });
});
