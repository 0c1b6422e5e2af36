// Reads a piece of text as the value that a free-form question asks for: number, list or plain text.
import type { AnswerType, Problem } from '../../core/types.js';
import { constantIn, findQuantities, type Quantity } from './arithmetic.js';
import { plainMath } from './latex.js';
import {
  canonicalNumber,
  findCjkNumbers,
  findNumbers,
  findNumberWords,
  type NumberRead,
  numberInWords,
} from './number.js';
import { plainText, textBefore } from './text.js';

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

/** What kind of value is asked for. Unit and question say whether `2 million` may be called 2. */
export interface ValueForm extends Pick<Problem, 'precision' | 'unit'> {
  /** One of the four kinds of MathVista, or any mathematical object. */
  readonly answerType: AnswerType | 'expression';
  /** Helps as well to find the sentence that answers it where a response gives no other sign. */
  readonly question?: string;
}

/** Longest parts of a text that are looked at. A longer piece states no value; of a longer sentence the end is read. UTF-16 units. */
const LONGEST = { piece: 8192, formula: 64, sentence: 2048, remark: 160 };

const PATTERNS = {
  /** Mathematics that is read as a whole or not at all. */
  formula:
    /\\(?:sqrt|log|ln|lg|binom|sin|cos|tan|cot|exp|lfloor|lceil|pi)(?![A-Za-z])|\||\d!+[\s.]{0,3}\$|^[\s$]{0,3}(?:e|\u03c0|pi)[\s$.]{0,3}$/,
  /** Politeness after the answer; numbers in it are none. */
  chatter: /\b(?:let me know|hope (?:this|that|it)|feel free|glad to|happy to help)\b/i,
  /** A comma after which a text goes on to say more; after any other the next item of a list follows. */
  clause:
    /(?<=[^\d]),\s(?=(?:as|because|since|so|not|it|which|who|where|while|with|but|and|for|in|on|at|due|based|then|that|this|they|he|she|there|the|according)\b|(?:[^\s,]+\s){3})|;|\.\s+(?=[A-Z])/,
};

/** What stands between two numbers, from the end of one to the start of the other. */
const BETWEEN = {
  /** Makes them an enumeration or a range rather than a value and what follows it. */
  several:
    /^ ?(?:[A-Za-z%]{1,16} )?(?:[,;&/]|,? ?(?:or|and|to)(?: (?:maybe|perhaps|possibly|probably|even)){0,2}) ?(?:[a-z] ?= ?)?\$?$/i,
  /** An equals sign: what follows is what the first number comes to. */
  comesTo: /^[^,.;=]{0,24}=[^=\d]{0,16}$/,
  /** `He paid $12 for 3 tickets`. */
  spentOn: /^(?: [A-Za-z]+){0,3} (?:for|on) $/,
};

