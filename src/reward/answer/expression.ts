// Reads the final answer of a response as a mathematical object: number, expression, list, set, interval, equation,
// word.
import { readLooseChoice, readStatedChoice } from './choice.js';
import { sentencesFromEnd, statedAnswers } from './extract.js';
import { sameMath } from './math/compare.js';
import { constant, evaluate } from './math/evaluate.js';
import { isScalar, type Node } from './math/node.js';
import { parseMath } from './math/parse.js';
import { canonicalNumber, findNumbers, findNumberWords } from './number.js';
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

/** Letters that an answer may be without choices being given. */
const UNNAMED_CHOICES = Array.from({ length: 8 }, () => '');

/** Reads the final answer of a response whose gold answer is mathematical; null where there is none. */
export function readExpression(response: string): ExpressionRead | null {
  const text = singleBackslashes(response);
  for (const { text: piece, how, isMark } of statedAnswers(text, false)) {
    if (piece === '') return null;
    if (isMark) return readFormula(piece, how);
    const said = readStatement(piece, how);
    if (said) return said;
  }
  const whole = text.length <= SHORT_TEXT ? (readWhole(text) ?? readLastSentence(text)) : null;
  return whole ?? lastStated(text);
}

/** What the last sentence says that something is or equals, where that is mathematics and nothing else. */
function readLastSentence(text: string): ExpressionRead | null {
  const [sentence = ''] = sentencesFromEnd(text);
  const verb = /^[^\d$\\]{0,120}\b(?:is|are|equals?) (?=[^$]{1,200}$)/.exec(sentence);
  const read = verb && readWhole(sentence.slice(verb[0].length));
  return read && { ...read, how: 'the last sentence' };
}

/** The gold answer: all of it where it is mathematics, else what it states. */
export function readGold(gold: string): ExpressionRead {
  const text = singleBackslashes(gold);
  return readWhole(text) ?? readExpression(gold) ?? readFormula(gold, 'the gold answer');
}

/** The words of a gold answer that is not mathematical, such as `no solution`; null where it is. */
export function goldWords({ node, extracted }: ExpressionRead): string | null {
  if (node?.kind === 'text') return plainText(node.text);
  return /^[A-Za-z][A-Za-z ]+$/.test(extracted) ? plainText(extracted) : null;
}

/** The letter of a gold answer that is nothing but one; null where it is more. */
export function goldLetter(gold: string): string | null {
  const bold = /^\\(?:text|textbf|mathrm|mathbf)\{\(?([A-H])\)?\}/.exec(gold.replace(/[$\s]/g, ''))?.[1];
  if (bold) return bold;
  return /^(?:\\(?:text|textbf|mathrm)\{)?\(?([A-H])\)?\}?$/.exec(gold.replace(/[$\s]/g, ''))?.[1] ?? null;
}

/** A letter, for a gold answer that is nothing but one; such answers come from questions whose choices are not given. */
export function readLetter(response: string): ExpressionRead | null {
  for (const { text, how } of statedAnswers(response, true)) {
    const choice = readStatedChoice(text, UNNAMED_CHOICES);
    if (choice?.letter) return { extracted: choice.extracted, normalised: choice.letter, node: null, how };
  }
  // A letter right before Chinese words or signs, where there is no space.
  const first = /^([A-H])(?=[\u3000-\u9fff\uff00-\uffef])/.exec(response)?.[1];
  if (first) return { extracted: first, normalised: first, node: null, how: 'the first letter' };
  const loose = readLooseChoice(response, UNNAMED_CHOICES);
  return loose?.letter
    ? { extracted: loose.extracted, normalised: loose.letter, node: null, how: 'the last letter' }
    : null;
}

