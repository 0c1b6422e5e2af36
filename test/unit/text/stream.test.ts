// The text of tokens that come a few at a time: the same as that of all at once, and never more than a stop text allows.
import { describe, expect, test } from 'vitest';
import { random } from '../../../src/core/random.js';
import { StopSearch, TextStream } from '../../../src/text/stream.js';
import type { Tokenizer } from '../../../src/text/tokenizer.js';
import { loadTokenizerJson } from '../../../src/text/tokenizer-json.js';
import { byteLevelDocument, fileOf, textPiecesDocument } from '../../fakes/tokenizer-json.js';

const added = ['<|end|>'];
const merges = [
  [' ', 't'],
  ['h', 'e'],
] as const;
const tokenizers: [string, Tokenizer][] = [
  ['bytes', loadTokenizerJson(fileOf(byteLevelDocument({ merges, added })), new Map(), 'tokenizer.json')],
  [
    'text pieces with a first space',
    loadTokenizerJson(fileOf(textPiecesDocument({ merges, added }, 'abhte ')), new Map(), 'tokenizer.json'),
  ],
];

describe.each(tokenizers)('a stream over %s', (_, tokenizer) => {
  test.each(['the hat, then é and 数学 and 👩‍🔬 with a tail', '  two spaces first', '\n\n\u0301combining'])(
    'gives for %j what decoding all tokens at once gives, however they are cut',
    (text) => {
      const tokens = [...tokenizer.encode(text)];
      const stops = tokenizer.idOf('<|end|>') as number;
      tokens.splice(3, 0, stops);
      // Bytes that never become characters, inside and at the end.
      const cases = [tokens, [...tokens, stops], tokens.slice(0, -1), [...tokens.slice(2), ...tokens.slice(4)]];
      for (const [i, all] of cases.entries()) {
        const whole = tokenizer.decode(all);
        for (const most of [1, 2, 5, 100]) {
          const stream = new TextStream(tokenizer);
          const draws = random(1, `cut ${i} ${most}`);
          const pieces: string[] = [];
          for (let at = 0; at < all.length; ) {
            const to = Math.min(all.length, at + 1 + draws.below(at, most));
            pieces.push(...stream.push(all.slice(at, to), to === all.length));
            at = to;
          }
          expect(pieces.join('')).toBe(whole.text);
          expect(pieces).toHaveLength(all.length);
        }
      }
    },
  );

  test('gives no text that a later token could still change', () => {
    const stream = new TextStream(tokenizer);
    const tokens = tokenizer.encode('a数');
    const before = [...tokens.slice(0, -1)].flatMap((token) => stream.push([token], false));
    expect(before.join('')).toBe('a');
    expect(stream.push(tokens.slice(-1), false).join('')).toBe('数');
  });
});

describe('stop texts', () => {
  test('are found where they begin, the earliest first, also across pieces', () => {
    const search = new StopSearch(['END', 'ND', '\n\n']);
    expect(search.find('some text', 0)).toBe(-1);
    expect(search.find('some END', 5)).toBe(5);
    expect(search.find('some EN', 5)).toBe(-1);
    expect(search.find('some END', 7)).toBe(5);
    expect(search.find('a\n\nND', 0)).toBe(1);
  });

  test('are held back while only their start is there', () => {
    const search = new StopSearch(['END', '\n\n']);
    expect(search.shown('text')).toBe(4);
    expect(search.shown('text E')).toBe(5);
    expect(search.shown('text EN')).toBe(5);
    expect(search.shown('text\n')).toBe(4);
    expect(new StopSearch([]).shown('text E')).toBe(6);
  });
});
