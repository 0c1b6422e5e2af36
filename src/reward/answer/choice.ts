// Reads which choice of a multiple-choice question a piece of text or a whole response answers with.
import { letterAt, placeOf } from '../../core/letters.js';
import { findQuantities } from './arithmetic.js';
import { Choices, formula, tidy } from './choices.js';
import { type Group, NamedChoices } from './mentions.js';
import { canonicalNumber, findNumbers, numberInWords } from './number.js';
import { plainText, textBefore } from './text.js';

/** A choice that was named; `letter` is null where several were named at once. */
export interface ChoiceRead {
  readonly letter: string | null;
  /** The characters that named it. */
  readonly extracted: string;
}

function isBracketed({ mentions }: Group): boolean {
  return mentions.some(({ by }) => by === 'bracket');
}

/** Words that a paraphrase of a choice may leave out or put in. */
const LOOSE_WORDS = new Set(
  'a an the it they he she of in is are was were be will would could may might can also to'.split(' '),
);

/** Reads a piece of text or a whole response as an answer to a multiple-choice question. */
export class ChoiceReader {
  readonly #text: string;
  readonly #choices: readonly string[];

  constructor(text: string, choices: readonly string[]) {
    this.#text = tidy(text);
    this.#choices = choices;
  }

  /**
   * What a piece says that states an answer, such as what follows `The answer is`: all of it is a letter or a choice; else the
   * first choices that it names and does not deny, those in brackets or at its start before others.
   */
  stated(): ChoiceRead | null {
    const whole = this.#whole();
    if (whole) return whole;
    const groups = new NamedChoices(this.#text, this.#choices).groups(true).filter(({ stance }) => stance !== 'denied');
    const leads =
      /^[^A-Za-z\d]{0,8}(?:(?:probably|clearly|therefore|option|choice|letter|the|it is|both|either)[ :]{1,2}){0,3}[^A-Za-z\d]{0,4}$/i;
    const group =
      groups.find(({ start }) => leads.test(this.#text.slice(0, start))) ??
      groups.find(isBracketed) ??
      groups.find(({ stance }) => stance === 'concluded') ??
      groups[0];
    return group ? this.#group(group) : this.#numbered();
  }

  /**
   * What a whole response says without any sign of an answer: what it concludes last; a letter with its choice at the start, as in
   * `B. red`; the last letter in brackets; the last choice named. What it denies is none of these, nor are several at once.
   */
  loose(): ChoiceRead | null {
    const whole = this.#whole();
    if (whole) return whole;
    const named = new NamedChoices(this.#text, this.#choices).groups(false);
    if (named.length === 0) return this.#numbered() ?? this.#paraphrased();
    const groups = named.filter(({ stance }) => stance !== 'denied');
    const end = groups.at(-1);
    // A conclusion that names several choices is none, whatever was named before it.
    if (end && end.letters.length > 1 && end.stance !== 'mentioned') return this.#group(end);
    const single = groups.filter(({ letters }) => letters.length === 1);
    const bracketed = single.filter(isBracketed);
    const bracket = bracketed.at(-1);
    const last = single.at(-1);
    const drawn = single.findLast(({ stance }) => stance === 'drawn');
    // Three letters in brackets or more: a list that is gone through, where what comes after it counts.
    const isGoneThrough = new Set(bracketed.map(({ letters }) => letters[0])).size >= 3;
    const group =
      (last && this.#isLastLine(last) ? last : single.findLast(({ stance }) => stance === 'concluded')) ??
      single.find(
        (group) => this.#opens(group) && bracketed.every(({ letters: [letter] }) => letter === group.letters[0]),
      ) ??
      (drawn && drawn.end > (bracket?.end ?? 0) ? drawn : undefined) ??
      (isGoneThrough ? last : bracket) ??
      last ??
      end;
    return group ? this.#group(group) : null;
  }

  #group({ start, end, letters }: Group): ChoiceRead {
    return { letter: letters.length === 1 ? (letters[0] as string) : null, extracted: this.#text.slice(start, end) };
  }

  /** What opens the response: a letter in brackets, with the text of its choice or on a line of its own; that text as a clause. */
  #opens({ mentions: [first], start, end }: Group): boolean {
    if (first === undefined || !/^[([]?$/.test(this.#text.slice(0, start))) return false;
    if (first.by === 'words') return /^[.,;:!\n]/.test(this.#text.slice(end, end + 1));
    return (
      first.by === 'bracket' || first.hasText === true || /^[^A-Za-z\d\n]{0,3}\n/.test(this.#text.slice(end, end + 4))
    );
  }

  /** The last line is the choice and nothing else. */
  #isLastLine({ start, end }: Group): boolean {
    return (
      /(?:^|\n)[^A-Za-z\d]{0,8}$/.test(textBefore(this.#text, start, 8)) &&
      /^[^A-Za-z\d]{0,8}$/.test(this.#text.slice(end, end + 16))
    );
  }

  /** The piece is one letter in range, or one choice. A capital letter is a letter even where a choice reads so. */
  #whole(): ChoiceRead | null {
    const [text, choices] = [this.#text, this.#choices];
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

  /** The choice all of whose words with a meaning stand in one sentence, the last sentence that has them of one choice only. */
  #paraphrased(): ChoiceRead | null {
    const meaningful = (text: string): string[] =>
      (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !LOOSE_WORDS.has(word));
    const wanted = Choices.of(this.#choices).forms.map(({ words, node }) =>
      node ? [] : meaningful(words.slice(0, 200)),
    );
    for (const sentence of this.#text.split(/(?<=[.!?])\s+/).reverse()) {
      const said = new Set(meaningful(sentence));
      const held = wanted.map((words) => (words.every((word) => said.has(word)) ? words.length : 0));
      const longest = Math.max(...held);
      const place = held.indexOf(longest);
      if (longest > 0 && held.lastIndexOf(longest) === place) return { letter: letterAt(place), extracted: sentence };
    }
    return null;
  }

  /** The last number of the end of a piece, where exactly one choice has that number in it. */
  #numbered(): ChoiceRead | null {
    const text = this.#text.slice(-4096);
    const last = findQuantities(text).at(-1);
    if (last === undefined || last.isExpression) return null;
    const value = canonicalNumber(last.value);
    const same = Choices.of(this.#choices).forms.map(({ words }) => {
      const [number, ...others] = findNumbers(words);
      return number !== undefined && others.length === 0 && canonicalNumber(number.value) === value;
    });
    const place = same.indexOf(true);
    return place >= 0 && same.lastIndexOf(true) === place
      ? { letter: letterAt(place), extracted: text.slice(last.start, last.end) }
      : null;
  }
}
