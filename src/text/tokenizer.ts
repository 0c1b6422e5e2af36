// What every tokenizer offers, whatever file it was read from, and the streaming of byte pieces into text.
import { TextDecoder } from 'node:util';

/** What stands for a space in the pieces of SentencePiece, and of files made from them. */
export const SPACE = '\u2581';

/** `specials`: recognise special strings in the text, as the reference tokenizers do. Off (the default) is for data: it yields no special id. */
export interface EncodeOptions {
  readonly specials?: boolean;
}

/** Text of a token sequence and where the text of each token ends. */
export interface Decoded {
  readonly text: string;
  /** UTF-16 index into `text`, exclusive, one per token; a token that adds nothing ends where the one before it ends. */
  readonly ends: Uint32Array;
}

export interface Tokenizer {
  /** One more than the largest id that a text or special piece has. */
  readonly size: number;
  /** Ids of `text`; begin and end marks are the prompt's business. */
  encode(text: string, options?: EncodeOptions): Int32Array;
  /** Special tokens and ids without a piece add no text. */
  decode(tokens: ArrayLike<number>): Decoded;
  /** Id of a special string, else of a piece of exactly this text. */
  idOf(piece: string): number | undefined;
}

/** Collects text token by token; bytes count as text once they complete a character. */
export class TextBuilder {
  #text = '';
  #afterByte = false;
  readonly #ends: Uint32Array;
  #decoder: InstanceType<typeof TextDecoder> | undefined;
  #count = 0;

  /** `tokens`: how many tokens will be added. */
  constructor(tokens: number) {
    this.#ends = new Uint32Array(tokens);
  }

  /** Adds a token that stands for these bytes of UTF-8, which may end inside a character. */
  addBytes(bytes: Uint8Array): void {
    this.#afterByte = true;
    this.#decoder ??= new TextDecoder('utf-8', { ignoreBOM: true });
    this.#end(this.#decoder.decode(bytes, { stream: true }));
  }

  /**
   * Adds a token that stands for `text`. Bytes that never became a character turn into U+FFFD before it; a token without
   * text stands between bytes as if it were not there.
   */
  addText(text: string): void {
    if (text !== '') this.#flush();
    this.#end(text);
  }

  finish(): Decoded {
    this.#flush();
    return { text: this.#text, ends: this.#ends };
  }

  #end(piece: string): void {
    this.#text += piece;
    this.#ends[this.#count++] = this.#text.length;
  }

  #flush(): void {
    if (!this.#afterByte || !this.#decoder) return;
    this.#afterByte = false;
    this.#text += this.#decoder.decode();
    this.#ends[this.#count - 1] = this.#text.length;
  }
}
