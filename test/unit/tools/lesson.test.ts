import { describe, expect, test } from 'vitest';
import { lesson } from '../../../tools/tiny/lesson.js';

const many = Array.from({ length: 200 }, (_, index) => index);

describe('lessons', () => {
  test('ask for one quantity of the picture and answer within the range', () => {
    for (const index of many) {
      const { question, response } = lesson('dials', 1, index, 6);
      const [, name] = /^Read the dials\. What is (\w+)\?$/.exec(question) ?? [];
      expect(response).toMatch(new RegExp(`^${name} is [1-6]\\.$`));
    }
  });

  test('show the value that they answer: another value gives another picture', () => {
    const pictures = new Map<string, Set<string>>();
    for (const index of many) {
      const { response, rgb } = lesson('bars', 1, index, 6);
      const key = Buffer.from(rgb).toString('base64');
      pictures.set(key, (pictures.get(key) ?? new Set()).add(response));
    }
    // One picture may serve two questions (about either quantity), never two values of one quantity.
    for (const answers of pictures.values()) {
      const names = [...answers].map((answer) => answer.split(' ')[0]);
      expect(new Set(names).size).toBe(names.length);
    }
  });
});
