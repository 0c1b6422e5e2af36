// Finding the added tokens of a tokenizer.json in a text, as the reference does.
import { findAny } from './literals.js';
import type { Normalise } from './text-steps.js';

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Swallows the white space before it, or after it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Looked for in normalised text, by its own normalised content. */
  readonly normalized: boolean;
  /** Hidden in decoded text. */
  readonly special: boolean;
}

/** An added token by id, or normalised text between two. */
export type Stretch = number | string;

export class AddedTokens {
  readonly #normalise: Normalise;
  readonly #raw: Finder;
  readonly #normalised: Finder;

  constructor(tokens: readonly AddedToken[], normalise: Normalise) {
    this.#normalise = normalise;
    this.#raw = new Finder(tokens.filter((token) => !token.normalized));
    this.#normalised = new Finder(
      tokens.filter((token) => token.normalized).map((token) => ({ ...token, content: normalise(token.content) })),
    );
  }

  split(text: string): Stretch[] {
    return this.#raw
      .split(text)
      .flatMap((part) => (typeof part === 'number' ? part : this.#normalised.split(this.#normalise(part))));
  }
}

class Finder {
  readonly #tokens: ReadonlyMap<string, AddedToken>;
  readonly #find: ReturnType<typeof findAny>;

  constructor(tokens: readonly AddedToken[]) {
    this.#tokens = new Map(tokens.map((token) => [token.content, token]));
    this.#find = findAny(this.#tokens.keys());
  }

  /** The parts of `text`, none of them empty. */
  split(text: string): Stretch[] {
    const parts: Stretch[] = [];
    let end = 0;
    for (const [first, last] of this.#find(text)) {
      const token = this.#tokens.get(text.slice(first, last)) as AddedToken;
      let start = first;
      if (token.lstrip) while (start > end && isSpace(text[start - 1] as string)) start--;
      if (end < start) parts.push(text.slice(end, start));
      parts.push(token.id);
      end = last;
      if (token.rstrip) while (end < text.length && isSpace(text[end] as string)) end++;
    }
    if (end < text.length) parts.push(text.slice(end));
    return parts;
  }
}

/** Unicode white space; every such character is one UTF-16 unit. */
function isSpace(unit: string): boolean {
  return /\p{White_Space}/u.test(unit);
}
