// The steps before the merges, by the entries of a tokenizer.json: normalisers and what cuts a text into words.
import { describe, expect, test } from 'vitest';
import { BYTE_CHARACTERS, fromByteCharacters, toByteCharacters } from '../../../src/text/byte-alphabet.js';
import { normalizerSchema, preTokenizerSchema } from '../../../src/text/text-steps.js';

const normalise = (step: unknown, text: string) => normalizerSchema.parse(step)(text);
const words = (step: unknown, text: string) =>
  preTokenizerSchema.parse(step).reduce<string[]>((parts, { split }) => parts.flatMap(split), [text]);
const replace = (from: string, to: string) => ({ type: 'Replace', pattern: { String: from }, content: to });
const metaspace = (prepend_scheme: string, split = true) => ({
  type: 'Metaspace',
  replacement: '_',
  prepend_scheme,
  split,
});
const byteLevel = (add_prefix_space: boolean, use_regex?: boolean) => ({
  type: 'ByteLevel',
  add_prefix_space,
  ...(use_regex !== undefined && { use_regex }),
});
const split = (Regex: string) => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false });

describe('normalisers', () => {
  test('none leaves a text as it is', () => {
    expect(normalise(null, ' a b')).toBe(' a b');
    expect(normalise(undefined, '')).toBe('');
  });

  test('a mark is put before every text but the empty one', () => {
    expect(normalise({ type: 'Prepend', prepend: '_' }, 'ab')).toBe('_ab');
    expect(normalise({ type: 'Prepend', prepend: '_' }, '_ab')).toBe('__ab');
    expect(normalise({ type: 'Prepend', prepend: '_' }, '')).toBe('');
  });

  test('every occurrence is replaced, by exactly what is given', () => {
    expect(normalise(replace(' ', '_'), ' a  b ')).toBe('_a__b_');
    expect(normalise(replace('.', '$&'), 'a.b')).toBe('a$&b');
  });

  test('a sequence goes in order', () => {
    const prepend = { type: 'Prepend', prepend: ' ' };
    expect(normalise({ type: 'Sequence', normalizers: [prepend, replace(' ', '_')] }, 'a b')).toBe('_a_b');
    expect(normalise({ type: 'Sequence', normalizers: [replace(' ', '_'), prepend] }, 'a b')).toBe(' a_b');
  });
});

describe('steps that would take all memory or time are refused', () => {
  const sequence = (normalizers: unknown[]) =>
    normalizerSchema.safeParse({ type: 'Sequence', normalizers }).error?.issues;
  test('by how long they may make a text together', () => {
    expect(sequence(Array.from({ length: 6 }, () => replace('a', 'aa')))).toBeUndefined();
    expect(sequence(Array.from({ length: 7 }, () => replace('a', 'aa')))).toMatchObject([
      { message: 'steps that make a text at most 64 times as long' },
    ]);
    expect(normalizerSchema.safeParse(replace(' ', 'x'.repeat(65))).success).toBe(false);
  });

  test('by their number', () => {
    expect(sequence(Array.from({ length: 33 }, () => replace('a', 'b')))).toMatchObject([{ maximum: 32 }]);
    const pretokenizers = Array.from({ length: 33 }, () => split('a'));
    expect(preTokenizerSchema.safeParse({ type: 'Sequence', pretokenizers }).error?.issues).toMatchObject([
      { maximum: 32 },
    ]);
  });
});

describe('cutting into words', () => {
  test('none: the text is one word', () => {
    expect(words(null, 'a b')).toEqual(['a b']);
  });

  test('matches and what lies between them are words of their own', () => {
    expect(words(split('[0-9]+'), 'ab12cd3')).toEqual(['ab', '12', 'cd', '3']);
    expect(words(split('[0-9]+'), '12')).toEqual(['12']);
    expect(words(split('x*'), 'axxb')).toEqual(['a', 'xx', 'b']);
    expect(words(split('x'), '')).toEqual([]);
  });

  test('spaces become marks, and a mark begins a word', () => {
    expect(words(metaspace('always'), 'a b  c')).toEqual(['_a', '_b', '_', '_c']);
    expect(words(metaspace('always'), ' a')).toEqual(['_a']);
    expect(words(metaspace('never'), 'a b')).toEqual(['a', '_b']);
    expect(words(metaspace('always', false), 'a b')).toEqual(['_a_b']);
    expect(words(metaspace('never', false), ' a b ')).toEqual(['_a_b_']);
  });

  test('bytes are spelt in visible characters, words cut as GPT-2 cuts them unless an earlier step did', () => {
    expect(words(byteLevel(false), "he's  12 é!\n")).toEqual(['he', "'s", 'Ġ', 'Ġ12', 'ĠÃ©', '!', 'Ċ']);
    expect(words(byteLevel(false, false), "he's  12")).toEqual(["he'sĠĠ12"]);
  });

  test('a space in front is added where there is none', () => {
    expect(words(byteLevel(true), 'a')).toEqual(['Ġa']);
    expect(words(byteLevel(true), ' a')).toEqual(['Ġa']);
    expect(words(byteLevel(true), '\na')).toEqual(['Ġ', 'Ċ', 'a']);
  });

  test('a sequence cuts what the step before left', () => {
    const sequence = { type: 'Sequence', pretokenizers: [split('[0-9]'), byteLevel(false, false)] };
    expect(words(sequence, 'a 12')).toEqual(['aĠ', '1', '2']);
  });
});

test('every byte has a visible character of its own, and comes back', () => {
  expect(new Set(BYTE_CHARACTERS).size).toBe(256);
  expect(BYTE_CHARACTERS.join('')).not.toMatch(/[\s\p{C}]/u);
  expect([...fromByteCharacters(BYTE_CHARACTERS.join(''))]).toEqual(Array.from({ length: 256 }, (_, byte) => byte));
  expect(toByteCharacters('\u0000 A\u007fé😀')).toBe('ĀĠAġÃ©ðŁĺĢ');
});

test('a piece with other characters stands for its own text', () => {
  expect(Buffer.from(fromByteCharacters('Ġ€')).toString()).toBe('Ġ€');
});