/** True where two answers are the same. */
export function sameExpression(gold: ExpressionRead, answer: ExpressionRead): boolean {
  if (gold.normalised !== '' && gold.normalised === answer.normalised) return true;
  if (gold.node && answer.node && sameMath(gold.node, answer.node)) return true;
  if (gold.node && constant(gold.node) !== null && UNIT.test(answer.extracted)) {
    const bare = parseMath(tidy(withoutStop(answer.extracted).replace(UNIT, '')));
    if (bare && sameMath(gold.node, bare)) return true;
  }
  const [goldValue, answerValue] = [decimalComma(gold.extracted), decimalComma(answer.extracted)];
  if (goldValue === null && answerValue === null) return false;
  const [a, b] = [goldValue ?? gold.node, answerValue ?? answer.node];
  return a !== null && b !== null && sameMath(a, b);
}

/** A unit after a number that reads like an unknown. */
const UNIT =
  /(?<=[\d})]) ?\\?[ ,;]?(?:[kMGmcn]?(?:[NJWVTFHCKA]|Hz|Pa|eV|mol|L)|[kcm]?m|k?g|m?s)(?:\/[a-z]{1,3})?[.$]{0,2}$/;

/** `1000,99` may be a decimal number as well as a list. */
function decimalComma(text: string): Node | null {
  const plain = text.replace(/[$\s]/g, '');
  return /^-?\d{1,30},\d{1,30}$/.test(plain) ? parseMath(plain.replace(',', '.')) : null;
}

/** A piece that is known to be the answer. */
export function readFormula(piece: string, how: string): ExpressionRead {
  const text = piece.trim();
  const node = parseMath(tidy(text));
  return { extracted: text, normalised: canonical(text, node), node, how };
}

/** What all of the text says; null where it is more than mathematics. */
function readWhole(text: string): ExpressionRead | null {
  const tidied = tidy(text);
  const node = numberInWords(tidied) ?? parseMath(tidied);
  if (node === null || holdsWords(node, tidied)) return null;
  return { extracted: text.trim(), normalised: canonical(text, node), node, how: 'the whole text' };
}

function numberInWords(text: string): Node | null {
  if (!/^[A-Za-z][A-Za-z -]{2,120}$/.test(text)) return null;
  const plain = plainText(text);
  const words = findNumberWords(plain)[0];
  return words && words.start === 0 && words.end === plain.length ? { kind: 'number', value: words.value } : null;
}

/** Words that parse.ts dropped as units are prose where there are several. */
function holdsWords(node: Node, text: string): boolean {
  if (node.kind === 'text') return node.text.includes(' ');
  return /[A-Za-z]{2,} [A-Za-z]{2,} [A-Za-z]{2,} [A-Za-z]{2,}|[a-z]{2,}: ?[$\\]/.test(
    text.replace(/\\text\{[^}]*\}|\\[A-Za-z]+/g, ''),
  );
}

