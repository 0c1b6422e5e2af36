// Finds and reads the numbers of a text: signs, thousands commas, decimals, fractions, percent, powers of ten, words of
// English, signs of Chinese and Japanese. Never evaluates anything; every character is read a fixed number of times.
import { textBefore } from './text.js';

/** A number found in a text. */
export interface NumberRead {
  readonly value: number;
  readonly percent: boolean;
  /** What the value was multiplied by for a word such as `million`. */
  readonly scale: number;
  /** Range in the text, sign and percent sign included. */
  readonly start: number;
  readonly end: number;
}

/** Groups of digits by spaces (`8 000`), by apostrophes (`8'000`), by commas as in India (`1,23,45,678`) or anywhere; decimals. */
const LITERAL =
  /(?:\d{1,3}(?<!\d \d{1,3})(?: \d{3})+(?![\d/]| \d)|\d{1,3}(?:'\d{3})+(?![\d'])|\d{1,2}(?:,\d{2})+,\d{3}(?![\d,])|\d[\d,]{0,40})(?:\.\d{1,40})?|\.\d{1,40}/g;

/** What words are worth. */
const WORDS = {
  numbers: new Map(
    [
      ...'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen'.split(
        ' ',
      ),
      ...'seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety'.split(' '),
    ].map((word, i) => [word, i < 20 ? i : 10 * i - 180]),
  ),
  /** Below the line of a fraction: `third`, `quarters`. */
  parts: new Map([
    ...'half third quarter fifth sixth seventh eighth ninth tenth'.split(' ').flatMap((word, i): [string, number][] => [
      [word, i + 2],
      [`${word}s`, i + 2],
    ]),
    ...Object.entries({ halves: 2, fourth: 4, fourths: 4 }),
  ]),
  /** Words and letters that multiply the number before them. */
  scales: new Map(
    Object.entries({
      dozen: 12,
      hundred: 100,
      thousand: 1e3,
      k: 1e3,
      million: 1e6,
      billion: 1e9,
      bn: 1e9,
      trillion: 1e12,
    }),
  ),
  /** Digits, what multiplies the digit before it, and from ten thousand on all before it. */
  signs: new Map([
    ...Array.from('零一二三四五六七八九', (sign, i): [string, number] => [sign, i]),
    ...Object.entries({ 〇: 0, 两: 2, 兩: 2, 十: 10, 百: 100, 千: 1000, 万: 1e4, 萬: 1e4, 亿: 1e8, 億: 1e8 }),
  ]),
};

