// Reads which choice of a multiple-choice question a piece of text or a whole response answers with.
import { letterAt, placeOf } from '../../core/letters.js';
import { findQuantities } from './arithmetic.js';
import { Choices, formula, tidy } from './choices.js';
import { findGroups, type Group } from './mentions.js';
import { canonicalNumber, findNumbers, numberInWords } from './number.js';
import { plainText, textBefore } from './text.js';

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
  const groups = findGroups(text, choices, true).filter(({ stance }) => stance !== 'denied');
  const leads =
    /^[^A-Za-z\d]{0,8}(?:(?:probably|clearly|therefore|option|choice|letter|the|it is|both|either)[ :]{1,2}){0,3}[^A-Za-z\d]{0,4}$/i;
  const group =
    groups.find(({ start }) => leads.test(text.slice(0, start))) ??
    groups.find(isBracketed) ??
    groups.find(({ stance }) => stance === 'concluded') ??
    groups[0];
  return group ? readGroup(text, group) : numberedChoice(text, choices);
}

/**
 * Reads a whole response without any sign of an answer: what it concludes last; a letter with its choice at the start, as in
 * `B. red`; the last letter in brackets; the last choice named. What it denies is none of these, nor are several at once.
 */
export function readLooseChoice(response: string, choices: readonly string[]): ChoiceRead | null {
  const text = tidy(response);
  const whole = wholeChoice(text, choices);
  if (whole) return whole;
  const named = findGroups(text, choices, false);
  if (named.length === 0) return numberedChoice(text, choices) ?? paraphrasedChoice(text, choices);
  const groups = named.filter(({ stance }) => stance !== 'denied');
  const end = groups.at(-1);
  // A conclusion that names several choices is none, whatever was named before it.
  if (end && end.letters.length > 1 && end.stance !== 'mentioned') return readGroup(text, end);
  const single = groups.filter(({ letters }) => letters.length === 1);
  const bracketed = single.filter(isBracketed);
  const bracket = bracketed.at(-1);
  const last = single.at(-1);
  const drawn = single.findLast(({ stance }) => stance === 'drawn');
  // Three letters in brackets or more: a list that is gone through, where what comes after it counts.
  const isGoneThrough = new Set(bracketed.map(({ letters }) => letters[0])).size >= 3;
  const group =
    (last && isLastLine(text, last) ? last : single.findLast(({ stance }) => stance === 'concluded')) ??
    single.find(
      (group) => opens(text, group) && bracketed.every(({ letters: [letter] }) => letter === group.letters[0]),
    ) ??
    (drawn && drawn.end > (bracket?.end ?? 0) ? drawn : undefined) ??
    (isGoneThrough ? last : bracket) ??
    last ??
    end;
  return group ? readGroup(text, group) : null;
}

function readGroup(text: string, { start, end, letters }: Group): ChoiceRead {
  return { letter: letters.length === 1 ? (letters[0] as string) : null, extracted: text.slice(start, end) };
}

function isBracketed({ mentions }: Group): boolean {
  return mentions.some(({ by }) => by === 'bracket');
}

/** What opens the response: a letter in brackets, with the text of its choice or on a line of its own; that text as a clause. */
function opens(text: string, { mentions: [first], start, end }: Group): boolean {
  if (first === undefined || !/^[([]?$/.test(text.slice(0, start))) return false;
  if (first.by === 'words') return /^[.,;:!\n]/.test(text.slice(end, end + 1));
  return first.by === 'bracket' || first.hasText === true || /^[^A-Za-z\d\n]{0,3}\n/.test(text.slice(end, end + 4));
}

/** The last line is the choice and nothing else. */
function isLastLine(text: string, { start, end }: Group): boolean {
  return (
    /(?:^|\n)[^A-Za-z\d]{0,8}$/.test(textBefore(text, start, 8)) && /^[^A-Za-z\d]{0,8}$/.test(text.slice(end, end + 16))
  );
}

/** The piece is one letter in range, or one choice. A capital letter is a letter even where a choice reads so. */
function wholeChoice(text: string, choices: readonly string[]): ChoiceRead | null {
  const [, bracket, written] = /^([([]?)([A-Za-z])[)\].:,;]{0,3}$/.exec(text) ?? [];
  const named = written?.toUpperCase();
  const letter = named !== undefined && placeOf(named) < choices.length ? named : null;
  if (letter !== null && (bracket !== '' || written === letter)) return { letter, extracted: text };
  // A text far longer than every choice is none of them.
  const longest = choices.reduce((length, choice) => Math.max(length, choice.length), 0);
  if (text.length > 2 * longest + 64) return null;
  const all = Choices.of(choices);
  const same = (/\d!/.test(text) ? null : all.onlyOne(all.sameWords(text))) ?? letter;
  if (same !== null) return { letter: same, extracted: text };
  // A label in front is read with the other letters.
  if (/^[([]?[A-Z][)\].:]/.test(text)) return null;
  const value = numberInWords(plainText(text));
  const node = value === null ? formula(text) : ({ kind: 'number', value } as const);
  const equal = node && all.onlyOne(all.sameFormulas(node));
  return equal === null ? null : { letter: equal, extracted: text };
}

/** Words that a paraphrase of a choice may leave out or put in. */
const LOOSE_WORDS = new Set(
  'a an the it they he she of in is are was were be will would could may might can also to'.split(' '),
);

/** The choice all of whose words with a meaning stand in one sentence, the last sentence that has them of one choice only. */
function paraphrasedChoice(text: string, choices: readonly string[]): ChoiceRead | null {
  const meaningful = (text: string): string[] =>
    (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !LOOSE_WORDS.has(word));
  const wanted = Choices.of(choices).forms.map(({ words, node }) => (node ? [] : meaningful(words.slice(0, 200))));
  for (const sentence of text.split(/(?<=[.!?])\s+/).reverse()) {
    const said = new Set(meaningful(sentence));
    const held = wanted.map((words) => (words.every((word) => said.has(word)) ? words.length : 0));
    const longest = Math.max(...held);
    const place = held.indexOf(longest);
    if (longest > 0 && held.lastIndexOf(longest) === place) return { letter: letterAt(place), extracted: sentence };
  }
  return null;
}

/** The last number of the end of a piece, where exactly one choice has that number in it. */
function numberedChoice(response: string, choices: readonly string[]): ChoiceRead | null {
  const text = response.slice(-4096);
  const last = findQuantities(text).at(-1);
  if (last === undefined || last.isExpression) return null;
  const value = canonicalNumber(last.value);
  const same = Choices.of(choices).forms.map(({ words }) => {
    const [number, ...others] = findNumbers(words);
    return number !== undefined && others.length === 0 && canonicalNumber(number.value) === value;
  });
  const place = same.indexOf(true);
  return place >= 0 && same.lastIndexOf(true) === place
    ? { letter: letterAt(place), extracted: text.slice(last.start, last.end) }
    : null;
}
