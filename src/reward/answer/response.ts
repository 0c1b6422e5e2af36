// First stage: what of a response is its answer at all. Bounds it, takes thoughts out, keeps what stands in answer
// tags, and ends it where the model goes on to a question of its own.
import { MAX_GRADED_LENGTH } from './text.js';
import { unify } from './unify.js';

/** Names of the parts that models mark: thoughts before the answer, and the answer. */
const THOUGHT = 'think(?:ing)?|thoughts?|reason(?:ing)?|summary|caption|analysis|reflection|scratchpad';
const ANSWER = '(?:final[ _]?)?answer|conclusion|solution';

const THOUGHT_TAG = new RegExp(`[<\u25c1](/?)(?:${THOUGHT})[>\u25b7]`, 'gi');
const ANSWER_TAG = new RegExp(`[<\u25c1](/?)(?:${ANSWER})[>\u25b7]`, 'gi');

/** Tokens of chat templates: those that end an answer, and all others. */
const ENDS = /<\/s>|<\|(?:im_end|im_start|endoftext|end_of_text|eot_id|end)\|>/g;
const SPECIAL_TOKENS = /<s>|<\|[a-z_]{1,24}\|>/g;
const MARKED_PARTS = /<\|(begin|end)_of_(thought|solution)\|>/g;

/** A further question that the model asks itself. */
const NEXT_QUESTION =
  /\n[ \t#*]{0,8}(?:Question|Problem|Exercise|Instruction|Human|User|Q)[ \t]{0,2}\d{0,4}[ \t*]{0,4}:/gi;

/**
 * The text that answers, bounded to its last 65,536 characters; empty where a response has only thoughts or an empty answer.
 * @param states says whether a text states an answer: only then is a question that follows it one of the model's own
 */
export function finalText(response: string, states: (text: string) => boolean): string {
  const text = bound(unify(bound(response)));
  const answer = /[<\u25c1]/.test(text) ? insideAnswer(withoutThoughts(withoutTokens(text))) : text;
  return beforeNextQuestion(answer.trim(), states).trim();
}

function bound(text: string): string {
  return text.length > MAX_GRADED_LENGTH ? text.slice(-MAX_GRADED_LENGTH) : text;
}

function withoutTokens(text: string): string {
  const tagged = text.replace(MARKED_PARTS, (_, side, part) => `<${side === 'end' ? '/' : ''}${part}>`);
  return untilEnd(tagged).replace(SPECIAL_TOKENS, ' ');
}

/** Up to the first token that ends an answer after which nothing but more of the same comes. */
function untilEnd(text: string): string {
  for (const { index } of text.matchAll(ENDS)) if (text.slice(0, index).trim() !== '') return text.slice(0, index);
  return text.replace(ENDS, ' ');
}

/** What follows the last thought; of a thought that never ends, what stands before it. */
function withoutThoughts(text: string): string {
  let [start, end] = [0, text.length];
  for (const { 0: tag, 1: closes, index } of text.matchAll(THOUGHT_TAG)) {
    if (closes === '/') [start, end] = [index + tag.length, text.length];
    else if (end === text.length) end = index;
  }
  return text.slice(start, end);
}

/** Inside the last answer tag, which may be left open; all of a text without one. */
function insideAnswer(text: string): string {
  let [open, close] = [-1, text.length];
  for (const { 0: tag, 1: closes, index } of text.matchAll(ANSWER_TAG)) {
    if (closes !== '/') [open, close] = [index + tag.length, text.length];
    else if (close === text.length) close = index;
  }
  // A closing tag alone: the prompt had opened it.
  return open < 0 ? text.slice(0, close) : text.slice(open, close);
}

/** Most questions before which an answer is looked for. */
const MOST_TRIED = 4;

function beforeNextQuestion(text: string, states: (text: string) => boolean): string {
  if (!text.includes('\n')) return text;
  NEXT_QUESTION.lastIndex = 0;
  for (let tried = 0; tried < MOST_TRIED; tried++) {
    const next = NEXT_QUESTION.exec(text);
    if (next === null) break;
    if (states(text.slice(0, next.index))) return text.slice(0, next.index);
  }
  return text;
}
