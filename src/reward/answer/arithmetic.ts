// Finds the numbers of a plain text together with the whole expression that each belongs to, and computes it: `5 + 7`
// is 12, `3x + 1` is not a number.
import { constant } from './math/evaluate.js';
import { parseMath } from './math/parse.js';
import { findNumbers, type NumberRead } from './number.js';
import { textBefore } from './text.js';

/** An expression with a number in it; `value` is NaN where it has no one value: `3x + 1`, `5-6`, `2:1`. */
export interface Quantity extends NumberRead {
  /** False for a number that stands alone. */
  readonly isExpression: boolean;
}

/** Longest expression that is computed, and how far before a number it may begin. UTF-16 units. */
const LONGEST = { expression: 256, before: 64 };

/** The parts of an expression, one after another; what is none of them ends it. */
const PARTS = {
  space: String.raw`[^\S\n]+`,
  constant: String.raw`pi(?![A-Za-z])|[\u03c0\u221e]`,
  named: String.raw`(?:sqrt|log|ln|sin|cos|tan|sec|csc|cot)(?![A-Za-z])|\u221a`,
  operator: String.raw`\*\*|[-+*/^\u00d7\u00b7\u00f7]|(?<=\d )(?:x|plus|minus|times|divided by)(?= [\d(-])`,
  word: '[A-Za-z]+',
  opening: '[([]',
  closing: String.raw`[)\]]`,
  // An exclamation mark at the end of a sentence is not a factorial.
  factorial: String.raw`!+(?![=!]|["'\s]*$|\s[^-+*/])`,
  comma: ',',
  ratio: String.raw`\s?:(?=\s?\d)`,
  other: '[^]',
};
type Part = keyof typeof PARTS;
const PART_NAMES = Object.keys(PARTS) as readonly Part[];

