// Makes the SentencePiece model (tokenizer.model) of the tiny checkpoint: byte-pair merges learnt from the texts of the
// task, with the settings of InternLM2's file.
import { Writer } from './protobuf.js';

/** Bytes of `tokenizer.model` and the number of pieces in it. */
export interface TrainedTokenizer {
  readonly model: Uint8Array;
  readonly size: number;
}

/** SentencePiece piece types. */
const normal = 1;
const unknown = 2;
const control = 3;
const byte = 6;

/** Merges never cross these units: a newline, a word, a number or one sign, each with the space before it. */
const unit = /\n| ?[A-Za-z]+| ?\d+| ?[^\sA-Za-z\d]| /gu;
/** SentencePiece writes a space as this. */
const space = '\u2581';

/** Counts the units of all texts, each as its characters. */
function countUnits(texts: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const [match] of text.matchAll(unit)) {
      const word = match.replace(' ', space);
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return counts;
}

/** Merges the most frequent pair (ties: first in text order) until every unit is one piece or `limit` merges are made. */
function learnMerges(counts: ReadonlyMap<string, number>, limit: number): string[] {
  const words = [...counts].map(([word, count]) => ({ pieces: [...word], count }));
  const merges: string[] = [];
  while (merges.length < limit) {
    const pairs = new Map<string, number>();
    for (const { pieces, count } of words) {
      for (let i = 1; i < pieces.length; i++) {
        const pair = `${pieces[i - 1]} ${pieces[i]}`;
        pairs.set(pair, (pairs.get(pair) ?? 0) + count);
      }
    }
    if (pairs.size === 0) break;
    const [best] = [...pairs].reduce((a, b) => (b[1] > a[1] || (b[1] === a[1] && b[0] < a[0]) ? b : a));
    const [left, right] = best.split(' ') as [string, string];
    for (const word of words) {
      for (let i = 1; i < word.pieces.length; i++) {
        if (word.pieces[i - 1] === left && word.pieces[i] === right) word.pieces.splice(i - 1, 2, left + right);
      }
    }
    // Two ways to the same piece (a+bc, ab+c) keep the earlier, better rank.
    if (!merges.includes(left + right)) merges.push(left + right);
  }
  return merges;
}

/**
 * Trains a byte-fallback BPE model on `texts`.
 * @param limit most merges; fewer where every unit is one piece before
 */
export function trainTokenizer(texts: Iterable<string>, limit: number): TrainedTokenizer {
  const counts = countUnits(texts);
  const characters = [...new Set([...counts.keys()].join(''))].sort();
  const merges = learnMerges(counts, limit);
  const pieces: [text: string, score: number, type: number][] = [
    ['<unk>', 0, unknown],
    ['<s>', 0, control],
    ['</s>', 0, control],
  ];
  for (let value = 0; value < 256; value++) {
    pieces.push([`<0x${value.toString(16).toUpperCase().padStart(2, '0')}>`, 0, byte]);
  }
  for (const [rank, text] of [...merges, ...characters].entries()) pieces.push([text, -rank, normal]);
  return { model: encodeModel(pieces), size: pieces.length };
}

/** sentencepiece.ModelProto, field numbers as in sentencepiece_model.proto. */
function encodeModel(pieces: readonly (readonly [string, number, number])[]): Uint8Array {
  const model = new Writer();
  for (const [text, score, type] of pieces) {
    model.message(1, new Writer().text(1, text).float(2, score).integer(3, type));
  }
  const bpe = 2;
  const trainer = new Writer().integer(3, bpe).integer(4, pieces.length).integer(25, 1).integer(35, 1);
  const normalizer = new Writer().text(1, 'identity').integer(3, 0).integer(4, 0).integer(5, 1);
  return model.message(2, trainer).message(3, normalizer).bytes();
}
