// Finds the sentence of a response that answers the question in the question's own words, and what it says of a question
// that wants yes or no. Compares words only; leaves reading numbers and choices to the readers.

/** Words that say nothing about which question is answered. */
const EMPTY_WORDS = new Set(
  (
    'a an the of in on at to for from by with and or is are was were be been do does did has have had this that these those ' +
    'it its there here what which how who whom whose when where why many much please image picture figure shown given ' +
    'question answer following can could would will as than if based hint number total value'
  ).split(' '),
);

/** The question itself: without hint line and choices; of several sentences the last one, which asks. */
export function coreQuestion(question: string): string {
  const from = question.lastIndexOf('Question:');
  const whole = (from < 0 ? question : question.slice(from + 'Question:'.length)).slice(0, 4096);
  const body = whole.split(/\n(?:Choices|Options):/, 1)[0] as string;
  const sentences = body.split(/(?<=[.?!])\s+/).filter((sentence) => /[A-Za-z]/.test(sentence));
  return sentences.findLast((sentence) => sentence.includes('?')) ?? sentences.at(-1) ?? body;
}

/** Words with a meaning, in lower case, without the endings of plurals and verbs. */
function contentWords(text: string): string[] {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.filter((word) => !EMPTY_WORDS.has(word)).map(stem);
}

function stem(word: string): string {
  return word.length > 4 ? word.replace(/(?:sses|ses|es|s|ed|ing)$/, '') : word;
}

/** Share of the words of the question that a sentence repeats, from 0 to 1; a word may go on, as `bar` does in `bars`. */
export function overlap(question: readonly string[], sentence: string): number {
  if (question.length === 0) return 0;
  const said = ` ${sentence.toLowerCase()}`;
  return question.filter((word) => startsWord(said, word)).length / question.length;
}

function startsWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word, 1); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!/[a-z0-9]/.test(text[at - 1] as string)) return true;
  }
  return false;
}

/** The different words of the question that a restatement repeats. */
export function questionWords(question: string): string[] {
  return [...new Set(contentWords(coreQuestion(question)))];
}

/** Least share of the question's words in a sentence that restates it. */
const RESTATES = 0.7;
/** Words of a sentence that asks or supposes rather than states. */
const SUPPOSES = /\b(?:if|whether|determine|asks?|asked|assum\w+)\b|\?/i;
const NEGATES = /\b(?:not|no|never|neither|nor|false|cannot|incorrect)\b|n't\b/i;

/**
 * `yes` or `no` by the sentence that restates the question best, the first of equals; null where none does. It is `no`
 * where the sentence denies, or compares the other way round.
 */
export function statedYesNo(
  question: string,
  sentences: readonly string[],
): { says: 'yes' | 'no'; sentence: string } | null {
  const words = questionWords(question);
  let best: { sentence: string; share: number } | null = null;
  for (const sentence of sentences) {
    const share = SUPPOSES.test(sentence) ? 0 : overlap(words, sentence);
    if (share >= RESTATES && share > (best?.share ?? 0)) best = { sentence, share };
  }
  if (best === null) return null;
  const asked = coreQuestion(question);
  const denies = NEGATES.test(best.sentence) !== NEGATES.test(asked);
  const turned = comparesOtherWay(asked, best.sentence);
  return { says: denies === turned ? 'yes' : 'no', sentence: best.sentence };
}

const MORE = /\b(?:greater|more|larger|bigger|higher|taller|longer|heavier|older|above)\b/i;
const LESS = /\b(?:less|fewer|smaller|lower|shorter|lighter|younger|below)\b/i;

/** True where the question asks for more and the sentence says less, or the two things that are compared change places. */
function comparesOtherWay(question: string, sentence: string): boolean {
  const [asked, said] = [direction(question), direction(sentence)];
  if (asked === null || said === null) return false;
  const same = asked.more === said.more;
  const [left, right] = [contentWords(question.slice(0, asked.at)), contentWords(question.slice(asked.end))];
  // Words on both sides, such as `bar` in `the green bar ... the red bar`, do not tell the two apart.
  const [onlyLeft, onlyRight] = [
    left.filter((word) => !right.includes(word)),
    right.filter((word) => !left.includes(word)),
  ];
  const subject = sentence.slice(0, said.at);
  const exchanged = overlap(onlyRight, subject) > overlap(onlyLeft, subject);
  return same === exchanged;
}

function direction(text: string): { more: boolean; at: number; end: number } | null {
  const [more, less] = [MORE.exec(text), LESS.exec(text)];
  if (more && less) return null;
  const found = more ?? less;
  return found && { more: more !== null, at: found.index, end: found.index + found[0].length };
}
