// Finds every place where a text names a choice, by letter, by its words or by its value, and joins what is named
// together: `(A), (C) and (D)`.
import { letterAt, placeOf } from '../../core/letters.js';
import { findQuantities } from './arithmetic.js';
import { choiceForms, formula, onlyOne, sameFormulas, sameValues } from './choices.js';
import { findNumberWords } from './number.js';
import { type Stance, stanceOf } from './stance.js';
import { isWholeWord } from './text.js';

/** A choice and where a text names it. */
export interface Mention {
  readonly letter: string;
  readonly start: number;
  readonly end: number;
  readonly by: 'bracket' | 'letter' | 'words';
  /** True for a letter that the text of a choice follows, as in `B. red`. */
  readonly hasText?: boolean;
}

/** Choices that are named together, with nothing but commas and `or` between them. */
export interface Group {
  readonly mentions: readonly Mention[];
  /** Different letters, in order. */
  readonly letters: readonly string[];
  readonly stance: Stance;
  readonly end: number;
}

/** Letters in brackets; the C of `sin(C)` is none. Patterns begin with what is rare in a text, which keeps the search fast. */
const BRACKETED = /[([](?<![A-Za-z\d][([])\s?([A-Za-z])\s?[)\]]/g;
/**
 * Letters that stand alone: neither part of a word nor of `10 A.M.` or `sin(C)`. `A` is none where a word in lower case makes it
 * an article, as in `A red ball`, nor is the pronoun I.
 */
const LONE = new RegExp(
  [
    String.raw`([A-Z])(?<![A-Za-z\d_.-][A-Z]|[A-Za-z\d]\([A-Z])(?![\w-]|\.[A-Za-z])(?<!I(?='| [a-z]))`,
    String.raw`(?<!A(?= (?!(?:is|was|because|since|as|which|and|or|for|over|but|cannot|can|does|seems|must|matches|fits)\b)[a-z]))`,
  ].join(''),
  'g',
);
const NAMED = /\b(?:option|choice)s? ([a-z])(?![\w-])/g;

/** All mentions in order, none inside another; of two at the same place a letter where `lettersFirst`, else words. */
export function findMentions(text: string, choices: readonly string[], lettersFirst: boolean): Mention[] {
  const letters = [
    ...lettersIn(text, BRACKETED, 'bracket', choices.length),
    ...lettersIn(text, LONE, 'letter', choices.length),
    ...lettersIn(text, NAMED, 'letter', choices.length),
  ];
  const words = [...wordsIn(text, choices), ...valuesIn(text, choices)];
  const all = lettersFirst ? [...letters, ...words] : [...words, ...letters];
  all.sort((a, b) => a.start - b.start || b.end - a.end);
  const kept: Mention[] = [];
  for (const mention of all) if (mention.start >= (kept.at(-1)?.end ?? 0)) kept.push(mention);
  return kept;
}

function lettersIn(text: string, pattern: RegExp, by: Mention['by'], count: number): Mention[] {
  const found: Mention[] = [];
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const letter = (match[1] as string).toUpperCase();
    const end = match.index + match[0].length;
    const start = pattern === NAMED ? end - 1 : match.index;
    if (placeOf(letter) < count) found.push({ letter, start, end, by });
  }
  return found;
}

function wordsIn(text: string, choices: readonly string[]): Mention[] {
  const lower = text.toLowerCase();
  const all = choiceForms(choices).map(({ sought }) => sought);
  return all.flatMap((words, index) => {
    const found: Mention[] = [];
    if (words === '') return found;
    // `EE` and `Ee` are told apart by their case.
    const isCased = all.some((other) => other !== words && other.toLowerCase() === words.toLowerCase());
    const [where, sought] = isCased ? [text, words] : [lower, words.toLowerCase()];
    for (let at = where.indexOf(sought); at >= 0; at = where.indexOf(sought, at + 1)) {
      if (!isWholeWord(where, at, at + sought.length)) continue;
      found.push({ letter: letterAt(index), start: at, end: at + sought.length, by: 'words' });
    }
    return found;
  });
}

/** How much of the end of a text is searched for values, and how many of them are compared with the choices. */
const LONGEST_SEARCHED = 4096;
const MOST_FORMULAS = 48;

function valuesIn(text: string, choices: readonly string[]): Mention[] {
  const all = choiceForms(choices);
  if (all.every(({ node }) => node === null)) return [];
  const from = Math.max(0, text.length - LONGEST_SEARCHED);
  const end = text.slice(from);
  return [...findNumberWords(end).filter(({ value }) => value !== 1), ...findQuantities(end)]
    .slice(-MOST_FORMULAS)
    .flatMap((quantity) => {
      const { value } = quantity;
      const [start, end] = [from + quantity.start, from + quantity.end];
      const node = Number.isFinite(value) ? null : formula(text.slice(start, end));
      const found = Number.isFinite(value) ? sameValues(value, choices) : node ? sameFormulas(node, choices) : [];
      const index = onlyOne(found, choices);
      return index < 0 ? [] : [{ letter: letterAt(index), start, end, by: 'words' as const }];
    });
}

/** What may stand between two choices that are named together, and between a letter and the text of its choice. */
const TOGETHER =
  /^(?:[\s,;/&:.()[\]|+\u3001*-]|and|or|both|either|options?|choices?|maybe|perhaps|possibly|和|或|与|と|か)*$/i;
const LONGEST_BETWEEN = 32;

/** Mentions joined into groups, each with what its sentence says of it. */
export function groupMentions(text: string, mentions: readonly Mention[]): Group[] {
  const parts: Mention[][] = [];
  for (const mention of mentions) {
    const open = parts.at(-1);
    const last = open?.at(-1);
    const between = last ? text.slice(last.end, mention.start) : null;
    if (last && between !== null && isOwnText(last, between, mention)) {
      open?.splice(-1, 1, { ...last, end: mention.end, hasText: true });
      continue;
    }
    if (open && between !== null && between.length <= LONGEST_BETWEEN && isTogether(between, open, mention))
      open.push(mention);
    else parts.push([mention]);
  }
  return withoutLast(text, parts).map((group, i, parts) => {
    const [first, last] = [group[0] as Mention, group.at(-1) as Mention];
    const from = (parts[i - 1]?.at(-1) as Mention | undefined)?.end ?? 0;
    const to = parts[i + 1]?.[0]?.start ?? text.length;
    const sentence = sentenceBefore(text, first.start);
    const before = text.slice(Math.max(from, first.start - sentence.length), first.start);
    const stance = stanceOf(sentence, before, restOf(text, last.end, to, sentence === ''));
    const letters = [...new Set(group.map(({ letter }) => letter))];
    return { mentions: group, letters, stance, end: last.end };
  });
}

/** Parts the last of `B, A is wrong` from the group: what is said in the singular is said of it alone. */
function withoutLast(text: string, parts: readonly Mention[][]): Mention[][] {
  return parts.flatMap((group) => {
    const [before, last] = [group.at(-2), group.at(-1)];
    if (!before || !last || before.letter === last.letter) return [group];
    const isSingular = /^ (?:is|was|does|has|isn'?t|doesn'?t|fits|matches)\b/.test(text.slice(last.end, last.end + 12));
    return isSingular && /^\)?[,.] $/.test(text.slice(before.end, last.start)) ? [group.slice(0, -1), [last]] : [group];
  });
}

