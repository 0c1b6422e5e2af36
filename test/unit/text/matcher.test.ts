// The matcher against JavaScript's own over drawn expressions and texts, and that no expression takes it long.
import { describe, expect, test } from 'vitest';
import { random } from '../../../src/core/random.js';
import { splitPattern } from '../../../src/text/split-pattern.js';
import { LLAMA3_SPLIT } from '../../fakes/tokenizer-json.js';

const spans = (pattern: string, text: string) => [...splitPattern(pattern).matches(text)].map(String);
const count = (pattern: string, text: string) => spans(pattern, text).length;

/** An expression of the given depth; the same draws give the same one. */
function drawn(pick: (below: number) => number, depth: number): string {
  const part = () => drawn(pick, depth - 1);
  const of = (choices: readonly string[]) => choices[pick(choices.length)] as string;
  switch (depth > 0 ? pick(6) : 0) {
    case 1:
      return part() + part();
    case 2:
      return `(?:${part()}|${part()})`;
    case 3:
      return `(?:${part()})${of(['*', '+', '?', '{2}', '{1,2}', '{1,}'])}`;
    case 4:
      return `${part()}(?${of(['=', '!'])}${of(['b', ' ', '[^c]'])})`;
    case 5:
      return `${part()}|${part()}`;
    default:
      return of(['[ab]', '[^a]', 'a', 'b', 'c', ' ', '\\s']);
  }
}

test('finds what JavaScript finds', () => {
  const { uniform } = random(7, 'matcher');
  let at = 0;
  const pick = (below: number) => Math.floor(uniform(at++) * below);
  let compared = 0;
  for (let i = 0; i < 4000; i++) {
    const pattern = drawn(pick, 4);
    const text = Array.from({ length: pick(9) }, () => 'abc \n'[pick(5)]).join('');
    let found: string[];
    try {
      found = spans(pattern, text);
    } catch (error) {
      expect((error as Error).message).toBe('an expression that repeats only what takes a character');
      continue;
    }
    const wanted = Array.from(text.matchAll(new RegExp(pattern, 'gu')), ({ 0: match, index }) =>
      String([index, index + match.length]),
    );
    expect(found, `${pattern} in ${JSON.stringify(text)}`).toEqual(wanted);
    compared++;
  }
  expect(compared).toBeGreaterThan(2000);
});

describe('time grows with the text alone', () => {
  const long = 50_000;
  test.each([
    ['([A-Za-z ]+)+~', 'a'.repeat(long), 0],
    ['(?:a|a)+b', 'a'.repeat(long), 0],
    ['a+a+a+a+b', 'a'.repeat(long), 0],
    // Each match looks to the end of the text before it gives up on b.
    ['a*b|a', 'a'.repeat(long), long],
    ['(?:a+)+(?!a)b|a', 'a'.repeat(long), long],
    [LLAMA3_SPLIT, `${' '.repeat(long)}x`, 2],
  ])('%s', (pattern, text, matches) => {
    const start = performance.now();
    expect(count(pattern, text)).toBe(matches);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

test('an expression that would take much memory is refused', () => {
  expect(() => splitPattern('a{1,9999}')).toThrow('an expression of at most 500 steps');
  expect(() => splitPattern('(?:(?:a{99}){99}){99}')).toThrow('an expression of at most 500 steps');
  expect(() => splitPattern('('.repeat(5000))).toThrow('an expression with at most 50 groups in one another');
  expect(() => splitPattern('(?:a*)*')).toThrow('an expression that repeats only what takes a character');
});

test('what lies ahead is one character, read or not', () => {
  expect(spans('a(?=b)', 'abaa')).toEqual(['0,1']);
  expect(spans('a(?!b)', 'aba')).toEqual(['2,3']);
  expect(() => splitPattern('a(?=b+)')).toThrow('an expression without what stands at its character 6');
});
