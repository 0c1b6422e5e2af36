// The text of tokens that come a few at a time, and where it is to end: what a reader of a stream may be shown.
import type { Tokenizer } from './tokenizer.js';

/** Tokens whose text decides how the next ones are decoded: all marks without text, and a first space, lie within so many. */
const CONTEXT = 8;

/** Decodes tokens as they come; the whole is what decoding all of them at once gives. */
export class TextStream {
  readonly #tokenizer: Pick<Tokenizer, 'decode'>;
  /** Tokens whose text is given, then tokens that wait for the rest of a character. */
  #window: number[] = [];
  #given = 0;

  constructor(tokenizer: Pick<Tokenizer, 'decode'>) {
    this.#tokenizer = tokenizer;
  }

  /**
   * @param isLast whether no token comes any more: bytes that never became a character are then U+FFFD
   * @returns the text of tokens, one each, as far as it is known: those that end inside a character come with a later call
   */
  push(tokens: ArrayLike<number>, isLast: boolean): string[] {
    this.#window.push(...Array.from(tokens));
    const { text, ends } = this.#tokenizer.decode(this.#window);
    if (!isLast && text.endsWith('\ufffd')) return [];
    const before = this.#given === 0 ? '' : this.#tokenizer.decode(this.#window.slice(0, this.#given)).text;
    const fresh: string[] = [];
    let from = before.length;
    for (let at = this.#given; at < this.#window.length; at++) {
      const end = Math.max(from, ends[at] as number);
      fresh.push(text.slice(from, end));
      from = end;
    }
    this.#given = this.#window.length;
    const kept = this.#window.slice(-CONTEXT);
    if (this.#tokenizer.decode(kept).text !== '') {
      this.#window = kept;
      this.#given = kept.length;
    }
    return fresh;
  }
}

/** Finds the first of some texts in a text that grows. */
export class StopSearch {
  readonly #stops: readonly string[];
  readonly #longest: number;

  constructor(stops: readonly string[]) {
    this.#stops = stops;
    this.#longest = Math.max(0, ...stops.map(({ length }) => length));
  }

  /**
   * @param from how much of the text was looked at before
   * @returns where the earliest stop text begins; -1 where there is none
   */
  find(text: string, from: number): number {
    const start = Math.max(0, from - this.#longest + 1);
    const found = this.#stops.map((stop) => text.indexOf(stop, start)).filter((at) => at >= 0);
    return found.length === 0 ? -1 : Math.min(...found);
  }

  /** How much of a text without stop text can be shown: the rest may be the start of one. */
  shown(text: string): number {
    for (let from = Math.max(0, text.length - this.#longest + 1); from < text.length; from++) {
      const rest = text.slice(from);
      if (this.#stops.some((stop) => stop.startsWith(rest))) return from;
    }
    return text.length;
  }
}
