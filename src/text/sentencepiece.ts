// The tokenizer of a SentencePiece BPE model: normalisation, special strings, byte fallback, decoding.
import { bytePairPieces, type MergeTable } from './bpe.js';
import { findAny, longestAt } from './literals.js';
import { byteValue, parseSentencePiece, type SentencePieceModel } from './sentencepiece-file.js';
import type { SpecialTokens } from './special-tokens.js';
import { type Decoded, type EncodeOptions, TextBuilder, type Tokenizer } from './tokenizer.js';

const space = '\u2581';

/** Reads the bytes of `file` (a tokenizer.model). Throws UserError when it is damaged or asks for what is not supported. */
export function loadSentencePiece(bytes: Uint8Array, specials: SpecialTokens, file: string): Tokenizer {
  return new SentencePieceTokenizer(parseSentencePiece(bytes, file), specials);
}

class SentencePieceTokenizer implements Tokenizer {
  readonly size: number;
  readonly #model: SentencePieceModel;
  readonly #specials: SpecialTokens;
  readonly #hidden: ReadonlyMap<number, string | null>;
  readonly #ids = new Map<string, number>();
  readonly #byteIds = new Map<number, number>();
  readonly #unknown: number;
  readonly #find: ReturnType<typeof findAny>;
  readonly #data: MergeTable;
  readonly #reference: MergeTable;

  constructor(model: SentencePieceModel, specials: SpecialTokens) {
    this.#model = model;
    this.#specials = specials;
    this.#unknown = model.pieces.findIndex((piece) => piece.kind === 'unknown');
    for (const [id, piece] of model.pieces.entries()) {
      if (piece.kind === 'byte') this.#byteIds.set(byteValue(piece.text) as number, id);
      else if (piece.kind !== 'control' && piece.kind !== 'unknown') this.#ids.set(piece.text, id);
    }
    this.#hidden = new Map([...specials].map(([text, token]) => [token.id, token.hidden ? null : text]));
    this.size = [...specials.values()].reduce((size, { id }) => Math.max(size, id + 1), model.pieces.length);
    this.#find = findAny(specials.keys());
    const special = new Set([...specials.values()].map((token) => token.id));
    // A special id may have a second, user-defined string in the model file: data must not reach it by that way either.
    this.#data = mergeTable(model, (id) => !special.has(id));
    this.#reference = mergeTable(model, () => true);
  }

  encode(text: string, options: EncodeOptions = {}): Int32Array {
    const ids: number[] = [];
    if (!options.specials) this.#encodePlain(text, this.#data, ids);
    else {
      let end = 0;
      for (const [first, last] of this.#find(text)) {
        this.#encodePlain(text.slice(end, first), this.#reference, ids);
        ids.push(this.#specials.get(text.slice(first, last))?.id as number);
        end = last;
      }
      this.#encodePlain(text.slice(end), this.#reference, ids);
    }
    return Int32Array.from(ids);
  }

  decode(tokens: ArrayLike<number>): Decoded {
    const builder = new TextBuilder(tokens.length);
    for (let i = 0; i < tokens.length; i++) {
      const id = tokens[i] as number;
      const special = this.#hidden.get(id);
      const piece = this.#model.pieces[id];
      if (special !== undefined) builder.addText(special ?? '');
      else if (piece === undefined || piece.kind === 'control' || piece.kind === 'unknown') builder.addText('');
      else if (piece.kind === 'byte') builder.addBytes(Uint8Array.of(byteValue(piece.text) as number));
      else builder.addText(piece.text.replaceAll(space, ' '));
    }
    return builder.finish();
  }

  idOf(piece: string): number | undefined {
    const special = this.#specials.get(piece)?.id;
    if (special !== undefined) return special;
    const id = this.#ids.get(piece) ?? this.#model.pieces.findIndex((candidate) => candidate.text === piece);
    return id === -1 ? undefined : id;
  }

  #encodePlain(text: string, table: MergeTable, ids: number[]): void {
    let unknownBefore = false;
    for (const piece of bytePairPieces(this.#normalise(text), table)) {
      const known = table.score(piece) === undefined ? undefined : this.#ids.get(piece);
      if (known !== undefined) ids.push(known);
      else if (this.#model.byteFallback) {
        for (const byte of Buffer.from(piece, 'utf8')) ids.push(this.#byteIds.get(byte) as number);
      } else if (!unknownBefore) ids.push(this.#unknown);
      unknownBefore = known === undefined;
    }
  }

  #normalise(text: string): string {
    let spaced = text;
    if (this.#model.removeExtraWhitespaces) spaced = spaced.replace(/^ +| +$/g, '').replace(/ {2,}/g, ' ');
    if (this.#model.addDummyPrefix && spaced !== '') spaced = ` ${spaced}`;
    return spaced.replaceAll(' ', space);
  }
}

function mergeTable(model: SentencePieceModel, allowed: (id: number) => boolean): MergeTable {
  const scores = new Map<string, number>();
  const unused = new Set<string>();
  const frozen: string[] = [];
  let longest = 0;
  for (const [id, piece] of model.pieces.entries()) {
    if (!allowed(id) || piece.kind === 'control' || piece.kind === 'unknown' || piece.kind === 'byte') continue;
    scores.set(piece.text, piece.score);
    longest = Math.max(longest, piece.text.length);
    if (piece.kind === 'unused') unused.add(piece.text);
    if (piece.kind === 'userDefined') frozen.push(piece.text);
  }
  return {
    score: (text) => scores.get(text),
    isUnused: (text) => unused.has(text),
    longest,
    frozenAt: longestAt(frozen),
  };
}
