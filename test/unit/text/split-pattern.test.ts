// Expressions of another dialect in JavaScript: what they match, over all of Unicode where that matters, and what is refused.
import { describe, expect, test } from 'vitest';
import { splitPattern } from '../../../src/text/split-pattern.js';

const all = (pattern: string, text: string) =>
  Array.from(splitPattern(pattern).matches(text), ([start, end]) => text.slice(start, end));

/** Every character that `pattern` matches as a whole. */
function matching(pattern: string): Set<string> {
  const expression = splitPattern(pattern);
  const found = new Set<string>();
  for (let code = 0; code <= 0x10ffff; code++) {
    const character = String.fromCodePoint(code);
    const [match] = expression.matches(character);
    if (match?.[1] === character.length) found.add(character);
  }
  return found;
}

describe('classes mean what they mean in Unicode', () => {
  // The 25 characters of the property White_Space. JavaScript's own \s has U+FEFF besides and lacks U+0085.
  const blanks =
    '\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000';

  test('white space', () => {
    expect([...matching('\\s')].join('')).toBe(blanks);
    expect(matching('[\\s]')).toEqual(new Set(blanks));
    expect(matching('\\S').size).toBe(0x110000 - 25);
  });

  test('digits of every script', () => {
    const digits = matching('\\d');
    for (const digit of ['0', '9', '٣', '१', '\u{1d7d8}']) expect(digits.has(digit)).toBe(true);
    for (const other of ['²', '½', 'Ⅷ', 'a']) expect(digits.has(other)).toBe(false);
    expect(matching('[^\\d]').size).toBe(0x110000 - digits.size);
  });

  test('a class without something takes line ends and characters of two units', () => {
    expect(all('[^a]', 'a\n😀\r')).toEqual(['\n', '😀', '\r']);
  });
});

describe('letters in any case', () => {
  test.each([
    ['s', 'sS\u017f'],
    ['k', 'kK\u212a'],
    ['t', 'tT'],
    ['i', 'iI'],
  ])('%s is what folds to it, over all of Unicode', (letter, wanted) => {
    expect(matching(`(?i:${letter})`)).toEqual(new Set(wanted));
  });

  test('the rest of the expression keeps its case', () => {
    expect(all("(?i:'ll)|x", "'LL'lL'llxX")).toEqual(["'LL", "'lL", "'ll", 'x']);
  });

  test('letters that one ligature folds to are refused, not guessed', () => {
    for (const pattern of ['(?i:ss)', '(?i:st)', '(?i:ff)', '(?i:fi)', '(?i:é)', '(?i:a|b*)'])
      expect(() => splitPattern(pattern)).toThrow(SyntaxError);
  });
});

describe('what is the same in both dialects is kept', () => {
  test.each([
    ['a{1,3}', 'aaaaa', ['aaa', 'aa']],
    ['a+(?!b)', 'aab aa', ['a', 'aa']],
    ['(?:ab)+|c', 'ababc', ['abab', 'c']],
    ["\\'", "it's", ["'"]],
    ['\\!|\\-|\\.', 'a!-.', ['!', '-', '.']],
    ['[\\-x]', 'a-x', ['-', 'x']],
    ['\\p{Lu}', 'aBcÉ', ['B', 'É']],
    ['\\P{L}+', 'ab12!c', ['12!']],
  ])('%s', (pattern, text, wanted) => {
    expect(all(pattern, text)).toEqual(wanted);
  });
});

describe('what may mean another thing is refused with its place', () => {
  test.each([
    ['a++', 2],
    ['a*?', 2],
    ['a{2}{3}', 2],
    ['(?>a)', 1],
    ['(?<name>a)', 1],
    ['\\h', 1],
    ['\\b', 1],
    ['\\p{Greek}', 1],
    ['\\p{^L}', 1],
    ['[[:alpha:]]', 1],
    ['[a&&b]', 1],
    ['(?m:a)', 1],
    ['.', 1],
    ['^a', 1],
    ['x$', 2],
    ['(?i)a', 1],
  ])('%s', (pattern, place) => {
    expect(() => splitPattern(pattern)).toThrow(`an expression without what stands at its character ${place}`);
  });

  test('an expression that is none', () => {
    expect(() => splitPattern('(a')).toThrow(SyntaxError);
    expect(() => splitPattern('a)')).toThrow(SyntaxError);
  });
});
