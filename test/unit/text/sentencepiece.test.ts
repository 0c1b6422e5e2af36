// The SentencePiece tokenizer on files written here: cutting, flags, special strings, decoding, damage.
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/core/errors.js';
import { loadSentencePiece } from '../../../src/text/sentencepiece.js';
import type { SpecialTokens } from '../../../src/text/special-tokens.js';
import { type FakeModel, fakePieces, SMALL_VOCABULARY, sentencePieceFile } from '../../fakes/sentencepiece.js';

const slot = SMALL_VOCABULARY.length - 1;
const specials: SpecialTokens = new Map([
  ['<s>', { id: 1, hidden: true }],
  ['<|end|>', { id: slot, hidden: true }],
  ['<|end|>!', { id: slot + 1, hidden: true }],
  ['<shown>', { id: slot + 2, hidden: false }],
]);
const load = (model: Partial<FakeModel> = {}, special: SpecialTokens = specials) =>
  loadSentencePiece(sentencePieceFile({ pieces: SMALL_VOCABULARY, ...model }), special, 'tokenizer.model');
const pieceId = (text: string) => SMALL_VOCABULARY.findIndex((piece) => piece.text === text);
const ids = (...texts: string[]) => texts.map(pieceId);

describe('encoding', () => {
  test('merges the best-scored pair first and keeps what no merge reaches', () => {
    expect([...load().encode('hello world')]).toEqual(ids('hello', '\u2581world'));
    expect([...load().encode('hellx')]).toEqual(ids('hell', 'x'));
    expect([...load().encode('')]).toEqual([]);
  });

  test('of equally scored pairs the left one merges first', () => {
    const pieces = fakePieces(['a', { text: 'aa', score: 5 }]);
    expect([...load({ pieces }, new Map()).encode('aaa')]).toEqual([260, 259]);
  });

  test('a piece of the unused kind is cut again the way it was built', () => {
    const pieces = fakePieces(['ab', 'cd', { text: 'abcd', score: 9, type: 5 }, 'a', 'b', 'c', 'd']);
    expect([...load({ pieces }, new Map()).encode('abcd')]).toEqual([259, 260]);
  });

  test('characters outside the vocabulary become byte pieces', () => {
    expect([...load().encode('é😀')]).toEqual([0xc3, 0xa9, 0xf0, 0x9f, 0x98, 0x80].map((byte) => byte + 3));
    expect([...load().encode('<0x41>')]).toEqual(ids('<', '0', 'x', '4', '1', '>'));
  });

  test('without byte fallback a run of unknown characters is one unknown piece', () => {
    const pieces = SMALL_VOCABULARY.filter(({ type }) => type !== 6);
    expect([...load({ pieces, byteFallback: false }, new Map()).encode('éé!é')]).toEqual([
      0,
      pieces.findIndex(({ text }) => text === '!'),
      0,
    ]);
  });

  test('spaces are kept, trimmed or put in front as the file says', () => {
    const space = pieceId('\u2581');
    expect([...load().encode(' a  b ')]).toEqual([space, pieceId('a'), space, space, pieceId('b'), space]);
    expect([...load({ removeExtraWhitespaces: true }).encode(' a  b ')]).toEqual([pieceId('a'), space, pieceId('b')]);
    expect([...load({ addDummyPrefix: true }).encode('world')]).toEqual(ids('\u2581world'));
  });

  test('special strings are recognised only where they are asked for, the longest first', () => {
    const tokenizer = load();
    expect([...tokenizer.encode('a<|end|>b<|end|>!', { specials: true })]).toEqual([
      pieceId('a'),
      slot,
      pieceId('b'),
      slot + 1,
    ]);
    const plain = [...tokenizer.encode('a<|end|><s></s><unk>')];
    expect(plain.every((id) => id > 2 && id !== slot)).toBe(true);
  });

  test('data does not reach a special id through its user-defined piece', () => {
    expect([...load().encode('[SLOT_1]', { specials: true })]).toEqual([slot]);
    expect([...load().encode('[SLOT_1]')]).toEqual(ids(...'[SLOT_1]'));
    expect([...load({}, new Map()).encode('a[SLOT_1]b')]).toEqual([pieceId('a'), slot, pieceId('b')]);
  });

  test('a long text takes time in proportion', () => {
    const start = performance.now();
    expect(load().encode('hello world'.repeat(20_000)).length).toBe(40_000);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe('decoding', () => {
  test('gives back what was encoded and where each token ends', () => {
    const { text, ends } = load().decode([pieceId('hello'), pieceId('\u2581world'), pieceId('!')]);
    expect(text).toBe('hello world!');
    expect([...ends]).toEqual([5, 11, 12]);
  });

  test('bytes count once they complete a character', () => {
    const { text, ends } = load().decode([
      pieceId('a'),
      ...[0xf0, 0x9f, 0x98, 0x80].map((byte) => byte + 3),
      pieceId('b'),
    ]);
    expect(text).toBe('a😀b');
    expect([...ends]).toEqual([1, 1, 1, 1, 3, 4]);
  });

  test('bytes that never become a character are one replacement mark', () => {
    const { text, ends } = load().decode([0xf0 + 3, 0x9f + 3, pieceId('a'), 0xc3 + 3]);
    expect(text).toBe('\ufffda\ufffd');
    expect([...ends]).toEqual([0, 1, 2, 3]);
  });

  test('special tokens and ids without a piece add nothing, shown ones their string', () => {
    const { text, ends } = load().decode([1, pieceId('a'), slot, 5000, slot + 2]);
    expect(text).toBe('a<shown>');
    expect([...ends]).toEqual([0, 1, 1, 1, 8]);
  });
});

describe('ids', () => {
  test('special strings come before pieces of the same text', () => {
    const tokenizer = load();
    expect(tokenizer.idOf('<|end|>')).toBe(slot);
    expect(tokenizer.idOf('hello')).toBe(pieceId('hello'));
    expect(tokenizer.idOf('</s>')).toBe(2);
    expect(tokenizer.idOf('nowhere')).toBeUndefined();
    expect(tokenizer.size).toBe(slot + 3);
  });
});

describe('files that are refused in one line', () => {
  const refused: [string, Uint8Array, RegExp][] = [
    ['cut off', sentencePieceFile({ pieces: SMALL_VOCABULARY }).slice(0, 1000), /byte \d+: .*SentencePiece/],
    ['not protobuf', Buffer.from('\xff'.repeat(40), 'latin1'), /more than 10 bytes/],
    ['a unigram model', sentencePieceFile({ pieces: SMALL_VOCABULARY, modelType: 1 }), /model_type: 1, wanted 2/],
    [
      'normalisation',
      sentencePieceFile({ pieces: SMALL_VOCABULARY, charsmap: Buffer.from('x') }),
      /precompiled_charsmap/,
    ],
    ['the same piece twice', sentencePieceFile({ pieces: fakePieces(['a', 'a']) }), /pieces\[260\]: "a" again/],
    ['an empty piece', sentencePieceFile({ pieces: fakePieces(['']) }), /pieces\[259\]\.piece: 0 characters/],
    ['no unknown piece', sentencePieceFile({ pieces: SMALL_VOCABULARY.slice(1) }), /0 of the unknown kind/],
    [
      'a missing byte',
      sentencePieceFile({ pieces: SMALL_VOCABULARY.filter((_, i) => i !== 9) }),
      /255 of the byte kind/,
    ],
    [
      'a score that is not a number',
      sentencePieceFile({ pieces: fakePieces([{ text: 'a', score: Number.NaN }]) }),
      /score: NaN/,
    ],
    ['an empty file', new Uint8Array(), /model_type/],
  ];
  test.each(refused)('%s', (_, bytes, message) => {
    const open = () => loadSentencePiece(bytes, new Map(), 'tokenizer.model');
    expect(open).toThrow(UserError);
    expect(open).toThrow(message);
    expect(open).toThrow(/^tokenizer\.model: [^\n]*$/);
  });

  test('any damaged byte either loads or is refused, never more', () => {
    const whole = sentencePieceFile({ pieces: SMALL_VOCABULARY });
    for (let at = 0; at < whole.length; at += 3) {
      const bytes = Uint8Array.from(whole);
      bytes[at] = (bytes[at] as number) ^ 0x55;
      try {
        loadSentencePiece(bytes, specials, 'tokenizer.model').encode('hello world');
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
    }
  });
});

test('any number of special strings are found', () => {
  const many = new Map(
    Array.from({ length: 200_000 }, (_, index) => [`<extra_${index}>`, { id: slot + index, hidden: true }]),
  );
  const tokenizer = load({}, many);
  expect(tokenizer.size).toBe(slot + 200_000);
  expect([...tokenizer.encode('hello<extra_199999>', { specials: true })]).toEqual([...ids('hello'), slot + 199_999]);
});
