// Reads the final answer of a response as a mathematical object: number, expression, list, set, interval, equation,
// word.
import { ChoiceReader } from './choice.js';
import { sentencesFromEnd, statedAnswers } from './extract.js';
import { sameMath } from './math/compare.js';
import { constant, evaluate } from './math/evaluate.js';
import { isScalar, type Node } from './math/node.js';
import { parseMath } from './math/parse.js';
import { canonicalNumber, findNumbers, numberInWords } from './number.js';
import { plainText } from './text.js';
import { isBareRow, notDenied } from './value.js';

/** A mathematical answer; `node` is null where only its words could be read. */
export interface ExpressionRead {
  readonly extracted: string;
  readonly normalised: string;
  readonly node: Node | null;
  readonly how: string;
}

/** Longest text without any sign of an answer that is read as the answer itself. UTF-16 units. */
const SHORT_TEXT = 400;

/** Reads the final answer of a response whose gold answer is mathematical; null where there is none. */
export function readExpression(response: string): ExpressionRead | null {
  const text = singleBackslashes(response);
  for (const { text: piece, how, isMark } of statedAnswers(text, false)) {
    if (piece === '') return null;
    if (isMark) return readFormula(piece, how);
    const said = readStatement(piece, how);
    if (said) return said;
  }
  if (text.length > SHORT_TEXT) return lastStated(text);
  const whole = readWhole(text, 'the whole text');
  if (whole) return whole;
  // What the last sentence says that something is or equals, where that is mathematics and nothing else.
  const [sentence = ''] = sentencesFromEnd(text);
  const verb = /^[^\d$\\]{0,120}\b(?:is|are|equals?) (?=[^$]{1,200}$)/.exec(sentence);
  return (verb && readWhole(sentence.slice(verb[0].length), 'the last sentence')) ?? lastStated(text);
}

/** The gold answer: all of it where it is mathematics, else what it states. */
export function readGold(gold: string): ExpressionRead {
  const how = 'the gold answer';
  return readWhole(singleBackslashes(gold), how) ?? readExpression(gold) ?? readFormula(gold, how);
}

/** The words of a gold answer that is not mathematical, such as `no solution`; null where it is. */
export function goldWords({ node, extracted }: ExpressionRead): string | null {
  if (node?.kind === 'text') return plainText(node.text);
  return /^[A-Za-z][A-Za-z ]+$/.test(extracted) ? plainText(extracted) : null;
}

/** The letter of a gold answer that is nothing but one; null where it is more. */
export function goldLetter(gold: string): string | null {
  const text = gold.replace(/[$\s]/g, '');
  const dressed = /^\\(?:text|textbf|mathrm|mathbf)\{\(?([A-H])\)?\}/.exec(text);
  return (dressed ?? /^(?:\\(?:text|textbf|mathrm)\{)?\(?([A-H])\)?\}?$/.exec(text))?.[1] ?? null;
}

/** A letter, for a gold answer that is nothing but one; such answers come from questions whose choices are not given. */
export function readLetter(response: string): ExpressionRead | null {
  const choices = Array.from({ length: 8 }, () => '');
  for (const { text, how } of statedAnswers(response, true)) {
    const choice = new ChoiceReader(text, choices).stated();
    if (choice?.letter) return { extracted: choice.extracted, normalised: choice.letter, node: null, how };
  }
  // A letter right before Chinese words or signs, where there is no space.
  const first = /^([A-H])(?=[\u3000-\u9fff\uff00-\uffef])/.exec(response)?.[1];
  if (first) return { extracted: first, normalised: first, node: null, how: 'the first letter' };
  const loose = new ChoiceReader(response, choices).loose();
  return loose?.letter
    ? { extracted: loose.extracted, normalised: loose.letter, node: null, how: 'the last letter' }
    : null;
}