/** Full stop and groups of digits by spaces. */
function tidy(text: string): string {
  return withoutStop(text)
    .replace(/\*\*/g, '')
    .replace(/^(\d{1,15}) to (?=\d{1,15}$)/, '$1:')
    .replace(/(?<=\d )per cent\b/g, 'percent')
    .replace(/\\(?:left|right) ?\./g, '')
    .replace(/\\(?:left ?\\)?\{\s*(?=\\begin)/g, '')
    .replace(
      /(?<![\d.,])(\d{1,3}(?:\.\d{3})+),(\d{1,15})(?![\d.,])/g,
      (_, whole, rest) => `${whole.replaceAll('.', '')}.${rest}`,
    )
    .replace(/(?<=\d)[ '](?=\d{3}(?!\d))/g, '')
    .replace(/(?<=\d) ?\{ ?, ?\} ?(?=\d{3}(?!\d))/g, '')
    .replace(/(?<=\d)(?:\\?,\\[!;]|\\[ ,;:!]|~) ?(?=\d{3}(?!\d))/g, '')
    .replace(/(\d{0,15})\.(\d{0,15})\\overline\{(\d{1,12})\}/g, (_, whole, fixed, period) =>
      repeating(whole, fixed, period),
    );
}

/** Without the full stop or comma of the sentence, which may stand before a closing `$`. */
function withoutStop(text: string): string {
  let end = text.length;
  while (end > 0 && '.,;:$ \n\r\t'.includes(text[end - 1] as string)) end--;
  return text.slice(0, end).trim();
}

/** `0.1\overline{6}` as a sum of fractions. */
function repeating(whole: string, fixed: string, period: string): string {
  const below = `${'9'.repeat(period.length)}${'0'.repeat(fixed.length)}`;
  return `(${whole === '' ? '0' : whole}.${fixed === '' ? '0' : fixed}+${period}/${below})`;
}

/** Text of a literal in which every backslash was doubled, or in which line ends were left as `\n`. */
function singleBackslashes(written: string): string {
  const text = written.replace(/\\n(?![A-Za-z])/g, '\n');
  const doubled = /\\\\(?:boxed|frac|sqrt|left|text|pi|le|ge|in|cup)\b/.test(text);
  return doubled && !/(?<!\\)\\(?:boxed|frac|sqrt|left|text|begin)\b/.test(text) ? text.replaceAll('\\\\', '\\') : text;
}

/** What follows `The answer is`: a formula at its start, mathematics as a whole, what follows `is`, its last formula or number. */
function readStatement(tail: string, how: string): ExpressionRead | null {
  const opening = segments(tail, 1)[0];
  if (opening && opening.start === 0) return readFormula(opening.text, how);
  const sentence = tail.split(/\.(?:\s|$)/, 1)[0] as string;
  const clause = sentence.replace(/\bor (?:maybe|perhaps|possibly|probably|even) /g, 'or ');
  const whole = readWhole(clause);
  if (whole) return { ...whole, how };
  const after = /^[\s\S]*\b(?:is|are|be|equals)\b/.exec(clause);
  const rest = after && readWhole(clause.slice(after[0].length));
  return (rest && { ...rest, how }) || firstStated(clause.slice(after?.[0].length ?? 0), how) || words(clause, how);
}

function words(clause: string, how: string): ExpressionRead | null {
  const plain = plainText(clause);
  return plain === '' ? null : { extracted: clause, normalised: plain, node: null, how };
}

/** The last formula or the last number in digits, whichever ends later. */
function lastStated(text: string, how?: string): ExpressionRead | null {
  const formula = segments(text, Number.POSITIVE_INFINITY).at(-1);
  const numbers = notDenied(text, findNumbers(text));
  const number = numbers.at(-1);
  if (isBareRow(text, numbers)) return null;
  if (number && number.start >= (formula?.end ?? 0)) {
    return readFormula(text.slice(number.start, number.end), how ?? 'the last number');
  }
  return formula ? readFormula(formula.text, how ?? 'the last formula') : null;
}

/** The first formula, else the first number. */
function firstStated(clause: string, how: string): ExpressionRead | null {
  const formula = segments(clause, 1)[0];
  if (formula) return readFormula(formula.text, how);
  const [number] = notDenied(clause, findNumbers(clause));
  return number ? readFormula(clause.slice(number.start, number.end), how) : null;
}

const DELIMITERS: readonly (readonly [open: string, close: string])[] = [
  ['$$', '$$'],
  ['$', '$'],
  ['\\(', '\\)'],
  ['\\[', '\\]'],
];

/** Up to `most` formulas between delimiters, in order. */
function segments(text: string, most: number): { text: string; start: number; end: number }[] {
  const found: { text: string; start: number; end: number }[] = [];
  for (let at = 0; at < text.length && found.length < most; ) {
    const start = nextDelimiter(text, at);
    if (start < 0) break;
    const [open, close] = DELIMITERS.find(([sign]) => text.startsWith(sign, start)) as readonly [string, string];
    const end = text.indexOf(close, start + open.length);
    if (end < 0) break;
    const inside = text.slice(start + open.length, end).trim();
    if (inside !== '') found.push({ text: inside, start, end: end + close.length });
    at = end + close.length;
  }
  return found;
}

function nextDelimiter(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '$' && text[at - 1] !== '\\') return at;
    if (text[at] === '\\' && (text[at + 1] === '(' || text[at + 1] === '[')) return at;
  }
  return -1;
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
