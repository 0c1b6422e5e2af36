// A response given as text, in the tokens of a model: its ids, and the token at which each of its steps ends.
import type { Tokenizer } from './tokenizer.js';

export interface EncodedSteps {
  readonly tokens: Int32Array;
  /** Tokens up to the end of each step; the last is all of them. */
  readonly ends: Uint32Array;
}

/**
 * The rule is that of `splitSteps`: a token belongs to the step of its last character, one without text to that of the text
 * before it. A step without a token of its own ends where the step after it does.
 * @param ends of each step in `text`, UTF-16, exclusive, in order; the last is the length of the text
 * @param stop id that ends the response; undefined where it was cut off
 */
export function encodeSteps(
  tokenizer: Pick<Tokenizer, 'encode' | 'decode'>,
  text: string,
  ends: readonly number[],
  stop: number | undefined,
): EncodedSteps {
  const words = tokenizer.encode(text);
  const decoded = tokenizer.decode(words);
  // Where a tokenizer respells a text, the start of a text becomes the start of what the whole becomes.
  const place = (end: number): number =>
    decoded.text === text ? end : tokenizer.decode(tokenizer.encode(text.slice(0, end))).text.length;
  const tokens = stop === undefined ? words : Int32Array.from([...words, stop]);
  const found = Uint32Array.from(ends);
  let token = 0;
  for (const [step, end] of ends.entries()) {
    const limit = place(end);
    while (token < words.length && (decoded.ends[token] as number) <= limit) token++;
    found[step] = token;
  }
  for (let step = found.length - 1; step >= 0; step--) {
    const isLast = step === found.length - 1;
    if (isLast) found[step] = tokens.length;
    else if (found[step] === (found[step - 1] ?? 0)) found[step] = found[step + 1] as number;
  }
  return { tokens, ends: found };
}