/** A unit after a number that reads like an unknown. */
const UNIT =
  /(?<=[\d})]) ?\\?[ ,;]?(?:[kMGmcn]?(?:[NJWVTFHCKA]|Hz|Pa|eV|mol|L)|[kcm]?m|k?g|m?s)(?:\/[a-z]{1,3})?[.$]{0,2}$/;

/** True where two answers are the same. */
export function sameExpression(gold: ExpressionRead, answer: ExpressionRead): boolean {
  if (gold.normalised !== '' && gold.normalised === answer.normalised) return true;
  if (gold.node && answer.node && sameMath(gold.node, answer.node)) return true;
  if (gold.node && constant(gold.node) !== null && UNIT.test(answer.extracted)) {
    const bare = parseMath(tidy(withoutStop(answer.extracted).replace(UNIT, '')));
    if (bare && sameMath(gold.node, bare)) return true;
  }
  // `1000,99` may be a decimal number as well as a list.
  const [goldValue = null, answerValue = null] = [gold, answer].map(({ extracted }) => {
    const plain = extracted.replace(/[$\s]/g, '');
    return /^-?\d{1,30},\d{1,30}$/.test(plain) ? parseMath(plain.replace(',', '.')) : null;
  });
  if (goldValue === null && answerValue === null) return false;
  const [a, b] = [goldValue ?? gold.node, answerValue ?? answer.node];
  return a !== null && b !== null && sameMath(a, b);
}

/** A piece that is known to be the answer. */
export function readFormula(piece: string, how: string): ExpressionRead {
  const text = piece.trim();
  const node = parseMath(tidy(text));
  return { extracted: text, normalised: canonical(text, node), node, how };
}

/** What all of the text says; null where it is more than mathematics. */
function readWhole(text: string, how: string): ExpressionRead | null {
  const tidied = tidy(text);
  const value = /^[A-Za-z][A-Za-z -]{2,120}$/.test(tidied) ? numberInWords(plainText(tidied)) : null;
  const node: Node | null = value === null ? parseMath(tidied) : { kind: 'number', value };
  if (node === null || (node.kind === 'text' && node.text.includes(' '))) return null;
  // Words that parse.ts dropped as units are prose where there are several.
  const bare = tidied.replace(/\\text\{[^}]*\}|\\[A-Za-z]+/g, '');
  const isProse = /[A-Za-z]{2,} [A-Za-z]{2,} [A-Za-z]{2,} [A-Za-z]{2,}|[a-z]{2,}: ?[$\\]/.test(bare);
  if (node.kind !== 'text' && isProse) return null;
  return { extracted: text.trim(), normalised: canonical(text, node), node, how };
}

