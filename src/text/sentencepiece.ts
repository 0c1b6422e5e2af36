// The tokenizer of a SentencePiece BPE model: normalisation, special strings, byte fallback, decoding.
import { findAny, longestAt } from './literals.js';
import { type Merges, mergePairs } from './pair-merges.js';
import { byteValue, parseSentencePiece, type SentencePieceModel } from './sentencepiece-file.js';
import type { SpecialTokens } from './special-tokens.js';
import { type Decoded, type EncodeOptions, SPACE, TextBuilder, type Tokenizer } from './tokenizer.js';

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
  readonly #data: PieceMerges;
  readonly #reference: PieceMerges;

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
    this.#data = new PieceMerges(model, (id) => !special.has(id));
    this.#reference = new PieceMerges(model, () => true);
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
      else builder.addText(piece.text.replaceAll(SPACE, ' '));
    }
    return builder.finish();
  }

  idOf(piece: string): number | undefined {
    const special = this.#specials.get(piece)?.id;
    if (special !== undefined) return special;
    const id = this.#ids.get(piece) ?? this.#model.pieces.findIndex((candidate) => candidate.text === piece);
    return id === -1 ? undefined : id;
  }

  #encodePlain(text: string, merges: PieceMerges, ids: number[]): void {
    let unknownBefore = false;
    for (const piece of merges.cut(this.#normalise(text))) {
      const known = merges.has(piece) ? this.#ids.get(piece) : undefined;
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
    return spaced.replaceAll(' ', SPACE);
  }
}

/** The pieces that merges may form; the best score comes first. */
class PieceMerges implements Merges<string> {
  readonly #scores = new Map<string, number>();
  /** May be formed but not kept: they are cut again the way they were built. */
  readonly #unused = new Set<string>();
  /** User-defined: never cut nor merged. */
  readonly #frozen = new Set<string>();
  readonly #frozenAt: ReturnType<typeof longestAt>;
  #longest = 0;

  constructor(model: SentencePieceModel, allowed: (id: number) => boolean) {
    for (const [id, { text, score, kind }] of model.pieces.entries()) {
      if (!allowed(id) || kind === 'control' || kind === 'unknown' || kind === 'byte') continue;
      this.#scores.set(text, score);
      this.#longest = Math.max(this.#longest, text.length);
      if (kind === 'unused') this.#unused.add(text);
      if (kind === 'userDefined') this.#frozen.add(text);
    }
    this.#frozenAt = longestAt(this.#frozen);
  }

  has(piece: string): boolean {
    return this.#scores.has(piece);
  }

  rank(left: string, right: string): number | undefined {
    if (left.length + right.length > this.#longest || this.#frozen.has(left) || this.#frozen.has(right))
      return undefined;
    const score = this.#scores.get(left + right);
    return score === undefined ? undefined : -score;
  }

  join(left: string, right: string): string {
    return left + right;
  }

  /** The pieces of `text` in order; characters outside the vocabulary are pieces of their own. O(n log n) in the text's length. */
  cut(text: string): string[] {
    const symbols: string[] = [];
    for (let at = 0; at < text.length; ) {
      const start = at;
      at += this.#frozenAt(text, at) || ((text.codePointAt(at) as number) > 0xffff ? 2 : 1);
      symbols.push(text.slice(start, at));
    }
    const builtFrom = new Map<string, readonly [string, string]>();
    const merged = mergePairs(symbols, this, (left, right, piece) => {
      if (this.#unused.has(piece)) builtFrom.set(piece, [left, right]);
    });
    if (builtFrom.size === 0) return merged;
    const kept = (piece: string): string[] => builtFrom.get(piece)?.flatMap(kept) ?? [piece];
    return merged.flatMap(kept);
  }
}
