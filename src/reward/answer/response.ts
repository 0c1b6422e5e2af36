// First stage: what of a response is its answer at all. Bounds it, takes thoughts out, keeps what stands in answer
// tags, and ends it where the model goes on to a question of its own.
import { statedAnswers } from './extract.js';
import { unify } from './text.js';

/** Tags of the parts that models mark, tokens of chat templates, and a further question that the model asks itself. */
const PATTERNS = {
  thought:
    /[<\u25c1](\/?)(?:think(?:ing)?|thoughts?|reason(?:ing)?|summary|caption|analysis|reflection|scratchpad)[>\u25b7]/gi,
  answer: /[<\u25c1](\/?)(?:(?:final[ _]?)?answer|conclusion|solution)[>\u25b7]/gi,
  part: /<\|(begin|end)_of_(thought|solution)\|>/g,
  /** Tokens that end an answer, and all others. */
  end: /<\/s>|<\|(?:im_end|im_start|endoftext|end_of_text|eot_id|end)\|>/g,
  token: /<s>|<\|[a-z_]{1,24}\|>/g,
  nextQuestion: /\n[ \t#*]{0,8}(?:Question|Problem|Exercise|Instruction|Human|User|Q)[ \t]{0,2}\d{0,4}[ \t*]{0,4}:/gi,
};

/** The text that answers, bounded to its last 65,536 characters; empty where a response has only thoughts or an empty answer. */
export function finalText(response: string): string {
  // Of a longer text the end is read, as answers stand there.
  const bound = (text: string): string => text.slice(-65_536);
  const text = bound(unify(bound(response)));
  // What follows the last thought, or stands before one that never ends; inside the last answer tag, which may be left open.
  const answer = /[<\u25c1]/.test(text)
    ? between(between(withoutTokens(text), PATTERNS.thought, '/'), PATTERNS.answer, '').trim()
    : text.trim();
  if (!answer.includes('\n')) return answer;
  // Only what follows an answer is a question of the model's own; before the first four one is looked for.
  PATTERNS.nextQuestion.lastIndex = 0;
  for (let tried = 0; tried < 4; tried++) {
    const next = PATTERNS.nextQuestion.exec(answer);
    if (next === null) break;
    const before = answer.slice(0, next.index);
    if (statedAnswers(before, true).length > 0) return before.trim();
  }
  return answer;
}

/** Up to the first token that ends an answer after which nothing but more of the same comes. */
function withoutTokens(text: string): string {
  const tagged = text.replace(PATTERNS.part, (_, side, part) => `<${side === 'end' ? '/' : ''}${part}>`);
  for (const { index } of tagged.matchAll(PATTERNS.end))
    if (tagged.slice(0, index).trim() !== '') return tagged.slice(0, index).replace(PATTERNS.token, ' ');
  return tagged.replace(PATTERNS.end, ' ').replace(PATTERNS.token, ' ');
}

/** What follows the last tag whose slash is `starts`, or begins the text, up to the next tag of the other kind. */
function between(text: string, tags: RegExp, starts: '/' | ''): string {
  let [start, end] = [0, text.length];
  for (const { 0: tag, 1: slash, index } of text.matchAll(tags)) {
    if (slash === starts) [start, end] = [index + tag.length, text.length];
    else if (end === text.length) end = index;
  }
  return text.slice(start, end);
}
