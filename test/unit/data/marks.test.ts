import { describe, expect, test } from 'vitest';
import { settleMarks } from '../../../src/data/marks.js';

const at = { file: 'f.json', line: 3 };
const settle = (texts: string[], pictures: string[]) => settleMarks(texts, pictures, at, 'images');

describe('marks of pictures', () => {
  test.each([
    ['<image>\nWhy?', 'Why?'],
    ['<image>Why?', 'Why?'],
    [' <image> \n Why?', 'Why?'],
    ['Why?\n<image>', 'Why?'],
    ['Why?\n<image>\n', 'Why?'],
    ['<image 1> Why?', 'Why?'],
    ['<image_00>\nWhy?', 'Why?'],
    ['Why?', 'Why?'],
  ])('in front of the text or in a line behind it go, as pictures come first: %j', (text, bare) => {
    expect(settle([text], ['a'])).toEqual({ texts: [bare], pictures: ['a'] });
  });

  test.each([
    ['What does <image> show?', 'What does <image> show?'],
    ['Which one is this <image>', 'Which one is this <image>'],
    ['Is <image_1> right?', 'Is <image> right?'],
    ['Look at <image1>. Is it right?', 'Look at <image>. Is it right?'],
  ])('inside a sentence stay: %j', (text, kept) => {
    expect(settle([text], ['a']).texts).toEqual([kept]);
  });

  test('all stay where one of them does, and in a later turn', () => {
    expect(settle(['<image>\nIs it like <image>?'], ['a', 'b']).texts).toEqual(['<image>\nIs it like <image>?']);
    expect(settle(['Hello', '<image>\nAnd this?'], ['a']).texts).toEqual(['Hello', '<image>\nAnd this?']);
    expect(settle(['<image>\n<image>\nBoth?'], ['a', 'b']).texts).toEqual(['Both?']);
  });

  test('with numbers say which picture they mean; a second mention becomes words', () => {
    expect(settle(['Is <image 2> above <image 1>, or <image 2> below?'], ['a', 'b'])).toEqual({
      texts: ['Is <image> above <image>, or image 2 below?'],
      pictures: ['b', 'a'],
    });
  });

  test.each([
    ['images: 0, wanted 1, one for each <image> in the texts', ['<image>\nWhy?'], []],
    ['images: 2, wanted 1, one for each <image> in the texts', ['<image>\nWhy?'], ['a', 'b']],
    ['images: 1, wanted 2, one for each <image> in the texts', ['<image>\nWhy?', '<image>'], ['a']],
    ['images: 1, wanted 2, one for each <image 1> in the texts', ['<image 1> or <image 2>?'], ['a']],
  ])('that are not as many as the pictures are refused: %s', (message, texts, pictures) => {
    expect(() => settle(texts, pictures)).toThrow(`f.json:3: ${message}`);
  });

  test('cost no more than the length of the text', () => {
    const started = performance.now();
    for (const text of ['\n'.repeat(60_000), ' <image>\n'.repeat(7000), `a${' '.repeat(60_000)}<image>`]) {
      const marks = text.split('<image>').length - 1;
      settle([`${text}x<image>`], new Array(marks + 1).fill('a'));
    }
    expect(performance.now() - started).toBeLessThan(500);
  });

  test('are not asked for: a text without any may have pictures', () => {
    expect(settle(['Why?'], ['a', 'b'])).toEqual({ texts: ['Why?'], pictures: ['a', 'b'] });
  });
});
