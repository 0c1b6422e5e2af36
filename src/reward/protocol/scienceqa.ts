// The rule by which LLaVA's scorer reads a choice of ScienceQA: the letter alone, `A. ` at the start, `The answer is A`.
import { compared, goldLetter, type Protocol, unreadable } from './protocol.js';

const LETTERS = 'ABCDE';

export const scienceqa: Protocol = {
  name: 'scienceqa',
  describe: 'rule of LLaVA for ScienceQA',
  grade(row) {
    const read = readLetter(row.response.replaceAll('\n', '. '));
    if (read === null || read.letter.charCodeAt(0) - 65 >= row.choices.length)
      return unreadable('no letter of a choice');
    return compared(read.extracted, read.letter, goldLetter(row), `as "${read.extracted}"`);
  },
};

function readLetter(text: string): { letter: string; extracted: string } | null {
  const alone = text.trim();
  if (alone.length === 1 && LETTERS.includes(alone)) return { letter: alone, extracted: alone };
  const first = text[0];
  if (first !== undefined && LETTERS.includes(first) && text.slice(1, 3) === '. ') {
    return { letter: first, extracted: first };
  }
  const said = /The answer is ([A-E])\./.exec(text) ?? /The answer is ([A-E])/.exec(text);
  return said && { letter: said[1] as string, extracted: said[0] };
}
