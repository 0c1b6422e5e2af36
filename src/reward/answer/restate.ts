// Finds the sentence of a response that answers the question in the question's own words, and what it says of a question
// that wants yes or no. Compares words only.

const WORDS = {
  /** Say nothing about which question is answered. */
  empty: new Set(
    (
      'a an the of in on at to for from by with and or is are was were be been do does did has have had this that these ' +
      'those it its there here what which how who whom whose when where why many much please image picture figure shown ' +
      'given question answer following can could would will as than if based hint number total value'
    ).split(' '),
  ),
  /** Of a sentence that asks or supposes rather than states. */
  supposing: /\b(?:if|whether|determine|asks?|asked|assum\w+)\b|\?/i,
  denying: /\b(?:not|no|never|neither|nor|false|cannot|incorrect)\b|n't\b/i,
  more: /\b(?:greater|more|larger|bigger|higher|taller|longer|heavier|older|above)\b/i,
  less: /\b(?:less|fewer|smaller|lower|shorter|lighter|younger|below)\b/i,
};

/** The question itself: without hint line and choices; of several sentences the last one, which asks. */
function coreQuestion(question: string): string {
  const from = question.lastIndexOf('Question:');
  const whole = (from < 0 ? question : question.slice(from + 'Question:'.length)).slice(0, 4096);
  const body = whole.split(/\n(?:Choices|Options):/, 1)[0] as string;
  const sentences = body.split(/(?<=[.?!])\s+/).filter((sentence) => /[A-Za-z]/.test(sentence));
  return sentences.findLast((sentence) => sentence.includes('?')) ?? sentences.at(-1) ?? body;
}

/** Words with a meaning, in lower case, without the endings of plurals and verbs. */
function contentWords(text: string): string[] {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words
    .filter((word) => !WORDS.empty.has(word))
    .map((word) => (word.length > 4 ? word.replace(/(?:sses|ses|es|s|ed|ing)$/, '') : word));
}

/** Share of the words of the question that a sentence repeats, from 0 to 1; a word may go on, as `bar` does in `bars`. */
export function overlap(question: readonly string[], sentence: string): number {
  if (question.length === 0) return 0;
  const said = ` ${sentence.toLowerCase()}`;
  const repeated = question.filter((word) => {
    let at = said.indexOf(word, 1);
    while (at >= 0 && /[a-z0-9]/.test(said[at - 1] as string)) at = said.indexOf(word, at + 1);
    return at >= 0;
  });
  return repeated.length / question.length;
}

/** The different words of the question that a restatement repeats. */
export function questionWords(question: string): string[] {
  return [...new Set(contentWords(coreQuestion(question)))];
}

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
    const share = WORDS.supposing.test(sentence) ? 0 : overlap(words, sentence);
    if (share >= 0.7 && share > (best?.share ?? 0)) best = { sentence, share };
  }
  if (best === null) return null;
  const asked = coreQuestion(question);
  const denies = WORDS.denying.test(best.sentence) !== WORDS.denying.test(asked);
  const turned = comparesOtherWay(asked, best.sentence);
  return { says: denies === turned ? 'yes' : 'no', sentence: best.sentence };
}

/** True where the question asks for more and the sentence says less, or the two things that are compared change places. */
function comparesOtherWay(question: string, sentence: string): boolean {
  const [asked, said] = [question, sentence].map((text) => {
    const [more, less] = [WORDS.more.exec(text), WORDS.less.exec(text)];
    const found = more && less ? null : (more ?? less);
    return found && { isMore: more !== null, at: found.index, end: found.index + found[0].length };
  });
  if (!asked || !said) return false;
  const same = asked.isMore === said.isMore;
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
