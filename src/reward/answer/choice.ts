// Reads which choice of a multiple-choice question a piece of text or a whole response answers with.
import { letterAt, placeOf } from '../../core/letters.js';
import { findQuantities } from './arithmetic.js';
import { choiceForms, formula, onlyOne, sameFormulas, sameWords, tidy } from './choices.js';
import type { Node } from './math/node.js';
import { findMentions, type Group, groupMentions, type Mention } from './mentions.js';
import { canonicalNumber, findNumbers, findNumberWords } from './number.js';
import { plainText } from './text.js';

/** A choice that was named; `letter` is null where several were named at once. */
export interface ChoiceRead {
  readonly letter: string | null;
  /** The characters that named it. */
  readonly extracted: string;
}

/**
 * Reads a piece that states an answer, such as what follows `The answer is`: all of it is a letter or a choice; else the
 * first choices that it names and does not deny, those in brackets or at its start before others.
 */
export function readStatedChoice(piece: string, choices: readonly string[]): ChoiceRead | null {
  const text = tidy(piece);
  const whole = wholeChoice(text, choices);
  if (whole) return whole;
  const groups = groupMentions(text, findMentions(text, choices, true)).filter(({ stance }) => stance !== 'denied');
  const inBrackets = groups.find(isBracketed);
  const leading = groups.find(({ mentions }) => LEADING.test(text.slice(0, mentions[0]?.start)));
  const concluded = groups.find(({ stance }) => stance === 'concluded');
  const group = leading ?? inBrackets ?? concluded ?? groups[0];
  return group ? readGroup(text, group) : numberedChoice(text, choices);
}

/** What may stand before the first choice of a piece. */
const LEADING =
  /^[^A-Za-z\d]{0,8}(?:(?:probably|clearly|therefore|option|choice|letter|the|it is|both|either)[ :]{1,2}){0,3}[^A-Za-z\d]{0,4}$/i;

/**
 * Reads a whole response without any sign of an answer: what it concludes last; a letter with its choice at the start, as in
 * `B. red`; the last letter in brackets; the last choice named. What it denies is none of these, nor are several at once.
 */
export function readLooseChoice(response: string, choices: readonly string[]): ChoiceRead | null {
  const text = tidy(response);
  const whole = wholeChoice(text, choices);
  if (whole) return whole;
  const mentions = findMentions(text, choices, false);
  if (mentions.length === 0) return numberedChoice(text, choices) ?? paraphrasedChoice(text, choices);
  const groups = groupMentions(text, mentions).filter(({ stance }) => stance !== 'denied');
  const end = groups.at(-1);
  // A conclusion that names several choices is none, whatever was named before it.
  if (end && end.letters.length > 1 && end.stance !== 'mentioned') return readGroup(text, end);
  const single = groups.filter(({ letters }) => letters.length === 1);
  const bracket = single.findLast(isBracketed);
  const last = single.at(-1);
  const drawn = single.findLast(({ stance }) => stance === 'drawn');
  const group =
    (last && isLastLine(text, last) ? last : single.findLast(({ stance }) => stance === 'concluded')) ??
    single.find(
      (group) => opens(text, group) && single.every((other) => !isBracketed(other) || sameLetter(other, group)),
    ) ??
    (drawn && drawn.end > (bracket?.end ?? 0) ? drawn : undefined) ??
    (isGoneThrough(single) ? last : bracket) ??
    last ??
    end;
  return group ? readGroup(text, group) : null;
}

function readGroup(text: string, { mentions, letters }: Group): ChoiceRead {
  const [first, last] = [mentions[0] as Mention, mentions.at(-1) as Mention];
  return { letter: letters.length === 1 ? (letters[0] as string) : null, extracted: text.slice(first.start, last.end) };
}

function isBracketed({ mentions }: Group): boolean {
  return mentions.some(({ by }) => by === 'bracket');
}

/** Three letters in brackets or more: a list that is gone through, where what comes after it counts. */
function isGoneThrough(groups: readonly Group[]): boolean {
  return new Set(groups.filter(isBracketed).map(({ letters }) => letters[0])).size >= 3;
}

function sameLetter(a: Group, b: Group): boolean {
  return a.letters[0] === b.letters[0];
}

