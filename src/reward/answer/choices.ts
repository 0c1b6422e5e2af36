// The choices of a question in the forms in which a response may name them: words, values, formulas. Says which choices
// are the same.
import { letterAt, placeOf } from '../../core/letters.js';
import { plainMath } from './latex.js';
import { sameMath } from './math/compare.js';
import { constant } from './math/evaluate.js';
import type { Node } from './math/node.js';
import { parseMath } from './math/parse.js';
import { canonicalNumber } from './number.js';
import { plainCased, plainInitials, unify } from './text.js';

/** One choice as it may be named. */
interface ChoiceForm {
  /** Its text as plainCased has it. */
  readonly words: string;
  /** What a search for it in a longer text looks for; empty where it must be found by its value. */
  readonly sought: string;
  /** What it says as mathematics; null where it is words. */
  readonly node: Node | null;
  /** Its value where it is one number. */
  readonly value: number | null;
  /** The same for two choices of which either is right. */
  readonly plain: string;
}

/** Longest choice that is searched for inside a text, which keeps the search linear, and longest formula. UTF-16 units. */
const LONGEST = { sought: 200, formula: 256 };

export class Choices {
  static readonly #known = new WeakMap<readonly string[], Choices>();
  readonly forms: readonly ChoiceForm[];

  private constructor(texts: readonly string[]) {
    this.forms = texts.map(readForm);
  }

  /** The choices of a list, which is read once. */
  static of(texts: readonly string[]): Choices {
    const read = Choices.#known.get(texts) ?? new Choices(texts);
    Choices.#known.set(texts, read);
    return read;
  }

  /** Places of those that read as `text` does, word by word; where only case differs, in the same case if any does. */
  sameWords(text: string): number[] {
    const words = plainCased(text);
    if (words === '') return [];
    const same = this.#where((form) => form.words === words);
    if (same.length > 0) return same;
    const lower = words.toLowerCase();
    const time = minutes(lower);
    return this.#where((form) => {
      const other = form.words.toLowerCase();
      return other === lower || (time !== null && minutes(other) === time);
    });
  }

  /** Places of those that say what `node` says: the same tree, or the same value. */
  sameFormulas(node: Node): number[] {
    const value = constant(node);
    // Most choices differ by far, which is cheap to see: no rounding, percent or degree signs could make them equal.
    const isNear = (other: number | null): boolean =>
      value === null ||
      other === null ||
      other === value ||
      [1, 100, 0.01, 180 / Math.PI, Math.PI / 180].some((scale) => Math.abs(other / value - scale) <= 0.02 * scale);
    const near = this.forms.map((form) => (isNear(form.value) ? form.node : null));
    const same = this.#where((_, i) => near[i] !== null && sameMath(near[i] as Node, node));
    // The other way round a decimal of the response is a rounded value of an exact choice.
    const isDecimal = node.kind === 'number' && node.decimals !== undefined;
    return same.length > 0 || !isDecimal
      ? same
      : this.#where((_, i) => near[i] !== null && sameMath(node, near[i] as Node));
  }

  /** Places of those with that value. */
  sameValues(value: number): number[] {
    return this.#where((form) => form.value !== null && Math.abs(form.value - value) <= 1e-9 * Math.abs(value));
  }

  #where(holds: (form: ChoiceForm, place: number) => boolean): number[] {
    return this.forms.flatMap((form, i) => (holds(form, i) ? [i] : []));
  }

  /** True for two letters of one choice that stands there twice: the same words, or the same number in digits. */
  same(a: string, b: string): boolean {
    if (a === b) return true;
    const [x, y] = [this.forms[placeOf(a)], this.forms[placeOf(b)]];
    return x !== undefined && x.plain === y?.plain;
  }

  /** The first letter of the choice that a letter stands for. */
  firstSame(letter: string): string {
    const place = this.forms.findIndex((_, i) => this.same(letterAt(i), letter));
    return place < 0 ? letter : letterAt(place);
  }

  /** Letter of the only one of some places, or of the first where all of them stand for one; null for none or several. */
  onlyOne([first, ...others]: readonly number[]): string | null {
    if (first === undefined) return null;
    return others.every((i) => this.same(letterAt(first), letterAt(i))) ? letterAt(first) : null;
  }
}

/** Plain text with single spaces and line ends, case kept: what choices are looked for in. */
export function tidy(text: string): string {
  return plainInitials(plainMath(unify(text)))
    .replace(/["'`“”‘’]|_(?<=[A-Za-z]_)(?=\d)|\*(?:\*|(?<![\w)]\*)(?! )|(?<! \*)(?![\w(]))/g, '')
    .replace(/ {2,}|[^\S\n ]+/g, ' ')
    .replace(/\n\s+/g, '\n')
    .trim();
}

function readForm(choice: string): ChoiceForm {
  const text = tidy(choice);
  const words = plainCased(text);
  const node = formula(text);
  const value = node && constant(node);
  const byValue = value !== null || (node !== null && /[-+*/^=(),<>\u221a]/.test(text));
  const sought = byValue || words.length > LONGEST.sought ? '' : words.replace(/^(?:it|they|he|she) (?=\S+ \S)/, '');
  // `Red` is `red` and `18.0` is `18`, but `Ee` is not `ee`, and `2/4` is not `1/2`: which form is right may be what is asked.
  const cased = /[a-z]{2}/.test(words) && words.length > 2 ? words.toLowerCase() : words;
  const plain = value !== null && /^[-\d.,]+$/.test(words) ? canonicalNumber(value) : cased;
  return { words, sought, node, value, plain };
}

/** A text as mathematics where it has a digit or a sign of it; null for words. */
export function formula(text: string): Node | null {
  const isFormula = text.length <= LONGEST.formula && /\d|[\u221a\u03c0\u221e=<>^]|\bpi\b|sqrt/.test(text);
  const node = isFormula ? parseMath(text.replace(/[.,;:]+$/, '')) : null;
  return node?.kind === 'text' ? null : node;
}

/** Minutes since midnight of a time that says which half of the day it is in: `22:30`, `10:30 pm`; null for any other text. */
function minutes(text: string): number | null {
  const [, hour, minute, half] = /^(\d{1,2}):([0-5]\d) ?([ap]m)?$/.exec(text) ?? [];
  if (hour === undefined || Number(hour) > (half ? 12 : 23) || (!half && Number(hour) < 13)) return null;
  return 60 * (half ? (Number(hour) % 12) + (half === 'pm' ? 12 : 0) : Number(hour)) + Number(minute);
}
