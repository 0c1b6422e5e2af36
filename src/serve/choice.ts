// One of the answers to a request as it grows: its text up to a stop text, its tokens, why it ended.
import type { RawResponse } from '../engine/binding.js';
import { StopSearch, TextStream } from '../text/stream.js';
import type { Tokenizer } from '../text/tokenizer.js';

/** A token that was drawn; of a character that several tokens make, the last one has the text. */
export interface DrawnToken {
  readonly text: string;
  readonly logprob: number;
}

export class Choice {
  readonly #stream: TextStream;
  readonly #search: StopSearch;
  readonly #logprobs: number[] = [];
  readonly #content: DrawnToken[] = [];
  #text = '';
  #shown = 0;
  #told = 0;
  #known = 0;
  /** Tokens that were drawn for it. */
  tokens = 0;
  finish: 'stop' | 'length' | null = null;

  constructor(tokenizer: Pick<Tokenizer, 'decode'>, stop: readonly string[]) {
    this.#stream = new TextStream(tokenizer);
    this.#search = new StopSearch(stop);
  }

  /** Takes tokens that others may follow. @returns whether a stop text has ended it: what comes after is passed over */
  add({ tokens, logprobs }: Pick<RawResponse, 'tokens' | 'logprobs'>): boolean {
    if (this.finish === null) this.#take(tokens, logprobs, false);
    return this.finish !== null;
  }

  /** Takes the whole of what was drawn. */
  end({ tokens, logprobs, finish }: RawResponse): void {
    if (this.finish !== null) return;
    const { length } = this.#logprobs;
    this.#take(tokens.subarray(length), logprobs.subarray(length), true);
    if (this.finish !== null) return;
    this.finish = finish;
    // The mark that ends an answer is not part of it.
    if (finish === 'stop') this.#content.pop();
  }

  #take(tokens: Int32Array, logprobs: Float32Array, isLast: boolean): void {
    for (const value of logprobs) this.#logprobs.push(value);
    for (const text of this.#stream.push(tokens, isLast)) {
      const from = this.#text.length;
      this.#text += text;
      const logprob = this.#logprobs[this.#known++] as number;
      this.#content.push({ text, logprob });
      const at = this.#search.find(this.#text, from);
      if (at < 0) continue;
      this.#text = this.#text.slice(0, at);
      this.tokens = this.#known;
      this.finish = 'stop';
      return;
    }
    this.tokens = this.#logprobs.length;
  }

  /** All text up to now. */
  get text(): string {
    return this.#text;
  }

  /** All tokens up to now whose text is known. */
  get content(): readonly DrawnToken[] {
    return this.#content;
  }

  /** What can be shown and was not: text that is not the start of a stop text, and the tokens that came since. */
  take(): { readonly text: string; readonly content: readonly DrawnToken[] } {
    const to = this.finish === null ? this.#search.shown(this.#text) : this.#text.length;
    const text = this.#text.slice(this.#shown, to);
    const content = this.#content.slice(this.#told);
    this.#shown = Math.max(this.#shown, to);
    this.#told = this.#content.length;
    return { text, content };
  }
}
