// Finds the pieces of a response that may state the final answer, the most trusted one first.
import { lastBoxed } from './latex.js';
import { isAscii } from './text.js';

/** A piece of a response that states its final answer. */
export interface Piece {
  readonly text: string;
  /** How it was found, for the reason of a grade. */
  readonly how: string;
  /** A mark (`#### 8`) or a box is meant as the answer and nothing else; a phrase may be prose. */
  readonly isMark: boolean;
}

const PARTS = {
  link: String.raw`[*_"]{0,3}\s{0,3}(?:\bis\b|\b(?:would|should|must) be\b|:|=)[^\S\n]{0,3}(?:\bis\b|:)?`,
  kind: String.raw`\b(?:(?:final|correct|right|best)\s{1,3})?`,
  /** `The answer to the puzzle is`. */
  toWhat: '(?: (?:to|for|of) (?:the|this|that|your|question)(?: [a-z]{1,16}){0,3}?)?',
};

const PATTERNS = {
  phrase: new RegExp(`${PARTS.kind}answer${PARTS.toWhat}${PARTS.link}`, 'gi'),
  /** In a multiple-choice question `the correct option is` and `I choose` say the same; elsewhere they may speak of anything. */
  choicePhrase: new RegExp(
    [
      `${PARTS.kind}(?:answer${PARTS.toWhat}|(?:answer|option|choice)(?: letter)?)${PARTS.link}`,
      String.raw`|\b(?:I|we)(?:'ll|'d| will| would)? (?:choose|chose|pick|select|go with)\b(?! (?:to|up|out|between|from|not)\b)`,
      String.raw`|(?<!\u4e0d)(?:\u9009\u62e9|\u9078\u64c7|\u9009|\u9078)(?=\s{0,2}[:(]?\s{0,2}[A-Z](?![A-Za-z]))`,
    ].join(''),
    'gi',
  ),
  foreignPhrase:
    /(?:答案|选项|選項|答え|正解|정답|답)[\]】」]?\s{0,3}(?:应该是|應該是|应为|應為|是|为|為|は|은|는|:|(?<=[\]】」]))|(?:réponse|respuesta|resposta|risposta|antwort|ответ)(?: final[ea]?)?\s{0,3}(?:est\b|es\b|ist\b|è|é|:|=)/gi,
  /** `#### 8`, as GSM8K marks an answer: one value, no heading such as `#### 1. First` or `#### Summary`. */
  mark: /####(?<!#####)[ \t]{0,4}(?!\d{1,3}[.)][ \t])([-+$\\([]{0,2}(?:\d|\\|\.\d)[^\n]{0,60}|\(?[A-Z]\)?)[ \t]{0,4}$/gm,
  /** A letter in brackets right before a phrase: the phrase is the text of that choice, as in `(C) the answer is option B`. */
  opensChoice: /\([A-Z]\)\s?(?:the )?$/i,
  /** A box without braces: `\boxed 7`. */
  bareBox: /^[ \t]{1,3}([-+]?[\d.][^\s$]{0,40}|[A-Z])(?![A-Za-z])/,
  /** What may stand between boxes that state one answer together, without spaces, stars and the signs of formulas. */
  betweenBoxes: /^(?:[,;/&]|and|or|maybe|perhaps|possibly|\\quad|\\qquad|\\text\{[^}]{0,40}(?:and|or)\})*$/,
  refusal: new RegExp(
    [
      String.raw`\b(?:cannot|can not|can't|could not|couldn't|impossible|not possible|unable|difficult)(?: to| be){0,2}`,
      ' (?:determin|provid|answer|calculat|find|giv|tell|say|see|identif|solv)',
      String.raw`|\b(?:not enough|insufficient|(?:need|without)(?: any)?(?: more| further)|no) information\b`,
      String.raw`|\b(?:does|do) not (?:provide|specify|contain|show) `,
    ].join(''),
    'i',
  ),
  /** A line end, or a stop that belongs to no abbreviation such as `i.e.` before what may begin a sentence. */
  sentenceEnd:
    /\n|(?<=[.!?])(?<!\b(?:i\.e|e\.g|approx|ca|cf|vs|[Nn]o|[Ff]igs?|Eq|Mr|Mrs|Dr|St)\.)\s+(?=[A-Z\d(\\$\u3040-\u9fff])/,
};

/**
 * Pieces that state the final answer, the most trusted one first: a `####` mark, then a box or a phrase such as `The answer
 * is`, whichever is later. Empty where there is no such sign. A box that is empty or never filled in is a piece without text
 * where it takes back an earlier box.
 */
