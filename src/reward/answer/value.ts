// Reads a piece of text as the value that a free-form question asks for: number, list or plain text.
// Leaves finding the piece to extract.ts and the verdict to grade.ts.
import type { AnswerType } from '../../core/types.js';
import { plainMath } from './latex.js';
import { canonicalNumber, findNumbers, findNumberWords, type NumberRead } from './number.js';
import { plainText } from './text.js';

/** A value that was read. */
export interface ValueRead {
  readonly extracted: string;
  /** Canonical form: two answers are the same iff these are equal. */
  readonly normalised: string;
  /** Other canonical forms that the same words allow, such as 0.5 for 50 %. */
  readonly alternatives: readonly string[];
}

/** What kind of value is asked for. */
export interface ValueForm {
  readonly answerType: AnswerType | 'expression';
  readonly precision?: number;
}

/** Reads a piece that states an answer; null where it holds no value of that form. */
export function readValue(piece: string, form: ValueForm): ValueRead | null {
  const text = plainMath(piece).trim();
  if (text === '') return null;
  if (form.answerType === 'list') return readList(text);
  if (form.answerType === 'text') return readText(text);
  const result = text.slice(text.lastIndexOf('=') + 1);
  const number = findNumbers(result)[0] ?? findNumberWords(result)[0];
  if (number) return numberRead(result, number, form.precision);
  const anywhere = findNumbers(text).at(-1);
  return anywhere ? numberRead(text, anywhere, form.precision) : null;
}

/** Words before a number that is a bound, a time or a total of the question rather than its answer. */
const ASIDE = /\b(?:than|below|above|under|over|exceeding|least|most|after|before|since|until|in|out of)\s{1,3}\$?$/i;

/**
 * Reads one sentence without any sign of an answer: its last list, or its last number (in digits, else in words) that is
 * no aside as in `greater than 60`; with `asides` the last one all the same where all are.
 */
export function readLooseValue(sentence: string, form: ValueForm, asides: boolean): ValueRead | null {
  const text = plainMath(sentence).trim();
  if (form.answerType === 'list') return readList(text);
  if (form.answerType === 'text') return null;
  const none = /\bthere (?:are|is|were|was) no\b/i.exec(text);
  const digits = findNumbers(text);
  const main = lastMain(text, withoutAsides(text, digits)) ?? lastMain(text, withoutAsides(text, loneWords(text)));
  if (main) return numberRead(text, main, form.precision);
  if (none) return { extracted: none[0], normalised: '0', alternatives: [] };
  const aside = asides ? digits.at(-1) : undefined;
  return aside ? numberRead(text, aside, form.precision) : null;
}

/** True where a sentence has one number in digits that is no aside: what it states is clear. */
export function hasOneValue(sentence: string): boolean {
  const text = plainMath(sentence);
  return withoutAsides(text, findNumbers(text)).length === 1;
}

function withoutAsides(text: string, numbers: readonly NumberRead[]): NumberRead[] {
  return numbers.filter(({ start }) => !ASIDE.test(text.slice(Math.max(0, start - 16), start)));
}

/** What follows a first value and only tells more about it. */
const REMARK = /,? (?:with|where|which|while|compared to)\b/gi;

/** The last number before a remark such as `, with the older being 30`; of a range such as `40 to 50` its start. */
function lastMain(text: string, numbers: readonly NumberRead[]): NumberRead | undefined {
  const last = numbers.at(-1);
  const first = numbers[0];
  if (last === undefined || first === undefined) return undefined;
  const remark = Array.from(text.matchAll(REMARK)).find((match) => match.index >= first.end);
  const kept = remark ? numbers.filter(({ end }) => end <= remark.index) : numbers;
  const [before, main] = [kept.at(-2), kept.at(-1)];
  return before && main && / to $/.test(text.slice(before.end, main.start)) ? before : main;
}

/** Number words without a lone `one`, which is a pronoun more often than a number. */
function loneWords(text: string): NumberRead[] {
  return findNumberWords(text).filter(({ value }) => value !== 1);
}

function numberRead(text: string, number: NumberRead, precision: number | undefined): ValueRead {
  return {
    extracted: text.slice(number.start, number.end),
    normalised: canonicalNumber(number.value, precision),
    alternatives: number.percent ? [canonicalNumber(number.value / 100, precision)] : [],
  };
}

/** The last `[...]` of the text; items are compared in order, as numbers where they are numbers. */
function readList(text: string): ValueRead | null {
  const close = text.lastIndexOf(']');
  const open = text.lastIndexOf('[', close);
  if (close < 0 || open < 0) return null;
  const items = text
    .slice(open + 1, close)
    .split(',')
    .map(canonicalItem);
  return { extracted: text.slice(open, close + 1), normalised: `[${items.join(', ')}]`, alternatives: [] };
}

function canonicalItem(item: string): string {
  const text = plainText(item);
  const numbers = findNumbers(text);
  const only = numbers[0];
  return numbers.length === 1 && only && only.start === 0 && only.end === text.length
    ? canonicalNumber(only.value)
    : text;
}

/** A text answer up to the end of its clause; a text that is one number is read as that number. */
function readText(text: string): ValueRead | null {
  const clause = plainText(text.split(/(?<=[^\d]),\s|;|\.\s+(?=[A-Z])/, 1)[0] as string);
  if (clause === '') return null;
  const words = findNumberWords(clause)[0];
  const number =
    words && words.start === 0 && words.end === clause.length ? canonicalNumber(words.value) : canonicalItem(clause);
  return { extracted: clause, normalised: number, alternatives: [plainText(text)] };
}
