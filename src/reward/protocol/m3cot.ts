// The rule of the M3CoT judge: the last letter in brackets, else the last choice whose text occurs, else a lone letter.
import { compared, goldLetter, letterOf, type Protocol, unreadable } from './protocol.js';

const IN_BRACKETS = /\(([A-Za-z])\)/g;

export const m3cot: Protocol = {
  name: 'm3cot',
  describe: 'rule of the M3CoT judge',
  grade(row) {
    const read = readLetter(row.response, row.choices);
    return read === null
      ? unreadable('no letter in brackets, no choice text, no lone letter')
      : compared(read.extracted, read.letter, goldLetter(row), read.how);
  },
};

interface LetterRead {
  readonly letter: string;
  readonly extracted: string;
  readonly how: string;
}

function readLetter(response: string, choices: readonly string[]): LetterRead | null {
  const text = answerPart(response);
  const bracketed = Array.from(text.matchAll(IN_BRACKETS)).at(-1);
  if (bracketed) {
    const letter = (bracketed[1] as string).toUpperCase();
    return { letter, extracted: bracketed[0], how: 'the last letter in brackets' };
  }
  const lower = text.toLowerCase();
  const named = choices.findLastIndex((choice) => lower.includes(choice.toLowerCase()));
  if (named >= 0) {
    return { letter: letterOf(named), extracted: choices[named] as string, how: 'the last choice whose text occurs' };
  }
  const words = new Set(text.replace(/[\n.,!?]/g, ' ').split(' '));
  for (const cased of [(letter: string) => letter, (letter: string) => letter.toLowerCase()]) {
    const lone = choices.findLastIndex((_, i) => words.has(cased(letterOf(i))));
    if (lone >= 0) return { letter: letterOf(lone), extracted: cased(letterOf(lone)), how: 'the last lone letter' };
  }
  return null;
}

/** What follows the last `[Answer]`, up to the next part of that template. */
function answerPart(text: string): string {
  const at = text.lastIndexOf('[Answer]');
  if (at < 0) return text;
  const after = text.slice(at + '[Answer]'.length);
  return (after.split('[Rationale]', 1)[0] as string).split('[Context]', 1)[0] as string;
}
