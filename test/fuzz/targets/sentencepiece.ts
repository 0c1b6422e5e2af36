// SentencePiece models: protobuf fields with edits, and a valid model whose texts come back.
import { join } from 'node:path';
import fc from 'fast-check';
import { loadSentencePiece } from '../../../src/text/sentencepiece.js';
import { parseSentencePiece } from '../../../src/text/sentencepiece-file.js';
import { type FakeModel, fakePieces, sentencePieceFile } from '../../fakes/sentencepiece.js';
import { byteEdits, editBytes, text, word } from '../inputs.js';
import { accepted, hold, holdEqual, target } from '../target.js';
import { checkTokenizer } from './tokenizing.js';

const space = '\u2581';
const pieceText = word.map((found) => found.replaceAll(' ', space));
const model: fc.Arbitrary<FakeModel> = fc.record({
  pieces: fc
    .uniqueArray(
      fc.oneof(
        { weight: 5, arbitrary: pieceText.map((found) => ({ text: found })) },
        fc.record({ text: pieceText, score: fc.integer({ min: -9, max: 9 }), type: fc.constantFrom(1, 4, 5) }),
      ),
      { selector: (piece) => piece.text, maxLength: 12 },
    )
    .map((pieces) => fakePieces(pieces.map((piece, i) => ({ score: -i, ...piece })))),
  addDummyPrefix: fc.boolean(),
  removeExtraWhitespaces: fc.boolean(),
});

/** Fields in wire format, right or with a wrong type, length or number. */
interface WireField {
  readonly number: number;
  readonly wire: number;
  readonly length?: number;
  readonly payload: Uint8Array;
}
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 12 }),
  text.map((found) => Uint8Array.from(Buffer.from(found.slice(0, 3000)))),
);
const leaf: fc.Arbitrary<WireField> = fc.record(
  {
    number: fc.oneof(fc.constantFrom(1, 2, 3, 4, 5, 24, 35), fc.nat(2 ** 29)),
    wire: fc.constantFrom(0, 1, 2, 2, 2, 3, 5, 7),
    length: fc.oneof(fc.nat(20), fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 40, 2 ** 53)),
    payload: bytes,
  },
  { requiredKeys: ['number', 'wire', 'payload'] },
);

function varint(value: number): Buffer {
  const digits: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) digits.push((rest % 128) + 128);
  return Buffer.from([...digits, rest]);
}

function encode({ number, wire, length, payload }: WireField): Uint8Array {
  const tag = varint(number * 8 + wire);
  return Buffer.concat(wire === 2 ? [tag, varint(length ?? payload.length), payload] : [tag, payload]);
}

const message = fc.array(leaf, { maxLength: 4 }).map((fields) => Uint8Array.from(Buffer.concat(fields.map(encode))));
const nested: fc.Arbitrary<WireField> = fc.record({
  number: fc.constantFrom(1, 2, 3),
  wire: fc.constant(2),
  payload: message,
});
/** Fields behind a valid model: they come last and so are believed. */
const extended = fc
  .tuple(model, fc.array(fc.oneof(leaf, nested), { minLength: 1, maxLength: 3 }))
  .map(([given, fields]) => Uint8Array.from(Buffer.concat([sentencePieceFile(given), ...fields.map(encode)])));
const damaged = fc.tuple(model, byteEdits(10)).map(([given, changes]) => editBytes(sentencePieceFile(given), changes));

interface Input {
  readonly bytes?: Uint8Array;
  readonly model?: FakeModel;
  readonly texts: readonly string[];
  readonly ids: readonly number[];
}

const file = fc.oneof(
  { weight: 4, arbitrary: fc.record({ bytes: extended }) },
  { weight: 3, arbitrary: fc.record({ bytes: damaged }) },
  { weight: 3, arbitrary: fc.record({ model }) },
);

export const sentencepiece = target<Input>({
  name: 'sentencepiece',
  cases: 1000,
  input: fc
    .tuple(
      file,
      fc.array(fc.oneof(text, word), { maxLength: 3 }),
      fc.array(fc.integer({ min: -5, max: 400 }), { maxLength: 8 }),
    )
    .map(([given, texts, ids]) => ({ ...given, texts, ids })),
  async check({ bytes, model, texts, ids }, folder) {
    const path = join(folder, 'tokenizer.model');
    const found = model ? sentencePieceFile(model) : (bytes as Uint8Array);
    const read = await accepted(path, () => parseSentencePiece(found, path));
    const tokenizer = await accepted(path, () => loadSentencePiece(found, new Map(), path));
    holdEqual(read !== undefined, tokenizer !== undefined, 'a model that can be read can be used');
    if (!tokenizer || !read) return;
    hold(new Set(read.pieces.map((piece) => piece.text)).size === read.pieces.length, 'no two pieces are the same');
    if (model) {
      const written = model.pieces.map(({ text, score = 0 }) => ({ text, score }));
      holdEqual(
        read.pieces.map(({ text, score }) => ({ text, score })),
        written,
        'the pieces are those that were written',
      );
    }
    const prefix = (given: string): string => (read.addDummyPrefix && given !== '' ? ` ${given}` : given);
    checkTokenizer(tokenizer, texts, ids, read.byteFallback && !read.removeExtraWhitespaces ? prefix : undefined);
  },
});
