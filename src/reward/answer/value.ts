// Reads a piece of text as the value that a free-form question asks for: number, list or plain text.
import type { AnswerType } from '../../core/types.js';
import { constantIn, findQuantities, type Quantity } from './arithmetic.js';
import { findCjkNumbers } from './cjk.js';
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
  /** The number before it was rounded to the precision that is asked for. */
  readonly exact?: number;
}

/** What kind of value is asked for. */
export interface ValueForm {
  readonly answerType: AnswerType | 'expression';
  readonly precision?: number;
  /** Unit and question say whether `2 million` may be called 2. */
  readonly unit?: string;
  readonly question?: string;
}

/** A longer piece states no value. UTF-16 units. */
const LONGEST_PIECE = 8192;

/** Without underscores that dress a word or number, as in `_72_`. */
function plainEmphasis(text: string): string {
  return (text.includes('_') ? text.replace(/_(?<![A-Za-z0-9]_)|_(?![A-Za-z0-9])/g, '') : text).trim();
}

/** Mathematics that is read as a whole or not at all. */
const FORMULA =
  /\\(?:sqrt|log|ln|lg|binom|sin|cos|tan|cot|exp|lfloor|lceil|pi)(?![A-Za-z])|\||\d!+[\s.]{0,3}\$|^[\s$]{0,3}(?:e|\u03c0|pi)[\s$.]{0,3}$/;

/**
 * Reads a piece that states an answer; null where it holds no value of that form.
 * @param isMark true for what stands in a box or after `####`
 */
export function readValue(piece: string, form: ValueForm, isMark = false): ValueRead | null {
  const text = piece.length > LONGEST_PIECE ? '' : plainEmphasis(plainMath(piece));
  if (text === '') return null;
  if (form.answerType === 'list') return readList(text) ?? readBareList(text);
  if (form.answerType === 'text') return readText(text);
  const formula = readConstant(piece, text, form);
  if (formula) return formula;
  // In a box an exclamation mark at the end is a factorial.
  return readNumber(isMark && text.endsWith('!') ? `${text}.` : text, form);
}

/** A piece that is one formula; `text` is the same without LaTeX. */
function readConstant(piece: string, text: string, form: ValueForm): ValueRead | null {
  const value = FORMULA.test(piece) ? constantIn(piece.replace(/^\s*\$|[.$\s]+$/g, '')) : Number.NaN;
  return Number.isNaN(value)
    ? null
    : numberRead(text, { value, percent: false, scale: 1, start: 0, end: text.length }, form);
}

/** A gap between two numbers that makes them an enumeration or a range rather than a value and what follows it. */
const SEVERAL =
  /^ ?(?:[A-Za-z%]{1,16} )?(?:[,;&/]|,? ?(?:or|and|to)(?: (?:maybe|perhaps|possibly|probably|even)){0,2}) ?(?:[a-z] ?= ?)?\$?$/i;
/** A gap with an equals sign: what follows is what the first number comes to. */
const COMES_TO = /^[^,.;=]{0,24}=[^=\d]{0,16}$/;

/** The first number, in digits or words, or what it comes to; several numbers at once do not count as one. */
function readNumber(piece: string, form: ValueForm): ValueRead | null {
  const text = decimalComma(piece.replace(/\s+/g, ' '));
  const numbers = notDenied(text, findQuantities(text));
  const word = notDenied(text, findNumberWords(text))[0] ?? findCjkNumbers(text)[0];
  const [first] = numbers;
  if (word && (!first || (word.start === 0 && first.start > 0 && !/^one of\b/i.test(text))))
    return numberRead(text, word, form);
  if (!first) return null;
  let at = 0;
  const gap = (i: number): string => text.slice(numbers[i]?.end, numbers[i + 1]?.start);
  while (at + 1 < numbers.length && COMES_TO.test(gap(at))) at++;
  let last = at;
  while (last + 1 < numbers.length && SEVERAL.test(gap(last))) last++;
  const several = numbers.slice(at, last + 1);
  const main = several[0] as Quantity;
  if (several.every(({ value }) => value === main.value)) return numberRead(text, main, form);
  const whole = text.slice(main.start, several.at(-1)?.end);
  return { extracted: whole, normalised: whole, alternatives: [] };
}