/** What stands right before a number. */
const BEFORE = {
  /** One that is denied: `not 12`, but not `not only 12`. */
  denied: /\b(?:not|isn't|never|rather than|instead of)(?! only) (?:[a-z]+ )?\$?$/i,
  /** One of which nothing but a bound is said: `at most 9`, `it is more than 9`. */
  bound:
    /^\W*(?:(?:it|that|this|there) (?:is|are) )?(?:about )?(?:(?:no|not|any|a little|slightly|anything) )?(?:(?:more|less|fewer|greater|larger|smaller|higher|lower) than|at (?:least|most)|over|under|above|below|up to|exceeding) ?\W?$/i,
  /** A bound, a time or a total of the question rather than its answer. */
  aside:
    /\b(?:than|below|above|under|over|exceeding|least|most|after|before|since|until|in|at|per|every|with|out of|of (?:the|these|those|all))\s{1,3}\$?$|\(\$?$/i,
  /** One that a sentence states. */
  stated:
    /(?:\b(?:is|are|was|were|be|equals?|costs?|totals?|gives?|gets?|makes?|takes?|has|have)|[=\u2248])\s{0,3}(?:(?:about|approximately|around|exactly|only|just|a total of|equal to)\s)?[$\u20ac\u00a3\u00a5]?$/i,
  spent:
    /\b(?:pays?|paid|spends?|spent|needs?|needed|requires?|required|earns?|earned)\s(?:(?:about|approximately|around|exactly|only|just|a total of) )?[$\u20ac\u00a3\u00a5]?$/i,
};

/** What follows a value and only tells more about it. */
const AFTER = {
  /** A sentence that says it to be made of others: `12 is the sum of 5 and 7`. */
  madeOf:
    /^ (?:is|was|equals) (?:the )?(?:sum|product|difference|quotient|total|average|mean|median|result) (?:of|between|from) [^=;.]*\.?$/i,
  first: /,? (?:with|where|which|while|compared to)\b/gi,
  /** Of one that is stated, up to three words on. */
  stated:
    /^(?: ?[%\u00b0])?(?: [A-Za-z]+){0,3}?(?:,? (?:because|since|as|for|from|out of|of|i\.e\.|e\.g\.|that is|namely|including|such as|after|when|if|in each|by [a-z]+ing|is the [a-z]+ (?:of|between|from))(?![A-Za-z])|[:;]|,? \(|, \$?\d)/i,
  /** Goes on to another value that is drawn from it: `$4 for each, so $12`. */
  goesOn: /(?:[,;]| and) (?:so|thus|therefore|hence|giving|making|which (?:gives|makes)|(?:for )?a total of)\b/i,
};

/** Without LaTeX, and without underscores that dress a word or number, as in `_72_`. */
function plain(text: string): string {
  const bare = plainMath(text);
  return (bare.includes('_') ? bare.replace(/_(?<![A-Za-z0-9]_)|_(?![A-Za-z0-9])/g, '') : bare).trim();
}

/** Reads texts as values of one form. */
export class ValueReader {
  readonly #form: ValueForm;

  constructor(form: ValueForm) {
    this.#form = form;
  }

  /**
   * Reads a piece that states an answer; null where it holds no value of that this.#form.
   * @param isMark true for what stands in a box or after `####`
   */
  stated(piece: string, isMark = false): ValueRead | null {
    const text = piece.length > LONGEST.piece ? '' : plain(piece);
    if (text === '') return null;
    if (this.#form.answerType === 'list') {
      // `(1, 2)`, `1, 2` or `1 and 2` where that is all of the text.
      const inside = /^[({]?([^()[\]{}.;:]{0,400}(?:\.\d[^()[\]{}.;:]{0,400}){0,64})[)}]?\.?$/.exec(text)?.[1] ?? '';
      const bare = /\d,? ?(?:,|and) ?-?\d/.test(inside) ? listRead(text, inside.replace(/,? and /g, ', ')) : null;
      return readList(text) ?? bare;
    }
    if (this.#form.answerType === 'text') return readText(text);
    // In a box an exclamation mark at the end is a factorial.
    return this.#constant(piece, text) ?? this.#firstNumber(isMark && text.endsWith('!') ? `${text}.` : text);
  }

  /**
   * Reads one sentence without any sign of an answer: its last list, or its last number (in digits, else in words) that is
   * no aside as in `greater than 60`; with `asides` the first one all the same where all are.
   */
  loose(sentence: string, asides: boolean): ValueRead | null {
    const text = plain(sentence.slice(-LONGEST.sentence));
    if (this.#form.answerType === 'list') return readList(text);
    if (this.#form.answerType === 'text' || PATTERNS.chatter.test(text)) return null;
    // All of a response may be a formula: `|-3|`, `5!`.
    const isFormula = sentence.length <= LONGEST.formula && !/[a-z]{3} [a-z]/i.test(sentence);
    const formula = isFormula ? this.#constant(sentence.replace(/^\W*\d+!+$/, '$&$'), text) : null;
    if (formula) return formula;
    const none = /\bthere (?:are|is|were|was) no\b/i.exec(text);
    const digits = notDenied(text, findQuantities(text)).filter(
      (number) => !Number.isNaN(number.value) || isStated(text, number),
    );
    if (isBareRow(text, digits)) return null;
    const main = lastMain(text, withoutAsides(text, digits)) ?? lastMain(text, withoutAsides(text, loneWords(text)));
    if (main) return this.#number(text, main);
    if (none) return { extracted: none[0], normalised: '0', alternatives: [] };
    const aside = asides ? digits[0] : undefined;
    return aside ? this.#number(text, aside) : null;
  }

  /** A piece that is one formula; `text` is the same without LaTeX. */
  #constant(piece: string, text: string): ValueRead | null {
    const value = PATTERNS.formula.test(piece) ? constantIn(piece.replace(/^\s*\$|[.$\s]+$/g, '')) : Number.NaN;
    if (Number.isNaN(value)) return null;
    return this.#number(text, { value, percent: false, scale: 1, start: 0, end: text.length });
  }

  /** The first number, in digits or words, or what it comes to; several numbers at once do not count as one. */
  #firstNumber(piece: string): ValueRead | null {
    // `1,5` and `1.234,56` as the only number of a text are decimals.
    const text = piece
      .replace(/\s+/g, ' ')
      .replace(
        /^(\D{0,64})(\d+(?:\.\d{3})*),(\d{1,2}|\d{4,15})((?:[^\d,][^\d]*)?)$/,
        (_, before, whole, decimals, after) => `${before}${whole.replaceAll('.', '')}.${decimals}${after}`,
      );
    const numbers = notDenied(text, findQuantities(text));
    const word = notDenied(text, findNumberWords(text))[0] ?? findCjkNumbers(text)[0];
    const [first] = numbers;
    if (word && (!first || (word.start === 0 && first.start > 0 && !/^one of\b/i.test(text))))
      return this.#number(text, word);
    if (!first) return null;
    let at = 0;
    const gap = (i: number): string => text.slice(numbers[i]?.end, numbers[i + 1]?.start);
    while (at + 1 < numbers.length && BETWEEN.comesTo.test(gap(at))) at++;
    let last = at;
    while (last + 1 < numbers.length && BETWEEN.several.test(gap(last))) last++;
    const several = numbers.slice(at, last + 1);
    const main = several[0] as Quantity;
    if (several.every(({ value }) => value === main.value)) return this.#number(text, main);
    const whole = text.slice(main.start, several.at(-1)?.end);
    return { extracted: whole, normalised: whole, alternatives: [] };
  }

  /** A number as a value; an expression without a value stands for itself and equals no number. */
  #number(text: string, number: NumberRead): ValueRead {
    const { answerType, precision, unit, question } = this.#form;
    const extracted = text.slice(number.start, number.end);
    const { value, percent, scale } = number;
    if (!Number.isFinite(value)) return { extracted, normalised: extracted, alternatives: [] };
    // A question may speak of the scale in which the number is given, such as `million`.
    const word = /[a-z]+$/i.exec(extracted)?.[0].toLowerCase();
    const inScale = scale !== 1 && word !== undefined && `${unit ?? ''} ${question ?? ''}`.toLowerCase().includes(word);
    const others = [...(percent && answerType !== 'integer' ? [value / 100] : []), ...(inScale ? [value / scale] : [])];
    return {
      extracted,
      normalised: canonicalNumber(value, precision),
      alternatives: others.map((other) => canonicalNumber(other, precision)),
      exact: value,
    };
  }
}

/** Without numbers that are denied or merely bounds. */
export function notDenied<N extends NumberRead>(text: string, numbers: readonly N[]): readonly N[] {
  return numbers.filter(
    ({ start }) =>
      !BEFORE.denied.test(textBefore(text, start, 24)) && (start > 40 || !BEFORE.bound.test(text.slice(0, start))),
  );
}

/** True where a sentence has one number in digits that is not an aside: what it states is clear. */
export function hasOneValue(sentence: string): boolean {
  const text = plainMath(sentence.slice(-LONGEST.sentence));
  return withoutAsides(text, findNumbers(text)).length === 1;
}

/** Several numbers and nothing else. */
export function isBareRow(text: string, numbers: readonly NumberRead[]): boolean {
  const isRow = /^(?:[\d\s,;.()-]|and|or|to|between|from|either)+$/i.test(text);
  return isRow && new Set(numbers.map(({ value }) => value)).size > 1;
}

function withoutAsides<N extends NumberRead>(text: string, numbers: readonly N[]): N[] {
  return numbers.filter(({ start }) => !BEFORE.aside.test(textBefore(text, start, 16)));
}

function isStated(text: string, { start, end }: NumberRead): boolean {
  const isMade = text.length - end <= LONGEST.remark && AFTER.madeOf.test(text.slice(end));
  return isMade || BEFORE.stated.test(textBefore(text, start, 32));
}

/** The last number before a remark such as `, with the older being 30` or `(5 cats and 3 dogs)`; of a range such as `40 to 50` its start. */
function lastMain<N extends NumberRead>(text: string, numbers: readonly N[]): N | undefined {
  const [first] = numbers;
  if (first === undefined) return undefined;
  AFTER.first.lastIndex = first.end;
  const remark = AFTER.first.exec(text);
  const kept = remark ? numbers.filter(({ end }) => end <= remark.index) : numbers;
  const stated = kept.find((number) => {
    const after = text.slice(number.end, number.end + LONGEST.remark);
    return isStated(text, number) && AFTER.stated.test(after) && !AFTER.goesOn.test(after);
  });
  if (stated) return stated;
  const [before, main] = [kept.at(-2), kept.at(-1)];
  if (!before || !main) return main;
  const gap = text.slice(before.end, main.start);
  const isSpent = BETWEEN.spentOn.test(gap) && BEFORE.spent.test(textBefore(text, before.start, 32));
  return isSpent || gap.endsWith(' to ') ? before : main;
}

/** Number words without a `one` among others, which is a pronoun more often than a number. */
function loneWords(text: string): NumberRead[] {
  const words = [...findNumberWords(text), ...findCjkNumbers(text)];
  return words.filter(({ value, start, end }) => value !== 1 || /^\W*$/.test(text.slice(0, start) + text.slice(end)));
}

/** The last `[...]` of the text; items are compared in order, as numbers where they are numbers. */
function readList(text: string): ValueRead | null {
  const close = text.lastIndexOf(']');
  const open = text.lastIndexOf('[', close);
  return close < 0 || open < 0 ? null : listRead(text.slice(open, close + 1), text.slice(open + 1, close));
}

function listRead(extracted: string, inside: string): ValueRead {
  return { extracted, normalised: `[${inside.split(',').map(canonicalItem).join(', ')}]`, alternatives: [] };
}

function canonicalItem(item: string): string {
  const text = plainText(item);
  const [only, ...others] = findNumbers(text);
  const isNumber = only && others.length === 0 && only.start === 0 && only.end === text.length;
  return isNumber ? canonicalNumber(only.value) : text;
}

/** A text answer up to the end of its clause; a text that is one number is read as that number. */
function readText(text: string): ValueRead | null {
  const yesOrNo = /^(?:yes|no|true|false)(?=,)/i.exec(text)?.[0];
  const clause = plainText(yesOrNo ?? (text.split(PATTERNS.clause, 1)[0] as string));
  if (clause === '') return null;
  const number = numberInWords(clause);
  const normalised = number === null ? canonicalItem(clause) : canonicalNumber(number);
  return { extracted: clause, normalised, alternatives: [plainText(text)] };
}
