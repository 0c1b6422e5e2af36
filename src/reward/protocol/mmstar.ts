// The rule of the MMStar matcher: the response must open with the letter, in one of four ways.
// A long chain of thought fails it by design; the `mstar` protocol reads those.
import { compared, goldLetter, type Protocol, unreadable } from './protocol.js';

/** Openings after which the letter stands. */
const OPENINGS = ['', '(', 'option ', 'the answer is '];

export const mmstar: Protocol = {
  name: 'mmstar',
  describe: 'rule of the MMStar matcher',
  grade(row) {
    const answer = row.answer.toLowerCase().trim().replaceAll('\n', ' ');
    const text = row.response.toLowerCase().trim().replaceAll('\n', ' ');
    const openings = OPENINGS.filter((opening) => text.startsWith(opening) && text.length > opening.length);
    const right = openings.find((opening) => text[opening.length] === answer);
    if (right !== undefined)
      return compared(`${right}${answer}`, answer.toUpperCase(), goldLetter(row), 'opens with', true);
    // The longest opening says which letter the response chose, for the reader of the report.
    const chosen = openings.at(-1);
    const letter = chosen === undefined ? '' : (text[chosen.length] as string);
    const isLetter = /^[a-z]$/.test(letter) && (chosen !== '' || !/^[a-z]{2}/.test(text));
    if (!isLetter) return unreadable('does not open with a letter');
    return compared(`${chosen}${letter}`, letter.toUpperCase(), goldLetter(row), 'opens with', false);
  },
};