/** True for what follows a letter as the text of its choice, whichever choice that reads like: `(D) option B in the image`. */
function isOwnText(letter: Mention, between: string, next: Mention): boolean {
  const isText = letter.by === 'bracket' ? next.by !== 'bracket' : letter.by === 'letter' && next.by === 'words';
  return isText && /^(?:[\s:.)\u2013-]{0,3}|[\s:.]{1,2}(?:option|choice|figure|point|picture|image) )$/i.test(between);
}

/** A stop parts two choices, unless they are listed with their texts: `(A) red. (B) blue.` */
function isTogether(between: string, open: readonly Mention[], next: Mention): boolean {
  const last = open.at(-1) as Mention;
  if (!TOGETHER.test(between)) return false;
  if (last.letter === next.letter) return true;
  if (open.some(({ letter }) => letter === next.letter)) return false;
  return !/[.;](?:\s|$)/.test(between) || (last.hasText === true && next.by !== 'words');
}

/** Longest part of a sentence that is looked at. UTF-16 units. */
const LONGEST_SENTENCE = 240;
const STOP = /[.!?;](?=\s)|\n/g;

function sentenceBefore(text: string, at: number): string {
  const near = text.slice(Math.max(0, at - LONGEST_SENTENCE), at);
  let start = 0;
  STOP.lastIndex = 0;
  for (let stop = STOP.exec(near); stop !== null; stop = STOP.exec(near)) start = stop.index + 1;
  return near.slice(start).trimStart();
}

/** A letter as the label of one or two words, as in `A. Incorrect.`. */
const LABELLED = /^[.):] ((?:[A-Za-z]+ ?){1,2})[.!;\n]/;

/** Up to the next thing named or the end of the sentence. */
function restOf(text: string, from: number, to: number, isFirst: boolean): string {
  const near = text.slice(from, Math.min(to, from + LONGEST_SENTENCE));
  const labelled = isFirst ? LABELLED.exec(`${near}\n`)?.[1] : undefined;
  if (labelled) return labelled;
  const stop = near.search(STOP);
  return stop < 0 ? near : near.slice(0, stop);
}