const PATTERNS = {
  part: new RegExp(
    Object.values(PARTS)
      .map((part) => `(${part})`)
      .join('|'),
    'y',
  ),
  /** What stands right before a number that is not the first part of its expression. */
  goesBefore:
    /(?:[-+*/^(:,[\u00d7\u00b7\u00f7\u221a]|plus|minus|times|divided by| x|\b(?:sqrt|log|ln|sin|cos|tan|sec|csc|cot)) ?[-+$]?$/,
  operatorWord: /(?<=\d )(?:x|plus|minus|times|divided by)(?= )/g,
  /** Letters that stand for an unknown or a constant rather than a unit where they follow a number. */
  unknown: /^(?:[abceijnp-rt-z]|[xyz]{2,3})$/,
  /** A unit between a number and an operator, as in `5 cats + 3 dogs`. */
  unitBeforeOperator: /^[A-Za-z]+ ?[-+*/] ?\$?$/,
  /** Where a minus sign with a space after it is a sign and no dash. */
  signPlace: /(?:^|[=(:,$]|\bis|\bequals)\s{0,4}$/,
};

const OPERATORS: Readonly<Record<string, string>> = { x: '*', times: '*', plus: '+', minus: '-', 'divided by': '/' };

/** The expressions with a number in them, in order. Reads every character a fixed number of times. */
export function findQuantities(text: string): Quantity[] {
  const numbers = findNumbers(text);
  const reader = new Reader(text);
  let at = 0;
  for (const [i, number] of numbers.entries()) {
    const goesBefore = PATTERNS.goesBefore.test(textBefore(text, number.start, 12));
    at = Math.max(at, number.start - (goesBefore ? LONGEST.before : 0));
    while (at < number.start) at = reader.part(at, number.start);
    reader.number(number);
    at = number.end;
    const next = numbers[i + 1]?.start ?? text.length;
    while (reader.isOpen && at < next) at = reader.part(at, next);
  }
  reader.close();
  return reader.found;
}

class Reader {
  readonly found: Quantity[] = [];
  readonly #text: string;
  /** Range of the expression that is open; its end is that of its last whole part. */
  #start = -1;
  #end = -1;
  /** Places of brackets that are open. */
  #brackets: number[] = [];
  #numbers: NumberRead[] = [];
  /** True where an operand has just ended, and where a space follows it. */
  #ended = false;
  #spaced = false;

  constructor(text: string) {
    this.#text = text;
  }

  get isOpen(): boolean {
    return this.#start >= 0;
  }

  number(number: NumberRead): void {
    // Two numbers with only a space between them are two, and a sign that belongs to the second makes it no term of the first.
    if (this.#ended && (this.#spaced || /[-+]/.test(this.#text[number.start] as string))) this.close();
    this.#numbers.push(number);
    this.#operand(number.start, number.end);
  }

  /** Reads the part at `at`, before the number at `next`, and says where the following one begins. */
  part(at: number, next: number): number {
    PATTERNS.part.lastIndex = at;
    const match = PATTERNS.part.exec(this.#text) as RegExpExecArray;
    const name = PART_NAMES[match.indexOf(match[0], 1) - 1] as Part;
    const part = match[0];
    const end = Math.min(at + part.length, next);
    if (name === 'space') this.#spaced = true;
    else {
      this.#take(name, part, at, end, next);
      this.#spaced = false;
    }
    return end;
  }

  #take(name: Part, part: string, at: number, end: number, next: number): void {
    const { isOpen } = this;
    if (name === 'constant') this.#operand(at, end);
    else if (name === 'word') this.#word(part, at, end, next);
    else if (name === 'named') {
      this.#operand(at, at);
      this.#ended = false;
    } else if (
      name === 'operator' &&
      (this.#ended || (part === '-' && (isOpen || PATTERNS.signPlace.test(textBefore(this.#text, at, 12)))))
    ) {
      this.#begin(at);
      this.#ended = false;
    } else if (name === 'opening') {
      // A bracket after a space opens a remark rather than a factor.
      if (this.#ended && this.#spaced) this.close();
      this.#begin(at);
      this.#brackets.push(at);
      this.#ended = false;
    } else if (name === 'closing' && this.#brackets.length > 0) {
      this.#brackets.pop();
      this.#operand(at, end);
    } else if (name === 'factorial' && this.#ended && !this.#spaced) this.#end = end;
    else if (name === 'comma' && this.#brackets.length > 0) this.#ended = false;
    else if (name === 'ratio' && this.#ended) this.#ended = false;
    else this.close();
  }

  /** A unit before an operator is passed over; a letter may be an unknown; any other word ends the expression. */
  #word(word: string, at: number, end: number, next: number): void {
    const isUnit =
      this.#ended &&
      this.#numbers.length > 0 &&
      PATTERNS.unitBeforeOperator.test(this.#text.slice(at, Math.min(next, at + 40)));
    if (this.#isUnknown(word, at, end)) this.#operand(at, end);
    else if (!isUnit) this.close();
  }

  /** A letter right after a number or an operator, or one that an operator follows. */
  #isUnknown(word: string, at: number, end: number): boolean {
    if (!PATTERNS.unknown.test(word)) return false;
    if (this.isOpen && !this.#ended) return true;
    const goesOn = /^ ?[-+*/^] ?[\d(]/.test(this.#text.slice(end, end + 4));
    return this.isOpen
      ? !this.#spaced || goesOn || /[xyz]/.test(word)
      : goesOn && !/[A-Za-z]/.test(this.#text[at - 1] ?? ' ');
  }

  #begin(at: number): void {
    if (!this.isOpen) this.#start = at;
  }

  #operand(start: number, end: number): void {
    this.#begin(start);
    this.#end = end;
    this.#ended = true;
    this.#spaced = false;
  }

  /** Ends the expression and keeps it where it has a number. */
  close(): void {
    const [first] = this.#numbers;
    if (first) this.found.push(this.#quantity(first));
    this.#start = -1;
    this.#brackets = [];
    this.#numbers = [];
    this.#ended = false;
  }

  /** What was read up to its last whole part; a bracket that is not closed belongs to the sentence. */
  #quantity(first: NumberRead): Quantity {
    if (this.#start === first.start && this.#end === first.end) return { ...first, isExpression: false };
    const unclosed = this.#brackets.at(-1) ?? -1;
    const start = unclosed >= 0 && unclosed < first.start ? unclosed + 1 : this.#start;
    const span = this.#text.slice(start, this.#end);
    const bare = span.replace(/^[([ ]{1,8}|[)\] ]{1,8}$/g, '');
    if (this.#numbers.length === 1 && bare.length === first.end - first.start) return { ...first, isExpression: false };
    return { start, end: this.#end, value: compute(span), percent: false, scale: 1, isExpression: true };
  }
}

/** The one value of an expression; NaN where it has none, as `2010-2015` and `2:1` have not. */
function compute(span: string): number {
  const [, low, high] = /^(\d+)-(\d+)$/.exec(span) ?? [];
  const isRange = span.includes(':') || (low !== undefined && Number(low) < Number(high));
  if (span.length > LONGEST.expression || isRange) return Number.NaN;
  return constantIn(span.replace(PATTERNS.operatorWord, (word) => OPERATORS[word] as string));
}

/** The value of a text that is an expression without unknowns; NaN for any other text. */
export function constantIn(text: string): number {
  const node = parseMath(text);
  return (node && constant(node)) ?? Number.NaN;
}
