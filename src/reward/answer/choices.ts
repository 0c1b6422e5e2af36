// The choices of a question in the forms in which a response may name them: words, values, formulas. Says which choices
// are the same.
import { letterAt, placeOf } from '../../core/letters.js';
import { plainMath } from './latex.js';
import { sameMath } from './math/compare.js';
import { constant } from './math/evaluate.js';
import type { Node } from './math/node.js';
import { parseMath } from './math/parse.js';
import { canonicalNumber } from './number.js';
import { plainCased, plainInitials } from './text.js';
import { unify } from './unify.js';

/** One choice as it may be named. */
export interface ChoiceForm {
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

/** Longer choices are not searched for inside a text, which keeps the search linear. UTF-16 units. */
const LONGEST_SOUGHT = 200;

const forms = new WeakMap<readonly string[], readonly ChoiceForm[]>();

/** The forms of all choices, read once for each list of choices. */
export function choiceForms(choices: readonly string[]): readonly ChoiceForm[] {
  const known = forms.get(choices);
  if (known) return known;
  const read = choices.map(readForm);
  forms.set(choices, read);
  return read;
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
  const sought = byValue || words.length > LONGEST_SOUGHT ? '' : words.replace(/^(?:it|they|he|she) (?=\S+ \S)/, '');
  return { words, sought, node, value, plain: plainForm(words, value) };
}

/** Longest text that is read as a formula. UTF-16 units. */
const LONGEST_FORMULA = 256;

/** A text as mathematics where it has a digit or a sign of it; null for words. */
export function formula(text: string): Node | null {
  const isFormula = text.length <= LONGEST_FORMULA && /\d|[\u221a\u03c0\u221e=<>^]|\bpi\b|sqrt/.test(text);
  const node = isFormula ? parseMath(text.replace(/[.,;:]+$/, '')) : null;
  return node?.kind === 'text' ? null : node;
}

/** Numbers of the choices that read as `text` does, word by word; where only case differs, in the same case if any does. */
export function sameWords(text: string, choices: readonly string[]): number[] {
  const words = plainCased(text);
  if (words === '') return [];
  const same = indices(choiceForms(choices), (form) => form.words === words);
  const lower = words.toLowerCase();
  if (same.length > 0) return same;
  const time = minutes(lower);
  return indices(choiceForms(choices), (form) => {
    const other = form.words.toLowerCase();
    return other === lower || (time !== null && minutes(other) === time);
  });
}

/** Minutes since midnight of a time that says which half of the day it is in: `22:30`, `10:30 pm`; null for any other text. */
function minutes(text: string): number | null {
  const [, hour, minute, half] = /^(\d{1,2}):([0-5]\d) ?([ap]m)?$/.exec(text) ?? [];
  if (hour === undefined || Number(hour) > (half ? 12 : 23) || (!half && Number(hour) < 13)) return null;
  return 60 * (half ? (Number(hour) % 12) + (half === 'pm' ? 12 : 0) : Number(hour)) + Number(minute);
}

/** Numbers of the choices that say what `node` says: the same tree, or the same value. */
export function sameFormulas(node: Node, choices: readonly string[]): number[] {
  const all = choiceForms(choices);
  const value = constant(node);
  // Most choices differ by far, which is cheap to see.
  const near = all.map(
    (form) => form.node !== null && (value === null || form.value === null || isNear(form.value, value)),
  );
  const same = indices(all, (form, i) => near[i] === true && sameMath(form.node as Node, node));
  // The other way round a decimal of the response is a rounded value of an exact choice.
  const isDecimal = node.kind === 'number' && node.decimals !== undefined;
  return same.length > 0 || !isDecimal
    ? same
    : indices(all, (form, i) => near[i] === true && sameMath(node, form.node as Node));
}

/** True for values that rounding, percent or degree signs could make equal. */
function isNear(a: number, b: number): boolean {
  const ratio = a / b;
  return (
    [1, 100, 0.01, 180 / Math.PI, Math.PI / 180].some((scale) => Math.abs(ratio - scale) <= 0.02 * scale) || a === b
  );
}

/** Numbers of the choices with that value. */
export function sameValues(value: number, choices: readonly string[]): number[] {
  return indices(
    choiceForms(choices),
    (form) => form.value !== null && Math.abs(form.value - value) <= 1e-9 * Math.abs(value),
  );
}

function indices(all: readonly ChoiceForm[], holds: (form: ChoiceForm, index: number) => boolean): number[] {
  return all.flatMap((form, i) => (holds(form, i) ? [i] : []));
}

/** True for two letters of one choice that stands there twice: the same words, or the same number in digits. */
export function sameChoice(a: string, b: string, choices: readonly string[]): boolean {
  if (a === b) return true;
  const all = choiceForms(choices);
  const [x, y] = [all[placeOf(a)], all[placeOf(b)]];
  return x !== undefined && x.plain === y?.plain;
}

/** The first letter of the choice that a letter stands for. */
export function firstSame(letter: string, choices: readonly string[]): string {
  const index = choices.findIndex((_, i) => sameChoice(letterAt(i), letter, choices));
  return index < 0 ? letter : letterAt(index);
}

/** `Red` is `red` and `18.0` is `18`, but `Ee` is not `ee`, and `2/4` is not `1/2`: which of two forms is right may be what the question asks. */
function plainForm(words: string, value: number | null): string {
  if (value !== null && /^[-\d.,]+$/.test(words)) return canonicalNumber(value);
  return /[a-z]{2}/.test(words) && words.length > 2 ? words.toLowerCase() : words;
}

/** The only choice of a list of numbers, or the first where all of them stand for one; -1 for none or several. */
export function onlyOne(found: readonly number[], choices: readonly string[]): number {
  const [first] = found;
  if (first === undefined) return -1;
  return found.every((i) => sameChoice(letterAt(first), letterAt(i), choices)) ? first : -1;
}
