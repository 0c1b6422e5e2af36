// Finds the pieces of a response that may state the final answer, the most trusted one first.
// Leaves reading a piece as letter, number, list or text to the readers.
import { lastBoxed } from './latex.js';
import { MAX_GRADED_LENGTH } from './text.js';

/** A piece of a response. */
export interface Piece {
  readonly text: string;
  /** How it was found, for the reason of a grade. */
  readonly how: string;
}

const SPECIAL_TOKENS = /<\/s>|<s>|<\|[a-z_]{1,24}\|>/g;

/** Bounded text without special tokens and without what stands inside `<think>`; only what is in `<answer>` if there is one. */
export function finalText(response: string): string {
  let text = response.length > MAX_GRADED_LENGTH ? response.slice(-MAX_GRADED_LENGTH) : response;
  text = text.replace(SPECIAL_TOKENS, ' ');
  const thought = text.lastIndexOf('</think>');
  if (thought >= 0 && text.slice(thought + 8).trim() !== '') text = text.slice(thought + 8);
  const open = text.lastIndexOf('<answer>');
  if (open < 0) return text.trim();
  const close = text.indexOf('</answer>', open);
  const inside = text.slice(open + 8, close < 0 ? text.length : close).trim();
  return inside === '' ? text.replaceAll(/<\/?answer>/g, ' ').trim() : inside;
}

const LINK = String.raw`\s{0,3}(?:\bis\b|\b(?:would|should) be\b|:|=)\s{0,3}(?:\bis\b|:)?`;
const PHRASES = new RegExp(String.raw`\b(?:(?:final|correct|right|best)\s{1,3})?answer${LINK}`, 'gi');
/** In a multiple-choice question `the correct option is` says the same; elsewhere it may speak of anything. */
const CHOICE_PHRASES = new RegExp(
  String.raw`\b(?:(?:final|correct|right|best)\s{1,3})?(?:answer|option|choice)(?:\s{1,3}letter)?${LINK}`,
  'gi',
);
const FOREIGN_PHRASES =
  /(?:答案|选项)\s{0,3}(?:是|为|：|:)|(?:réponse|respuesta|resposta|risposta|antwort|ответ)(?: final[ea]?)?\s{0,3}(?:est\b|es\b|ist\b|è|é|:|=|：)/gi;

/**
 * Pieces that state the final answer by a sign of it: a box, or a phrase such as `The answer is`, the later one first.
 * Empty where there is no such sign.
 */
export function statedAnswers(text: string, multiChoice: boolean): Piece[] {
  const boxed = lastBoxed(text);
  const phrase = lastMatch(text, multiChoice ? CHOICE_PHRASES : PHRASES) ?? lastMatch(text, FOREIGN_PHRASES);
  const box: Piece[] = boxed ? [{ text: boxed.content, how: 'the last box' }] : [];
  const tail = phrase ? answerTail(text.slice(phrase.end)) : '';
  if (phrase === null || tail === '') return box;
  const said = { text: tail, how: `after "${phrase.text}"` };
  // A box after the phrase is the same statement, read without its sentence.
  return boxed && boxed.at > phrase.end ? [...box, said] : [said, ...box];
}

/** The line after a phrase; where that line is empty, the next one with text, unless it holds several sentences: prose. */
function answerTail(rest: string): string {
  const near = rest.slice(0, 2048);
  const line = near.replace(/^[\s*:"]+/, '');
  const end = line.indexOf('\n');
  const text = (end < 0 ? line : line.slice(0, end)).trim();
  const isApart = near.slice(0, near.length - line.length).includes('\n');
  return isApart && /[a-z]{2}[.!?] [A-Z]/.test(text) ? '' : text;
}

/** What may stand between boxes that state one answer together, without spaces and `$`. */
const BETWEEN_BOXES = /^(?:,|;|and|or|\\quad|\\qquad|\\text\{[^}]{0,40}(?:and|or)\})*$/;

/** Contents of the last box and of those joined to it by `and` or commas, in order, parted by `, `; null where there is none. */
export function lastBoxes(text: string): string | null {
  let box = lastBoxed(text);
  if (box === null) return null;
  const contents = [box.content];
  for (
    let previous = lastBoxed(text.slice(0, box.at));
    previous !== null;
    previous = lastBoxed(text.slice(0, box.at))
  ) {
    const between = text.slice(previous.end, box.at).slice(0, 64).replace(/[\s$]/g, '');
    if (between === '' || !BETWEEN_BOXES.test(between) || contents.length >= 64) break;
    contents.unshift(previous.content);
    box = previous;
  }
  return contents.join(', ');
}

/** A letter in brackets right before a phrase: the phrase is the text of that choice, as in `(C) the answer is option B`. */
const OPENS_CHOICE = /\([A-Z]\)\s?(?:the )?$/i;

function lastMatch(text: string, pattern: RegExp): { text: string; end: number } | null {
  let last: { text: string; end: number } | null = null;
  for (const match of text.matchAll(pattern)) {
    if (OPENS_CHOICE.test(text.slice(Math.max(last?.end ?? 0, match.index - 16), match.index))) continue;
    last = { text: match[0].replace(/\s+/g, ' ').trim(), end: match.index + match[0].length };
  }
  return last;
}

const REFUSAL = new RegExp(
  [
    String.raw`\b(?:cannot|can not|can't|could not|couldn't|impossible|not possible|unable|difficult)(?: to| be){0,2}`,
    ' (?:determin|provid|answer|calculat|find|giv|tell|say|see|identif|solv)',
    String.raw`|\b(?:not enough|insufficient|(?:need|without)(?: any)?(?: more| further)|no) information\b`,
    String.raw`|\b(?:does|do) not (?:provide|specify|contain|show) `,
  ].join(''),
  'i',
);

/** True where a sentence says that the question cannot be answered: a number in it is no answer. */
export function isRefusal(sentence: string): boolean {
  return REFUSAL.test(sentence);
}

/** Sentences of a text, last one first; a full stop inside a number or an abbreviation such as `p.m.` ends none. */
export function sentencesFromEnd(text: string): string[] {
  return text
    .split(/\n|(?<=[.!?。])\s+(?=[A-Z\d(\\$])/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '')
    .reverse();
}
