// The rule by which VLMEvalKit infers an option without its judge: exactly one lone letter near the end, or one option
// text. Serves MMBench and AI2D.
import { compared, goldLetter, letterOf, type Protocol, unreadable } from './protocol.js';

const REFUSALS = [
  "Sorry, I can't help with images of people yet.",
  "I can't process this file.",
  "I'm sorry, but without the image provided",
  'Cannot determine the answer',
];

/** What a refusal is graded as: a letter that no question has. */
const REFUSED = 'Z';

/** Only A to D, as the kit has it. */
const SAID = /(?:correct\s{1,16})?answer\s{1,16}is\s{1,16}\*{0,4}([ABCD])/i;

export const mmbench: Protocol = inferring('mmbench', 'rule of VLMEvalKit for MMBench');
export const ai2d: Protocol = inferring('ai2d', 'rule of VLMEvalKit for AI2D');

function inferring(name: string, describe: string): Protocol {
  return {
    name,
    describe,
    grade(row) {
      const read = inferOption(row.response, row.choices) ?? inferText(row.response, row.choices);
      return read === null
        ? unreadable('not exactly one option: the kit would ask its judge')
        : compared(read.extracted, read.letter, goldLetter(row), read.how);
    },
  };
}

interface OptionRead {
  readonly letter: string;
  readonly extracted: string;
  readonly how: string;
}

function inferOption(answer: string, choices: readonly string[]): OptionRead | null {
  if (answer.includes('Failed to obtain answer via API')) return null;
  const refusal = REFUSALS.find((words) => answer.includes(words));
  if (refusal) return { letter: REFUSED, extracted: refusal, how: 'a refusal' };
  const words = answer
    .replace(/[.()[\],:;!*#{}]/g, ' ')
    .split(/\s+/)
    .filter((word) => word !== '');
  const letters = choices.map((_, i) => letterOf(i)).filter((letter) => words.includes(letter));
  const only = letters.length === 1 ? (letters[0] as string) : null;
  // An option far from the end is often an article or a label; the kit looks at the first place of the letter.
  if (only !== null && words.indexOf(only) > words.length - 5) {
    return { letter: only, extracted: only, how: 'the only letter, near the end' };
  }
  if (letters.length === 0 && words.includes(REFUSED))
    return { letter: REFUSED, extracted: REFUSED, how: 'none of them' };
  const said = SAID.exec(answer);
  const letter = said?.[1]?.toUpperCase();
  if (said && letter !== undefined && letter.charCodeAt(0) - 65 < choices.length) {
    return { letter, extracted: said[0], how: 'after "answer is"' };
  }
  return null;
}

/** The only option whose text occurs, unless the answer is over twice as long as all options together. */
function inferText(answer: string, choices: readonly string[]): OptionRead | null {
  const lower = answer.toLowerCase();
  if (lower.length > 2 * choices.reduce((sum, choice) => sum + choice.length, 0)) return null;
  const named = choices.flatMap((choice, i) => (lower.includes(choice.toLowerCase()) ? [i] : []));
  const index = named.length === 1 ? (named[0] as number) : -1;
  return index < 0
    ? null
    : { letter: letterOf(index), extracted: choices[index] as string, how: 'the only option whose text occurs' };
}