/** Without the stop of its sentence, and in the one spelling of numbers that parse.ts reads. */
function tidy(text: string): string {
  return (
    withoutStop(text)
      .replace(/\*\*/g, '')
      .replace(/^(\d{1,15}) to (?=\d{1,15}$)/, '$1:')
      .replace(/(?<=\d )per cent\b/g, 'percent')
      .replace(/\\(?:left|right) ?\./g, '')
      .replace(/\\(?:left ?\\)?\{\s*(?=\\begin)/g, '')
      // Decimal commas, and groups of digits by spaces and commas.
      .replace(
        /(?<![\d.,])(\d{1,3}(?:\.\d{3})+),(\d{1,15})(?![\d.,])/g,
        (_, whole, rest) => `${whole.replaceAll('.', '')}.${rest}`,
      )
      .replace(/(?<=\d)[ '](?=\d{3}(?!\d))/g, '')
      .replace(/(?<=\d) ?\{ ?, ?\} ?(?=\d{3}(?!\d))/g, '')
      .replace(/(?<=\d)(?:\\?,\\[!;]|\\[ ,;:!]|~) ?(?=\d{3}(?!\d))/g, '')
      // `0.1\overline{6}` as a sum of fractions.
      .replace(
        /(\d{0,15})\.(\d{0,15})\\overline\{(\d{1,12})\}/g,
        (_, whole, fixed, period) =>
          `(${whole || '0'}.${fixed || '0'}+${period}/${'9'.repeat(period.length)}${'0'.repeat(fixed.length)})`,
      )
  );
}

/** Without the full stop or comma of the sentence, which may stand before a closing `$`. */
function withoutStop(text: string): string {
  let end = text.length;
  while (end > 0 && '.,;:$ \n\r\t'.includes(text[end - 1] as string)) end--;
  return text.slice(0, end).trim();
}

/** Text of a literal in which every backslash was doubled, or in which line ends were left as `\n`. */
function singleBackslashes(written: string): string {
  const text = written.replace(/\\n(?![A-Za-z])/g, '\n');
  const doubled = /\\\\(?:boxed|frac|sqrt|left|text|pi|le|ge|in|cup)\b/.test(text);
  return doubled && !/(?<!\\)\\(?:boxed|frac|sqrt|left|text|begin)\b/.test(text) ? text.replaceAll('\\\\', '\\') : text;
}

/**
 * What follows `The answer is`: a formula at its start, mathematics as a whole, what follows `is`, its first formula or
 * number, else its words.
 */
function readStatement(tail: string, how: string): ExpressionRead | null {
  const [opening] = formulas(tail);
  if (opening && opening.start === 0) return readFormula(opening.text, how);
  const sentence = tail.split(/\.(?:\s|$)/, 1)[0] as string;
  const clause = sentence.replace(/\bor (?:maybe|perhaps|possibly|probably|even) /g, 'or ');
  const after = /^[\s\S]*\b(?:is|are|be|equals)\b/.exec(clause);
  const rest = clause.slice(after?.[0].length ?? 0);
  const whole = readWhole(clause, how) ?? (after && readWhole(rest, how));
  if (whole) return whole;
  const [formula] = formulas(rest);
  if (formula) return readFormula(formula.text, how);
  const [number] = notDenied(rest, findNumbers(rest));
  if (number) return readFormula(rest.slice(number.start, number.end), how);
  const plain = plainText(clause);
  return plain === '' ? null : { extracted: clause, normalised: plain, node: null, how };
}

/** The last formula or the last number in digits, whichever ends later. */
function lastStated(text: string): ExpressionRead | null {
  const formula = [...formulas(text)].at(-1);
  const numbers = notDenied(text, findNumbers(text));
  const number = numbers.at(-1);
  if (isBareRow(text, numbers)) return null;
  if (number && number.start >= (formula?.end ?? 0))
    return readFormula(text.slice(number.start, number.end), 'the last number');
  return formula ? readFormula(formula.text, 'the last formula') : null;
}

/** Formulas between delimiters, in order. */
function* formulas(text: string): Generator<{ text: string; start: number; end: number }> {
  const opening = /(?<!\\)\$\$?|\\[([]/g;
  for (let open = opening.exec(text); open !== null; open = opening.exec(text)) {
    const close = { '\\(': '\\)', '\\[': '\\]' }[open[0]] ?? open[0];
    const end = text.indexOf(close, opening.lastIndex);
    if (end < 0) return;
    const inside = text.slice(opening.lastIndex, end).trim();
    opening.lastIndex = end + close.length;
    if (inside !== '') yield { text: inside, start: open.index, end: opening.lastIndex };
  }
}

/** A number for a constant, else the text without spaces and dressing: what votes are counted by. */
function canonical(text: string, node: Node | null): string {
  if (node && isScalar(node) && node.kind !== 'percent') {
    const [x, y] = [evaluate(node, 0), evaluate(node, 1)];
    if (x.im === 0 && x.re === y.re && Number.isFinite(x.re)) return canonicalNumber(x.re);
  }
  return text
    .replace(/\\(?:left|right|displaystyle|boxed|text|mathrm|mathbf|,|;|!|:)(?![A-Za-z])/g, '')
    .replace(/\\[dt]frac/g, '\\frac')
    .replace(/[\s$]/g, '')
    .replace(/^\{(.*)\}$/, '$1')
    .replace(/\.$/, '');
}
