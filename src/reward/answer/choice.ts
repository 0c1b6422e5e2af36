// Reads which choice of a multiple-choice question a piece of text names: by letter, by the choice's text, by its number.
// Leaves finding the piece to extract.ts.
import { plainMath } from './latex.js';
import { canonicalNumber, findNumbers } from './number.js';
import { lastWholeWords, plainText } from './text.js';

/** A choice that was named. */
export interface ChoiceRead {
  readonly letter: string;
  /** The characters that named it. */
  readonly extracted: string;
}

/** Letter of choice number `index`. */
export function letterOf(index: number): string {
  return String.fromCharCode(65 + index);
}

/**
 * Reads a piece that states an answer, such as what follows `The answer is`.
 * Tried in turn: the whole piece is a choice; a letter in parentheses; a letter at the start; a choice named in it;
 * a number in it that only one choice has.
 */
export function readStatedChoice(piece: string, choices: readonly string[]): ChoiceRead | null {
  const text = plainMath(piece).trim();
  const whole = wholeChoice(text, choices);
  if (whole) return whole;
  const inBrackets = letters(text, /\(\s?([A-Za-z])\s?\)/g, choices.length)[0];
  if (inBrackets) return inBrackets;
  const leading = /^["'*\s]{0,8}(?:option|choice|letter)?\s{0,3}([A-Z])(?=[\s.,;:)"'*]|$)/i.exec(text)?.[1];
  const article = /^["'*\s]{0,8}[Aa]\s+[a-z]/.test(text);
  if (leading && /[A-Z]/.test(leading) && !article && indexOf(leading) < choices.length)
    return { letter: leading, extracted: leading };
  return namedChoice(text, choices) ?? loneLetters(text, choices.length)[0] ?? numberedChoice(text, choices);
}

/** Reads a whole response without any sign of an answer: the last letter, else the last choice named, else the last number. */
export function readLooseChoice(response: string, choices: readonly string[]): ChoiceRead | null {
  const text = plainMath(response).trim();
  return (
    wholeChoice(text, choices) ??
    letters(text, /\(\s?([A-Za-z])\s?\)/g, choices.length).at(-1) ??
    loneLetters(text, choices.length).at(-1) ??
    namedChoice(text, choices) ??
    numberedChoice(text, choices)
  );
}

/** The piece is one letter in range, or the text of one choice. */
function wholeChoice(text: string, choices: readonly string[]): ChoiceRead | null {
  const plain = plainText(text);
  const same = choices.findIndex((choice) => plainText(plainMath(choice)) === plain);
  if (same >= 0 && plain !== '') return { letter: letterOf(same), extracted: text };
  const letter = /^[(["']?([A-Za-z])[)\]"'.:]{0,2}$/.exec(text)?.[1]?.toUpperCase();
  return letter !== undefined && indexOf(letter) < choices.length ? { letter, extracted: text } : null;
}

function letters(text: string, pattern: RegExp, count: number): ChoiceRead[] {
  return Array.from(text.matchAll(pattern), (match) => ({
    letter: (match[1] as string).toUpperCase(),
    extracted: match[0],
  })).filter(({ letter }) => indexOf(letter) < count);
}

/** Capital letters that stand alone; `A` before a word in lower case is an article. */
function loneLetters(text: string, count: number): ChoiceRead[] {
  return letters(text, /(?<![\w'’-])([A-Z])(?![\w'’-]|\s+[a-z]{2,}(?<=^A\s.*))/g, count).filter(
    ({ letter }) => letter !== 'A' || !/(?<![\w'’-])A\s+[a-z]/.test(text),
  );
}

function indexOf(letter: string): number {
  return letter.charCodeAt(0) - 65;
}

/** The choice whose text stands last; where one choice's text holds another's, the longer one counts. */
function namedChoice(response: string, choices: readonly string[]): ChoiceRead | null {
  const text = plainText(response);
  let best: { index: number; start: number; end: number } | null = null;
  for (const [index, choice] of choices.entries()) {
    const words = plainText(plainMath(choice));
    const start = lastWholeWords(text, words);
    if (start < 0) continue;
    const end = start + words.length;
    const later = best === null || end > best.end || (end === best.end && start < best.start);
    const inside = best !== null && start >= best.start && end <= best.end;
    if (later && !inside) best = { index, start, end };
  }
  return best && { letter: letterOf(best.index), extracted: text.slice(best.start, best.end) };
}

/** The last number of the piece, where exactly one choice has that value. */
function numberedChoice(text: string, choices: readonly string[]): ChoiceRead | null {
  const last = findNumbers(text).at(-1);
  if (last === undefined) return null;
  const value = canonicalNumber(last.value);
  const same = choices.flatMap((choice, i) => {
    const numbers = findNumbers(plainMath(choice));
    return numbers.length === 1 && canonicalNumber((numbers[0] as { value: number }).value) === value ? [i] : [];
  });
  return same.length === 1
    ? { letter: letterOf(same[0] as number), extracted: text.slice(last.start, last.end) }
    : null;
}
