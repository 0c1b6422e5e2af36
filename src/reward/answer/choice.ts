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

/** A choice and where the text names it. */
interface Found extends ChoiceRead {
  readonly start: number;
  readonly end: number;
}

/** Letter of choice number `index`. */
function letterOf(index: number): string {
  return String.fromCharCode(65 + index);
}

/**
 * Reads a piece that states an answer, such as what follows `The answer is`.
 * Tried in turn: the whole piece is a letter or a choice; a letter in brackets; a letter at the start; a choice named in
 * it; a letter in it; a number that only one choice has.
 */
export function readStatedChoice(piece: string, choices: readonly string[]): ChoiceRead | null {
  const text = tidy(piece);
  return (
    wholeChoice(text, choices) ??
    bracketed(text, choices.length)[0] ??
    leadingLetter(text, choices.length) ??
    namedChoice(text, choices) ??
    loneLetters(text, choices.length)[0] ??
    numberedChoice(text, choices)
  );
}

/**
 * Reads a whole response without any sign of an answer. Tried in turn: all of it is a letter or a choice; a letter with
 * its choice at the start, as in `B. red`, where no other letter is in brackets; the last letter in brackets; the last lone
 * letter or choice text, whichever ends later; a number at the end that only one choice has.
 */
export function readLooseChoice(response: string, choices: readonly string[]): ChoiceRead | null {
  const text = tidy(response);
  const clear = wholeChoice(text, choices) ?? openingChoice(text, choices) ?? bracketed(text, choices.length).at(-1);
  if (clear) return clear;
  const named = namedChoice(text, choices);
  const letter = loneLetters(text, choices.length).at(-1);
  if (named && letter) return named.end >= letter.end ? named : letter;
  return named ?? letter ?? numberedChoice(text, choices) ?? paraphrasedChoice(text, choices);
}

/** Plain text with single spaces, case kept. */
function tidy(text: string): string {
  return plainMath(text)
    .replace(/["'`*“”‘’]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The piece is one letter in range, or the text of one choice. A capital letter is a letter even where a choice reads so. */
function wholeChoice(text: string, choices: readonly string[]): ChoiceRead | null {
  const written = /^([([]?)([A-Za-z])[)\].:]{0,2}$/.exec(text);
  const letter = inRange(written?.[2]?.toUpperCase(), choices.length);
  // A text far longer than every choice is none of them.
  const longest = choices.reduce((length, choice) => Math.max(length, choice.length), 0);
  const plain = text.length > 2 * longest + 64 ? '' : plainText(text);
  const same = plain === '' ? -1 : choices.findIndex((choice) => plainText(plainMath(choice)) === plain);
  const certain = letter !== null && (written?.[1] !== '' || written?.[2] === letter);
  if (certain) return { letter, extracted: text };
  if (same >= 0) return { letter: letterOf(same), extracted: text };
  return letter === null ? null : { letter, extracted: text };
}

function inRange(letter: string | undefined, count: number): string | null {
  return letter !== undefined && letter.charCodeAt(0) - 65 < count ? letter : null;
}

function letters(text: string, pattern: RegExp, count: number): Found[] {
  return Array.from(text.matchAll(pattern), (match) => ({
    letter: (match[1] as string).toUpperCase(),
    extracted: match[0],
    start: match.index,
    end: match.index + match[0].length,
  })).filter(({ letter }) => inRange(letter, count) !== null);
}

/** Letters in brackets; the C of `sin(C)` is none. */
function bracketed(text: string, count: number): Found[] {
  return letters(text, /(?<![A-Za-z\d])\( ?([A-Za-z]) ?\)/g, count);
}

/** `B. red` or `(B) red`: the letter and the text of the same choice open the response, and no other letter comes in brackets. */
function openingChoice(text: string, choices: readonly string[]): ChoiceRead | null {
  const opening = /^\(?([A-Z])[).:]\)? ?/.exec(text);
  const letter = inRange(opening?.[1], choices.length);
  if (opening === null || letter === null) return null;
  const words = plainText(plainMath(choices[letter.charCodeAt(0) - 65] as string));
  const named =
    words !== '' &&
    plainText(text.slice(opening[0].length, opening[0].length + 2 * words.length + 16)).startsWith(words);
  const others = bracketed(text, choices.length).some((found) => found.letter !== letter);
  return named && !others ? { letter, extracted: text.slice(0, opening[0].length).trim() } : null;
}

/** `A` is a letter unless a word in lower case follows that makes it an article, as in `A red ball`. */
const LETTER = String.raw`([B-Z]|A(?! (?!(?:is|was|because|since|as|which|and|or|for)\b)[a-z]))`;
const LEADING = new RegExp(`^(?:(?:[Oo]ption|[Cc]hoice|[Ll]etter) )?${LETTER}(?=[ .,;:)]|$)`);
/** Neither part of a word nor of `10 A.M.`. */
const LONE = new RegExp(String.raw`(?<![\w.-])${LETTER}(?![\w-]|\.[A-Za-z])`, 'g');

/** A capital letter at the start, as in `B. red` or `option B`. */
function leadingLetter(text: string, count: number): ChoiceRead | null {
  const letter = inRange(LEADING.exec(text)?.[1], count);
  return letter === null ? null : { letter, extracted: letter };
}

/** Capital letters that stand alone. */
function loneLetters(text: string, count: number): Found[] {
  return letters(text, LONE, count);
}

/** Longer choices are not searched for inside a text, which keeps the search linear. UTF-16 units. */
const LONGEST_NAME = 200;

/** The choice whose text ends last; where one choice's text holds another's, the longer one counts. */
function namedChoice(response: string, choices: readonly string[]): Found | null {
  const text = response.toLowerCase();
  let best: Found | null = null;
  for (const [index, choice] of choices.entries()) {
    const words = plainText(plainMath(choice)).replace(/^(?:it|they|he|she) (?=\S+ \S)/, '');
    const start = words.length > LONGEST_NAME ? -1 : lastWholeWords(text, words);
    if (start < 0) continue;
    const end = start + words.length;
    if (best !== null && (end < best.end || (end === best.end && start >= best.start))) continue;
    if (best !== null && best.start <= start && end <= best.end) continue;
    best = { letter: letterOf(index), extracted: response.slice(start, end), start, end };
  }
  return best;
}

/** Words that a paraphrase of a choice may leave out or put in. */
const LOOSE_WORDS = new Set(
  'a an the it they he she of in is are was were be will would could may might can also to'.split(' '),
);

/** The choice all of whose words with a meaning stand in one sentence, the last sentence that has them of one choice only. */
function paraphrasedChoice(text: string, choices: readonly string[]): ChoiceRead | null {
  const wanted = choices.map((choice) => looseWords(choice.slice(0, LONGEST_NAME)));
  for (const sentence of text.split(/(?<=[.!?])\s+/).reverse()) {
    const said = new Set(looseWords(sentence));
    const whole = wanted.flatMap((words, i) => (words.length > 0 && words.every((word) => said.has(word)) ? [i] : []));
    const longest = Math.max(...whole.map((i) => (wanted[i] as string[]).length));
    const named = whole.filter((i) => (wanted[i] as string[]).length === longest);
    if (named.length === 1) return { letter: letterOf(named[0] as number), extracted: sentence };
  }
  return null;
}

function looseWords(text: string): string[] {
  return (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !LOOSE_WORDS.has(word));
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
