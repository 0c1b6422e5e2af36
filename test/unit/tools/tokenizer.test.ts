import { describe, expect, it } from 'vitest';
import { parseSentencePiece } from '../../../src/text/sentencepiece-file.js';
import { trainTokenizer } from '../../../tools/tiny/tokenizer.js';

const texts = ['red is 3.\nblue is 12.\n3 + 12 = 15.\nThe answer is 15.', 'blue is red.'];
const trained = trainTokenizer(texts, 1000);

describe('the trained tokenizer', () => {
  const pieces = parseSentencePiece(trained.model, 'tokenizer.model').pieces.map(({ text }) => text);

  it('is a SentencePiece file with all 256 bytes and the pieces that it says', () => {
    expect(pieces).toHaveLength(trained.size);
    expect(pieces.slice(0, 4)).toEqual(['<unk>', '<s>', '</s>', '<0x00>']);
    expect(pieces[258]).toBe('<0xFF>');
    expect(new Set(pieces).size).toBe(pieces.length);
  });

  it('has each word and each number of the texts as one piece, and no piece over two of them', () => {
    const wanted = ['red', '\u2581is', '\u2581answer', '\u2581red', 'blue', '\n', '\u258112', '\u258115'];
    expect(pieces).toEqual(expect.arrayContaining(wanted));
    expect(pieces.filter((piece) => /[a-z]\d|\d[a-z]|.\u2581/.test(piece) && !piece.startsWith('<0x'))).toEqual([]);
  });

  it('is the same for the same texts', () => {
    expect(trainTokenizer(texts, 1000).model).toEqual(trained.model);
  });
});
