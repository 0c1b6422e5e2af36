// Reads the regular expressions of a tokenizer.json, written for Oniguruma. What the dialects of Oniguruma and
// JavaScript, which decides about single characters, may read differently is refused, not guessed.
//
// Letters and digits are those of the running Node.js's Unicode. The reference's may be older: it takes characters that
// were assigned since for neither, so only texts with such characters may be split differently.
import { Matcher, type Node } from './matcher.js';

/** What may stand at a place of an expression, and its translation; without one it is kept. */
type Rule = readonly [RegExp, ((found: string) => string)?];

const shorthands: Readonly<Record<string, string>> = {
  '\\s': '\\p{White_Space}',
  '\\S': '\\P{White_Space}',
  '\\d': '\\p{Nd}',
  '\\D': '\\P{Nd}',
};
/** Characters beyond ASCII that fold to one letter. */
const folded: Readonly<Record<string, string>> = { s: '\u017f', k: '\u212a' };

/** `meant`: JavaScript lets only signs with a meaning be escaped. */
const escapes = (meant: RegExp): readonly Rule[] => [
  [/\\[pP]\{[A-Z][a-z]?\}|\\[rnt]/y],
  [/\\[sSdD]/y, (found) => shorthands[found] as string],
  [/\\[^A-Za-z0-9\s]/uy, (found) => (meant.test(found.slice(1)) ? found : found.slice(1))],
];
const inClass: readonly Rule[] = [...escapes(/[\\^$.*+?()[\]{}|/-]/), [/[^[\]\\&]/uy]];
/** What decides about one character. */
const sets: readonly Rule[] = [
  ...escapes(/[\\^$.*+?()[\]{}|/]/),
  [/\[\^?(?:[^[\]\\&]|\\.)+\]/uy, characterClass],
  [/[^()[\]{}\\*+?.^$|]/uy],
];
// Letters that a single ligature folds to are left out, like all but ASCII. (Under the flag i, s itself would be among
// what is not ASCII: U+017F folds to it.)
const ANY_CASE = /\(\?i:((?:(?![sS][sStT]|[fF][fFiIlL])[^()[\]{}\\*+?.^$\x80-\u{10ffff}])*)\)/uy;
const GROUP = /\((?:\?:|(?!\?))/y;
const AHEAD = /\(\?([=!])/y;
// One quantifier after another means different things.
const QUANTIFIER = /(?:([*+?])|\{(\d{1,4})(?:(,)(\d{0,4}))?\})(?![*+?{])/y;

/** What finds the matches of the expression. Throws SyntaxError whose message is what was wanted. */
export function splitPattern(pattern: string): Matcher {
  return new Matcher(new Reader(pattern).read());
}

/** Deepest nesting of groups, and of an expression's own reading. */
const MAX_DEPTH = 50;

class Reader {
  readonly #pattern: string;
  #at = 0;
  #depth = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  read(): Node {
    const node = this.#choice();
    if (this.#at < this.#pattern.length) this.#refuse();
    return node;
  }

  #choice(): Node {
    if (++this.#depth > MAX_DEPTH)
      throw new SyntaxError(`an expression with at most ${MAX_DEPTH} groups in one another`);
    const ways: Node[] = [];
    do ways.push(this.#sequence());
    while (this.#take(/\|/y));
    this.#depth--;
    return ways.length === 1 ? (ways[0] as Node) : { choice: ways };
  }

  #sequence(): Node {
    const sequence: Node[] = [];
    while (this.#at < this.#pattern.length && !/[|)]/.test(this.#pattern[this.#at] as string)) {
      const ahead = this.#take(AHEAD);
      if (ahead) {
        // An expression without bounds would be read over and over from every place of the text.
        const set = this.#set() ?? this.#refuse();
        this.#take(/\)/y) ?? this.#refuse();
        sequence.push({ ahead: set, negative: ahead[1] === '!' });
      } else sequence.push(this.#quantified(this.#item()));
    }
    return { sequence };
  }

  #item(): Node {
    const letters = this.#take(ANY_CASE)?.[1];
    if (letters !== undefined)
      return {
        choice: letters.split('|').map((way) => ({ sequence: [...way].map((letter) => ({ set: anyCase(letter) })) })),
      };
    if (this.#take(GROUP)) {
      const node = this.#choice();
      this.#take(/\)/y) ?? this.#refuse();
      return node;
    }
    return { set: this.#set() ?? this.#refuse() };
  }

  #quantified(repeat: Node): Node {
    const found = this.#take(QUANTIFIER);
    if (!found) return repeat;
    const [, sign, from, open, to] = found;
    if (sign) return { repeat, least: sign === '+' ? 1 : 0, most: sign === '?' ? 1 : Number.POSITIVE_INFINITY };
    const least = Number(from);
    const most = open ? Number(to || Number.POSITIVE_INFINITY) : least;
    if (least > most) throw new SyntaxError(`an expression without ${found[0]}`);
    return { repeat, least, most };
  }

  #set(): string | undefined {
    const found = firstOf(sets, this.#pattern, this.#at);
    this.#at += found?.length ?? 0;
    return found?.translated;
  }

  #take(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#pattern) ?? undefined;
    this.#at += found?.[0].length ?? 0;
    return found;
  }

  #refuse(): never {
    const place = this.#at < this.#pattern.length ? `what stands at its character ${this.#at + 1}` : 'an open group';
    throw new SyntaxError(`an expression without ${place}`);
  }
}

function firstOf(
  rules: readonly Rule[],
  pattern: string,
  at: number,
): { length: number; translated: string } | undefined {
  for (const [expression, write] of rules) {
    expression.lastIndex = at;
    const found = expression.exec(pattern)?.[0];
    if (found !== undefined) return { length: found.length, translated: write ? write(found) : found };
  }
  return undefined;
}

function characterClass(found: string): string {
  const start = found.startsWith('[^') ? 2 : 1;
  let translated = found.slice(0, start);
  for (let at = start; at < found.length - 1; ) {
    const part = firstOf(inClass, found, at);
    if (!part) throw new SyntaxError(`an expression without ${found.slice(at, at + 2)} in a class`);
    translated += part.translated;
    at += part.length;
  }
  return `${translated}]`;
}

function anyCase(character: string): string {
  if (!/[a-z]/i.test(character)) return character;
  const lower = character.toLowerCase();
  return `[${lower}${lower.toUpperCase()}${folded[lower] ?? ''}]`;
}