export function statedAnswers(text: string, multiChoice: boolean): Piece[] {
  const mark = text.includes('####') ? lastMatch(text, PATTERNS.mark) : null;
  const box = lastBox(text);
  const phrase = lastMatch(text, multiChoice ? PATTERNS.choicePhrase : PATTERNS.phrase);
  const foreign = phrase && isAscii(text) ? null : lastMatch(text, PATTERNS.foreignPhrase);
  const last = foreign && foreign.end > (phrase?.end ?? -1) ? foreign : phrase;
  const boxed: Piece[] = box ? [{ text: box.content, how: 'the last box', isMark: true }] : [];
  const tail = last ? answerTail(text.slice(last.end)) : '';
  const said: Piece[] = last && tail !== '' ? [{ text: tail, how: `after "${last.text}"`, isMark: false }] : [];
  const marked: Piece[] = mark ? [{ text: mark.text.replace(/^#+\s*/, ''), how: 'after "####"', isMark: true }] : [];
  // A box after the phrase is the same statement, read without its sentence.
  const boxFirst = box !== null && box.at > (last?.end ?? -1);
  return [...marked, ...(boxFirst ? [...boxed, ...said] : [...said, ...boxed])];
}

/** The line after a phrase; where that line is empty, the next one with text, unless it holds several sentences: prose. */
function answerTail(rest: string): string {
  const near = rest.slice(0, 2048);
  const line = near.replace(/^[\s*:"]+/, '');
  const text = (line.split('\n', 1)[0] as string).trim();
  const isApart = near.slice(0, near.length - line.length).includes('\n');
  return isApart && /[a-z]{2}[.!?] [A-Z]/.test(text) ? '' : text;
}

interface Box {
  readonly content: string;
  readonly at: number;
}

/**
 * The last box with those joined to it, or one that is cut off at the end of its line. Without content where it is empty
 * and an earlier one is not: it takes that back; null where there is no box, or only empty ones.
 */
function lastBox(text: string): Box | null {
  let empty: Box | null = null;
  let rest = text;
  // Boxes without a value at the end of a text, such as `write it in \boxed form`, are passed over, up to eight.
  for (let i = 0; i < 8; i++) {
    const at = Math.max(rest.lastIndexOf('\\boxed'), rest.lastIndexOf('\\fbox'));
    if (at < 0) return null;
    const closed = lastBoxed(rest);
    const isClosed = closed?.at === at;
    const after = rest.slice(at + (rest.startsWith('\\boxed', at) ? 6 : 5), at + 512);
    const open = /^ ?\{([^\n]*)/.exec(after)?.[1]?.replace(/\s*(?:\\[\])]|\$+)\.?\s*$/, '');
    const content = isClosed ? closed.content : (open ?? PATTERNS.bareBox.exec(after)?.[1]);
    if (content !== undefined && content.trim() !== '')
      return empty ?? { content: i === 0 && isClosed ? joinedBoxes(text, closed) : content, at };
    if (content !== undefined) empty ??= { content: '', at };
    rest = rest.slice(0, at);
  }
  return null;
}

/**
 * Contents of the last box and of those joined to it by `and`, `or` or commas or by spaces in its line, in order, parted
 * by `, `; what is said twice is kept once.
 */
function joinedBoxes(text: string, last: Box): string {
  const contents = [last.content];
  for (let { at } = last; ; ) {
    const previous = lastBoxed(text.slice(0, at));
    if (previous === null) break;
    const gap = text.slice(previous.end, Math.min(at, previous.end + 64));
    const between = gap.replace(/[\s$*]|\\[()[\]]/g, '');
    // Right after another or in another line a box replaces the one before it.
    const isApart = gap === '' || (between === '' && gap.includes('\n'));
    if (isApart || !PATTERNS.betweenBoxes.test(between) || contents.length >= 64) break;
    contents.unshift(previous.content);
    at = previous.at;
  }
  return [...new Set(contents)].join(', ');
}

function lastMatch(text: string, pattern: RegExp): { text: string; end: number } | null {
  let last: { text: string; end: number } | null = null;
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    if (PATTERNS.opensChoice.test(text.slice(Math.max(last?.end ?? 0, match.index - 16), match.index))) continue;
    last = { text: match[0].replace(/\s+/g, ' ').trim(), end: match.index + match[0].length };
  }
  return last;
}

/** True where a sentence says that the question cannot be answered: a number in it is not the answer. */
export function isRefusal(sentence: string): boolean {
  return PATTERNS.refusal.test(sentence);
}

/** Sentences of a text, last one first; a full stop inside a number or an abbreviation such as `p.m.` ends none. */
export function sentencesFromEnd(text: string): string[] {
  return text
    .split(PATTERNS.sentenceEnd)
    .map((sentence) => sentence.trim().replace(/^[-*\u2022] +/, ''))
    .filter((sentence) => sentence !== '')
    .reverse();
}