/** Numbers written in digits, in order. A digit inside a word (`H2O`, `cm2`) is none. */
export function findNumbers(text: string): NumberRead[] {
  const found: NumberRead[] = [];
  LITERAL.lastIndex = 0;
  for (let match = LITERAL.exec(text); match !== null; match = LITERAL.exec(text)) {
    const start = match.index;
    const before = text[start - 1] ?? ' ';
    if (/[A-Za-z_\d]/.test(before)) continue;
    // The power of a unit, as in `cm^2`.
    if (before === '^' && /[A-Za-z]{2}$|[/ \d][mscdkgh]$/.test(textBefore(text, start - 1, 2))) continue;
    const [written] = match;
    // Commas that do not group thousands: of `1,2` only `1` is kept, of `1,234,` the last comma goes.
    const literal =
      !written.includes(',') || /[ ']|,\d\d,/.test(written)
        ? written
        : (/^\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?/.exec(written)?.[0] ?? (written.split(',', 1)[0] as string));
    let end = start + literal.length;
    // More digits than a number has.
    if (/\d/.test(text[end] ?? ' ')) continue;
    let value = Number(literal.replace(/[, ']/g, ''));
    const rest = text.slice(end, end + 48);
    const power = /^\s?[*x]\s?10\s?\^\s?\(?([-+]?\d{1,3})\)?/.exec(rest) ?? /^[eE]([-+]?\d{1,3})\b/.exec(rest);
    const fraction = /^\s?\/\s?(\d{1,15}(?:\.\d{1,15})?)(?![\d/])/.exec(rest);
    const mixed = /^(?: and |[ -])(\d{1,4})\/(\d{1,4})(?![\d/])/.exec(rest);
    if (power) {
      value = Number(`${value}e${power[1]}`);
      end += power[0].length;
    } else if (fraction && Number(fraction[1]) !== 0) {
      value /= Number(fraction[1]);
      end += fraction[0].length;
    } else if (mixed && Number(mixed[2]) !== 0 && Number.isInteger(value)) {
      value += Number(mixed[1]) / Number(mixed[2]);
      end += mixed[0].length;
    }
    const half = power || fraction ? null : /^ and (?:a|one) (half|third|quarter)\b/.exec(rest);
    if (half) {
      value += 1 / (WORDS.parts.get(half[1] as string) as number);
      end += half[0].length;
    }
    const scaled = /^(?:\s?(hundred|thousand|million|billion|trillion|dozen)|(k|\s?bn)(?!\s?[-+*/^=]))\b/.exec(
      text.slice(end, end + 10),
    );
    const scale = WORDS.scales.get(scaled?.[1] ?? scaled?.[2]?.trim() ?? '') ?? 1;
    end += scaled?.[0].length ?? 0;
    value *= scale;
    const percent = /^\s?(?:%|per ?cent\b)/.exec(text.slice(end, end + 10));
    if (percent) end += percent[0].length;
    const sign = signBefore(text, start);
    if (Number.isFinite(value)) {
      const signed = sign >= 0 && text[sign] !== '+' ? -value : value;
      found.push({ value: signed, scale, percent: percent !== null, start: sign < 0 ? start : sign, end });
    }
    LITERAL.lastIndex = end;
  }
  return found;
}

/** Place of the sign that belongs to the number, -1 for none: the minus of `7 - 3` or `2010-2015` is not a sign. */
function signBefore(text: string, start: number): number {
  const at = text[start - 1] === '$' ? start - 2 : start - 1;
  if (text[at] !== '-' && text[at] !== '+') {
    // A sign in words, but not of an operand: `negative 5`, `minus 3`, not `8 minus 3`.
    const word = /(?:^|[^\d)\s])\s{0,3}((?:negative|minus) \$?)$/i.exec(textBefore(text, start, 16))?.[1];
    return word ? start - word.length : -1;
  }
  const before = textBefore(text, at, 4).trimEnd();
  const operand = /[\w)%\u00b0]$/.test(before);
  const tight = text[at - 1] !== ' ' || text[at + 1] === ' ';
  return operand && tight ? -1 : at;
}

/** What every number in words has one of; most texts have none. */
const NUMBER_WORD = new RegExp(
  `\\b(?:${[WORDS.numbers, WORDS.parts, WORDS.scales].flatMap((words) => [...words.keys()]).join('|')})\\b`,
  'i',
);

/**
 * Numbers written in words, in order: `three`, `minus twenty-one`, `two hundred and five thousand`, `two million`,
 * `three and a half`, `two thirds`, `half`.
 */
export function findNumberWords(text: string): NumberRead[] {
  if (!NUMBER_WORD.test(text)) return [];
  const words = Array.from(text.matchAll(/[A-Za-z]+/g), ({ 0: word, index }) => ({ word: word.toLowerCase(), index }));
  const found: NumberRead[] = [];
  let at = 0;
  const end = (i: number): number => (words[i]?.index ?? 0) + (words[i]?.word.length ?? 0);
  /** The word at `i`, if only spaces or a hyphen part it from the one before. */
  const joined = (i = at): string => {
    const next = words[i];
    return next && /^[ -]{1,2}$/.test(text.slice(end(i - 1), next.index)) ? next.word : '';
  };
  const belowHundred = (first: number): number => {
    at++;
    const unit = first >= 20 ? WORDS.numbers.get(joined()) : undefined;
    if (unit === undefined || unit < 1 || unit > 9) return first;
    at++;
    return first + unit;
  };
  /** What follows `hundred` or `thousand`: `five`, `and five`, or nothing. */
  const rest = (read: (first: number) => number): number => {
    const start = at;
    if (joined() === 'and') at++;
    const first = WORDS.numbers.get(joined());
    if (first !== undefined) return read(first);
    at = start;
    return 0;
  };
  const belowThousand = (first: number): number => {
    const value = belowHundred(first);
    if (joined() !== 'hundred') return value;
    at++;
    return value * 100 + rest(belowHundred);
  };
  /** `thirds` after `two`; 1 where no fraction follows. */
  const part = (): number => {
    const below = WORDS.parts.get(joined()) ?? 1;
    if (below !== 1) at++;
    return below;
  };
  /** `and a half`, `and two thirds` after a whole number; 0 where none follows. */
  const fraction = (): number => {
    if (joined() !== 'and') return 0;
    const above = joined(at + 1) === 'a' ? 1 : WORDS.numbers.get(joined(at + 1));
    const below = WORDS.parts.get(joined(at + 2));
    if (above === undefined || below === undefined) return 0;
    at += 3;
    return above / below;
  };
  while (at < words.length) {
    const { word, index } = words[at] as { word: string; index: number };
    const isNegative = word === 'minus' || word === 'negative';
    // `A dozen`, `a hundred and five`.
    const first =
      word === 'a' && WORDS.scales.has(joined(at + 1)) ? 1 : WORDS.numbers.get(isNegative ? joined(at + 1) : word);
    const isHalf = word === 'half' || (word === 'a' && WORDS.parts.has(joined(at + 1)));
    if (first === undefined && !isHalf) {
      at++;
      continue;
    }
    let value = 1;
    if (first === undefined) {
      if (word === 'a') at++;
      value = 1 / (WORDS.parts.get(words[at]?.word as string) as number);
      at++;
      // `Half a million`.
      if (joined() === 'a' && WORDS.scales.has(joined(at + 1))) at++;
    } else {
      if (isNegative) at++;
      value = belowThousand(first);
      if (joined() === 'thousand') {
        at++;
        value = value * 1000 + rest(belowThousand);
      }
      const below = part();
      value = below === 1 ? value + fraction() : value / below;
    }
    const scale = WORDS.scales.get(joined()) ?? 1;
    if (scale !== 1) at++;
    found.push({ value: (isNegative ? -1 : 1) * value * scale, scale, percent: false, start: index, end: end(at - 1) });
  }
  return found;
}

/** The number that all of a text is in words; null for any other text. */
export function numberInWords(text: string): number | null {
  const [number] = findNumberWords(text);
  return number && number.start === 0 && number.end === text.length ? number.value : null;
}

/** Numbers in Chinese signs, in order: `十二`, `两百零五`, `三万`, `负三`; `一` in a word such as `一共` is none. */
export function findCjkNumbers(text: string): NumberRead[] {
  if (!/[〇\u4e00-\u9fff]/.test(text)) return [];
  const written =
    /((?:负|負|マイナス)の?)?([零〇一二两兩三四五六七八九十百千万萬亿億]{1,24})(?![共些样樣般直起定种種])/g;
  return Array.from(text.matchAll(written), ({ 0: all, 1: minus, 2: signs = '', index }) => {
    let [total, group, digit] = [0, 0, 0];
    for (const sign of signs) {
      const value = WORDS.signs.get(sign) as number;
      if (value < 10) digit = 10 * digit + value;
      else if (value < 1e4) [group, digit] = [group + (digit || 1) * value, 0];
      else [total, group, digit] = [total + (group + digit || 1) * value, 0, 0];
    }
    const value = (minus ? -1 : 1) * (total + group + digit);
    return { value, percent: false, scale: 1, start: index, end: index + all.length };
  });
}

/** A number as text, the same for the same value: at most `precision` decimals where given, no trailing zeros, no `-0`. */
export function canonicalNumber(value: number, precision?: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e12) return String(value + 0);
  if (precision === undefined || precision > 12 || Math.abs(value) >= 1e15)
    return String(Number(value.toPrecision(12)) + 0);
  const scale = 10 ** precision;
  // Half away from zero on the decimal digits: 2.675 is stored a little below, which must not round it down.
  const scaled = Math.round(Number((Math.abs(value) * scale).toPrecision(15)));
  return String((Math.sign(value) * scaled) / scale + 0);
}