/** What opens the response: a letter in brackets, with the text of its choice or on a line of its own; that text as a clause. */
function opens(text: string, { mentions, end }: Group): boolean {
  const [first] = mentions;
  if (first === undefined || !/^[([]?$/.test(text.slice(0, first.start))) return false;
  if (first.by === 'words') return /^[.,;:!\n]/.test(text.slice(end, end + 1));
  return first.by === 'bracket' || first.hasText === true || /^[^A-Za-z\d\n]{0,3}\n/.test(text.slice(end, end + 4));
}

/** The last line is the choice and nothing else. */
function isLastLine(text: string, { mentions, end }: Group): boolean {
  const start = (mentions[0] as Mention).start;
  return (
    /(?:^|\n)[^A-Za-z\d]{0,8}$/.test(text.slice(Math.max(0, start - 8), start)) &&
    /^[^A-Za-z\d]{0,8}$/.test(text.slice(end, end + 16))
  );
}

/** The piece is one letter in range, or one choice. A capital letter is a letter even where a choice reads so. */
function wholeChoice(text: string, choices: readonly string[]): ChoiceRead | null {
  const written = /^([([]?)([A-Za-z])[)\].:,;]{0,3}$/.exec(text);
  const letter = inRange(written?.[2]?.toUpperCase(), choices.length);
  if (letter !== null && (written?.[1] !== '' || written?.[2] === letter)) return { letter, extracted: text };
  // A text far longer than every choice is none of them.
  const longest = choices.reduce((length, choice) => Math.max(length, choice.length), 0);
  if (text.length > 2 * longest + 64) return null;
  const same = /\d!/.test(text) ? -1 : onlyOne(sameWords(text, choices), choices);
  if (same >= 0) return { letter: letterAt(same), extracted: text };
  if (letter !== null) return { letter, extracted: text };
  // A label in front is read with the other letters.
  if (/^[([]?[A-Z][)\].:]/.test(text)) return null;
  const [words] = findNumberWords(plainText(text));
  const node: Node | null =
    words?.start === 0 && words.end === plainText(text).length ? { kind: 'number', value: words.value } : formula(text);
  const equal = node ? onlyOne(sameFormulas(node, choices), choices) : -1;
  return equal < 0 ? null : { letter: letterAt(equal), extracted: text };
}

function inRange(letter: string | undefined, count: number): string | null {
  return letter !== undefined && placeOf(letter) < count ? letter : null;
}

/** How much of the end of a response is searched for a number. UTF-16 units. */
const LONGEST_SEARCHED = 4096;

/** Words that a paraphrase of a choice may leave out or put in. */
const LOOSE_WORDS = new Set(
  'a an the it they he she of in is are was were be will would could may might can also to'.split(' '),
);

/** Longest choice that is looked for in other words. UTF-16 units. */
const LONGEST_PARAPHRASED = 200;

/** The choice all of whose words with a meaning stand in one sentence, the last sentence that has them of one choice only. */
function paraphrasedChoice(text: string, choices: readonly string[]): ChoiceRead | null {
  const wanted = choiceForms(choices).map(({ words, node }) =>
    node ? [] : looseWords(words.slice(0, LONGEST_PARAPHRASED)),
  );
  for (const sentence of text.split(/(?<=[.!?])\s+/).reverse()) {
    const said = new Set(looseWords(sentence));
    const whole = wanted.flatMap((words, i) => (words.length > 0 && words.every((word) => said.has(word)) ? [i] : []));
    const longest = Math.max(...whole.map((i) => (wanted[i] as string[]).length));
    const named = whole.filter((i) => (wanted[i] as string[]).length === longest);
    if (named.length === 1) return { letter: letterAt(named[0] as number), extracted: sentence };
  }
  return null;
}

function looseWords(text: string): string[] {
  return (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !LOOSE_WORDS.has(word));
}

/** The last number of the piece, where exactly one choice has that number in it. */
function numberedChoice(response: string, choices: readonly string[]): ChoiceRead | null {
  const text = response.slice(-LONGEST_SEARCHED);
  const last = findQuantities(text).at(-1);
  if (last === undefined || last.isExpression) return null;
  const value = canonicalNumber(last.value);
  const same = choiceForms(choices).flatMap(({ words }, i) => {
    const numbers = findNumbers(words);
    return numbers.length === 1 && canonicalNumber((numbers[0] as { value: number }).value) === value ? [i] : [];
  });
  return same.length === 1
    ? { letter: letterAt(same[0] as number), extracted: text.slice(last.start, last.end) }
    : null;
}