/** What stands before a number that is denied: `not 12`, but not `not only 12`. */
const DENIES = /\b(?:not|isn't|never|rather than|instead of)(?! only) (?:[a-z]+ )?\$?$/i;

/** All that stands before a number of which nothing but a bound is said: `at most 9`, `it is more than 9`. */
const BOUNDS =
  /^\W*(?:(?:it|that|this|there) (?:is|are) )?(?:about )?(?:(?:no|not|any|a little|slightly|anything) )?(?:(?:more|less|fewer|greater|larger|smaller|higher|lower) than|at (?:least|most)|over|under|above|below|up to|exceeding) ?\W?$/i;

/** Without numbers that are denied or merely bounds. */
export function notDenied<N extends NumberRead>(text: string, numbers: readonly N[]): readonly N[] {
  return numbers.filter(
    ({ start }) =>
      !DENIES.test(text.slice(Math.max(0, start - 24), start)) && (start > 40 || !BOUNDS.test(text.slice(0, start))),
  );
}

/** `1,5` and `1.234,56` as the only number of a text are decimals. */
function decimalComma(text: string): string {
  const [, before, whole, decimals, after] =
    /^(\D{0,64})(\d+(?:\.\d{3})*),(\d{1,2}|\d{4,15})((?:[^\d,][^\d]*)?)$/.exec(text) ?? [];
  return whole === undefined ? text : `${before}${whole.replaceAll('.', '')}.${decimals}${after}`;
}

/** Words before a number that is a bound, a time or a total of the question rather than its answer. */
const ASIDE =
  /\b(?:than|below|above|under|over|exceeding|least|most|after|before|since|until|in|at|per|every|with|out of|of (?:the|these|those|all))\s{1,3}\$?$|\(\$?$/i;

/** Longest sentence that may be a formula and nothing else. UTF-16 units. */
const SHORT_FORMULA = 64;

/** Of a longer sentence the end is read. UTF-16 units. */
const LONGEST_SENTENCE = 2048;

/** Politeness after the answer; numbers in it are none. */
const CHATTER = /\b(?:let me know|hope (?:this|that|it)|feel free|glad to|happy to help)\b/i;

/**
 * Reads one sentence without any sign of an answer: its last list, or its last number (in digits, else in words) that is
 * no aside as in `greater than 60`; with `asides` the first one all the same where all are.
 */
export function readLooseValue(sentence: string, form: ValueForm, asides: boolean): ValueRead | null {
  const text = plainEmphasis(plainMath(sentence.slice(-LONGEST_SENTENCE)));
  if (form.answerType === 'list') return readList(text);
  if (form.answerType === 'text' || CHATTER.test(text)) return null;
  // All of a response may be a formula: `|-3|`, `5!`.
  const isFormula = sentence.length <= SHORT_FORMULA && !/[a-z]{3} [a-z]/i.test(sentence);
  const formula = isFormula ? readConstant(sentence.replace(/^\W*\d+!+$/, '$&$'), text, form) : null;
  if (formula) return formula;
  const none = /\bthere (?:are|is|were|was) no\b/i.exec(text);
  const digits = notDenied(text, findQuantities(text)).filter(
    ({ value }, i, all) => !Number.isNaN(value) || isStated(text, all[i] as Quantity),
  );
  if (isBareRow(text, digits)) return null;
  const main = lastMain(text, withoutAsides(text, digits)) ?? lastMain(text, withoutAsides(text, loneWords(text)));
  if (main) return numberRead(text, main, form);
  if (none) return { extracted: none[0], normalised: '0', alternatives: [] };
  const aside = asides ? digits[0] : undefined;
  return aside ? numberRead(text, aside, form) : null;
}

/** True where a sentence has one number in digits that is not an aside: what it states is clear. */
export function hasOneValue(sentence: string): boolean {
  const text = plainMath(sentence.slice(-LONGEST_SENTENCE));
  return withoutAsides(text, findNumbers(text)).length === 1;
}

/** Several numbers and nothing else. */
export function isBareRow(text: string, numbers: readonly NumberRead[]): boolean {
  const isRow = /^(?:[\d\s,;.()-]|and|or|to|between|from|either)+$/i.test(text);
  return isRow && new Set(numbers.map(({ value }) => value)).size > 1;
}

function withoutAsides<N extends NumberRead>(text: string, numbers: readonly N[]): N[] {
  return numbers.filter(({ start }) => !ASIDE.test(text.slice(Math.max(0, start - 16), start)));
}

/** What stands before a number that a sentence states. */
const STATES =
  /(?:\b(?:is|are|was|were|be|equals?|costs?|totals?|gives?|gets?|makes?|takes?|has|have)|[=\u2248])\s{0,3}(?:(?:about|approximately|around|exactly|only|just|a total of|equal to)\s)?[$\u20ac\u00a3\u00a5]?$/i;

/** What follows a number that a sentence says to be made of others: `12 is the sum of 5 and 7`. */
const IS_MADE_OF =
  /^ (?:is|was|equals) (?:the )?(?:sum|product|difference|quotient|total|average|mean|median|result) (?:of|between|from) [^=;.]*\.?$/i;

function isStated(text: string, { start, end }: NumberRead): boolean {
  const isMade = text.length - end <= LONGEST_REMARK && IS_MADE_OF.test(text.slice(end));
  return isMade || STATES.test(text.slice(Math.max(0, start - 32), start));
}

/** What follows a first value and only tells more about it. */
const REMARK = /,? (?:with|where|which|while|compared to)\b/gi;
/** What follows a value that is stated and only tells more about it, up to three words on. */
const REMARK_ON_STATED =
  /^(?: ?[%\u00b0])?(?: [A-Za-z]+){0,3}?(?:,? (?:because|since|as|for|from|out of|of|i\.e\.|e\.g\.|that is|namely|including|such as|after|when|if|in each|by [a-z]+ing|is the [a-z]+ (?:of|between|from))(?![A-Za-z])|[:;]|,? \(|, \$?\d)/i;

/** `He paid $12 for 3 tickets`: what stands before the first number, and between the two. */
const SPENDS =
  /\b(?:pays?|paid|spends?|spent|needs?|needed|requires?|required|earns?|earned)\s(?:(?:about|approximately|around|exactly|only|just|a total of) )?[$\u20ac\u00a3\u00a5]?$/i;
const SPENT_ON = /^(?: [A-Za-z]+){0,3} (?:for|on) $/;

/** How far after a value its remark is looked at. UTF-16 units. */
const LONGEST_REMARK = 160;

/** What goes on from a value to another that is drawn from it: `$4 for each, so $12`. */
const GOES_ON = /(?:[,;]| and) (?:so|thus|therefore|hence|giving|making|which (?:gives|makes)|(?:for )?a total of)\b/i;

/** The last number before a remark such as `, with the older being 30` or `(5 cats and 3 dogs)`; of a range such as `40 to 50` its start. */
function lastMain<N extends NumberRead>(text: string, numbers: readonly N[]): N | undefined {
  const [first] = numbers;
  if (first === undefined) return undefined;
  REMARK.lastIndex = first.end;
  const remark = REMARK.exec(text);
  const kept = remark ? numbers.filter(({ end }) => end <= remark.index) : numbers;
  const isRemarkedOn = ({ end }: N): boolean => {
    const after = text.slice(end, end + LONGEST_REMARK);
    return REMARK_ON_STATED.test(after) && !GOES_ON.test(after);
  };
  const stated = kept.find((number) => isStated(text, number) && isRemarkedOn(number));
  if (stated) return stated;
  const [before, main] = [kept.at(-2), kept.at(-1)];
  if (!before || !main) return main;
  const gap = text.slice(before.end, main.start);
  const isSpent = SPENT_ON.test(gap) && SPENDS.test(text.slice(Math.max(0, before.start - 32), before.start));
  return isSpent || gap.endsWith(' to ') ? before : main;
}

/** Number words without a `one` among others, which is a pronoun more often than a number. */
function loneWords(text: string): NumberRead[] {
  const words = [...findNumberWords(text), ...findCjkNumbers(text)];
  return words.filter(({ value, start, end }) => value !== 1 || /^\W*$/.test(text.slice(0, start) + text.slice(end)));
}

/** A number as a value; an expression without a value stands for itself and equals no number. */
function numberRead(text: string, number: NumberRead, { answerType, precision, unit, question }: ValueForm): ValueRead {
  const extracted = text.slice(number.start, number.end);
  const { value, percent, scale } = number;
  if (!Number.isFinite(value)) return { extracted, normalised: extracted, alternatives: [] };
  const inScale = scale !== 1 && isAsked(extracted, `${unit ?? ''} ${question ?? ''}`);
  const others = [...(percent && answerType !== 'integer' ? [value / 100] : []), ...(inScale ? [value / scale] : [])];
  return {
    extracted,
    normalised: canonicalNumber(value, precision),
    alternatives: others.map((other) => canonicalNumber(other, precision)),
    exact: value,
  };
}

/** True where a question speaks of the scale in which a number is given, such as `million`. */
function isAsked(number: string, question: string): boolean {
  const word = /[a-z]+$/i.exec(number)?.[0].toLowerCase();
  return word !== undefined && question.toLowerCase().includes(word);
}

/** The last `[...]` of the text; items are compared in order, as numbers where they are numbers. */
function readList(text: string): ValueRead | null {
  const close = text.lastIndexOf(']');
  const open = text.lastIndexOf('[', close);
  return close < 0 || open < 0 ? null : listRead(text.slice(open, close + 1), text.slice(open + 1, close));
}

/** `(1, 2)`, `1, 2` or `1 and 2` where that is all of the text. */
function readBareList(text: string): ValueRead | null {
  const inside = /^[({]?([^()[\]{}.;:]{0,400}(?:\.\d[^()[\]{}.;:]{0,400}){0,64})[)}]?\.?$/.exec(text)?.[1];
  return inside && /\d,? ?(?:,|and) ?-?\d/.test(inside) ? listRead(text, inside.replace(/,? and /g, ', ')) : null;
}

function listRead(extracted: string, inside: string): ValueRead {
  return { extracted, normalised: `[${inside.split(',').map(canonicalItem).join(', ')}]`, alternatives: [] };
}

function canonicalItem(item: string): string {
  const text = plainText(item);
  const numbers = findNumbers(text);
  const only = numbers[0];
  return numbers.length === 1 && only && only.start === 0 && only.end === text.length
    ? canonicalNumber(only.value)
    : text;
}

/** A comma after which a text goes on to say more; after any other the next item of a list follows. */
const CLAUSE =
  /(?<=[^\d]),\s(?=(?:as|because|since|so|not|it|which|who|where|while|with|but|and|for|in|on|at|due|based|then|that|this|they|he|she|there|the|according)\b|(?:[^\s,]+\s){3})|;|\.\s+(?=[A-Z])/;
const YES_OR_NO = /^(?:yes|no|true|false)(?=,)/i;

/** A text answer up to the end of its clause; a text that is one number is read as that number. */
function readText(text: string): ValueRead | null {
  const clause = plainText(YES_OR_NO.exec(text)?.[0] ?? (text.split(CLAUSE, 1)[0] as string));
  if (clause === '') return null;
  const words = findNumberWords(clause)[0];
  const number =
    words && words.start === 0 && words.end === clause.length ? canonicalNumber(words.value) : canonicalItem(clause);
  return { extracted: clause, normalised: number, alternatives: [plainText(text)] };
}
