// The tokenizer of a tokenizer.json: byte-level pieces, or text pieces with bytes beside them.
import { fromByteCharacters } from './byte-alphabet.js';
import { findAny } from './literals.js';
import { PairEncoder } from './pair-merges.js';
import type { SpecialTokens } from './special-tokens.js';
import { type Decoded, type EncodeOptions, SPACE, TextBuilder, type Tokenizer } from './tokenizer.js';
import { type AddedToken, parseTokenizerJson, type TokenizerJson } from './tokenizer-json-file.js';

/**
 * Reads the bytes of `file` (a tokenizer.json).
 * Data yields the id of no added token, special or not: some that are not special end a sequence (`</s>`) all the same.
 * @param specials added tokens by other files; those of `file` keep its own flags
 * @throws UserError when the file is damaged, asks for what is not supported, or contradicts `specials`
 */
export function loadTokenizerJson(bytes: Uint8Array, specials: SpecialTokens, file: string): Tokenizer {
  return new JsonTokenizer(parseTokenizerJson(bytes, specials, file));
}

class JsonTokenizer implements Tokenizer {
  readonly size: number;
  readonly #file: TokenizerJson;
  readonly #added: ReturnType<typeof splitAdded>;
  readonly #addedIds: ReadonlyMap<string, number>;
  readonly #pieces = new Map<number, string>();
  readonly #bytes = new Map<number, number>();
  /** What an added token shows in decoded text. */
  readonly #shown = new Map<number, string>();
  readonly #data: PairEncoder;
  readonly #reference: PairEncoder;

  constructor(file: TokenizerJson) {
    const { added, model } = file;
    const { vocabulary, byteIds } = model;
    this.#file = file;
    this.#added = splitAdded(added, file.normalise);
    this.#addedIds = new Map(added.map(({ content, id }) => [content, id]));
    for (const [piece, id] of vocabulary) this.#pieces.set(id, piece);
    for (const [byte, id] of byteIds.entries()) this.#bytes.set(id, byte);
    for (const { id, content, special } of added) {
      // A single character of the vocabulary is text, though a file may name it as its padding.
      const isCharacter = vocabulary.has(content) && [...content].length === 1;
      if (!isCharacter) this.#shown.set(id, special ? '' : content);
    }
    this.size = [...this.#pieces.keys(), ...this.#addedIds.values()].reduce((size, id) => Math.max(size, id + 1), 0);
    this.#data = new PairEncoder(model, new Set(this.#addedIds.values()));
    this.#reference = new PairEncoder(model, new Set());
  }

  encode(text: string, options: EncodeOptions = {}): Int32Array {
    // UTF-8 has no half of a surrogate pair.
    const whole = text.toWellFormed();
    const ids: number[] = [];
    if (!options.specials) this.#encodeStretch(this.#file.normalise(whole), this.#data, ids);
    else {
      for (const stretch of this.#added(whole)) {
        if (typeof stretch === 'number') ids.push(stretch);
        else this.#encodeStretch(stretch, this.#reference, ids);
      }
    }
    return Int32Array.from(ids);
  }

  decode(tokens: ArrayLike<number>): Decoded {
    const builder = new TextBuilder(tokens.length);
    for (let i = 0; i < tokens.length; i++) this.#addTo(builder, tokens[i] as number);
    const decoded = builder.finish();
    if (!this.#file.stripsFirstSpace || !decoded.text.startsWith(' ')) return decoded;
    return { text: decoded.text.slice(1), ends: decoded.ends.map((end) => Math.max(0, end - 1)) };
  }

  idOf(piece: string): number | undefined {
    return this.#addedIds.get(piece) ?? this.#file.model.vocabulary.get(piece);
  }

  #encodeStretch(text: string, encoder: PairEncoder, ids: number[]): void {
    if (text === '') return;
    let words = [text];
    for (const step of this.#file.steps) words = words.flatMap(step.split);
    for (const word of words) encoder.encode(word, ids);
  }

  #addTo(builder: TextBuilder, id: number): void {
    const shown = this.#shown.get(id);
    const piece = this.#pieces.get(id);
    if (shown !== undefined || piece === undefined) builder.addText(shown ?? '');
    else if (this.#file.byteLevel) builder.addBytes(fromByteCharacters(piece));
    // Where a run of bytes is no UTF-8 the reference marks each of its bytes, good characters included; here what is broken.
    else if (this.#bytes.has(id)) builder.addBytes(Uint8Array.of(this.#bytes.get(id) as number));
    else builder.addText(piece.replaceAll(SPACE, ' '));
  }
}

/** Cuts a text at its added tokens, as the reference does: into their ids and the normalised texts between them. */
export function splitAdded(
  tokens: readonly AddedToken[],
  normalise: (text: string) => string,
): (text: string) => (number | string)[] {
  const raw = splitAt(tokens.filter(({ normalized }) => !normalized));
  const normalised = splitAt(
    tokens.filter(({ normalized }) => normalized).map((token) => ({ ...token, content: normalise(token.content) })),
  );
  return (text) => raw(text).flatMap((part) => (typeof part === 'number' ? part : normalised(normalise(part))));
}

/** Cuts a text into ids and texts, none of them empty. */
function splitAt(tokens: readonly AddedToken[]): (text: string) => (number | string)[] {
  const byContent = new Map(tokens.map((token) => [token.content, token]));
  const find = findAny(byContent.keys());
  // Every character of Unicode white space is one UTF-16 unit.
  const isSpace = (unit: string | undefined): boolean => unit !== undefined && /\p{White_Space}/u.test(unit);
  return (text) => {
    const parts: (number | string)[] = [];
    let end = 0;
    for (const [first, last] of find(text)) {
      const token = byContent.get(text.slice(first, last)) as AddedToken;
      let start = first;
      if (token.lstrip) while (start > end && isSpace(text[start - 1])) start--;
      if (end < start) parts.push(text.slice(end, start));
      parts.push(token.id);
      end = last;
      if (token.rstrip) while (isSpace(text[end])) end++;
    }
    if (end < text.length) parts.push(text.slice(end));
    return parts;
  };
}
