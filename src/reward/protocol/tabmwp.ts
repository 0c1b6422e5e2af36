// The rule by which PromptPG's scorer reads and normalises an answer of TabMWP: phrases, then signs, then the last number.
// Where that scorer would draw a choice at random (a letter out of range), this one finds no answer.
import { placeOf } from '../../core/letters.js';
import { compared, unreadable } from '../answer/grade.js';
import type { AnswerRow, Protocol } from './protocol.js';
import { python } from './python.js';

export const tabmwp: Protocol = {
  name: 'tabmwp',
  describe: 'rule of PromptPG for TabMWP',
  grade({ response, choices, answer, unit }) {
    const text = response
      .replace(/\$?\\frac\{([\d.,-]{1,40})\}\{([\d.,]{1,40})\}\$?/g, '$1/$2')
      .replace(/(?<![AP]\.M)\.$/, '')
      .replace(/(?<=\d)=(?=[-$\d])/g, ' = ')
      .replaceAll('\u2212', '-');
    const found = choices.length > 0 ? extractChoice(text, choices) : extractValue(text);
    if (found === null) return unreadable('a letter that no choice has');
    const gold = normalise(answer, unit).toLowerCase();
    return compared({ extracted: found, normalised: normalise(found, unit).toLowerCase(), how: 'extracted' }, gold);
  },
};

const PATTERNS = {
  /** Tried in turn at the first match; the letter must stand in the group. */
  choice: [
    /^\(([A-Za-z])\)$/,
    /^([A-Za-z])$/,
    /^([A-Za-z]). /,
    /[Th]he answer is ([A-Z])/,
    /^\(([A-Za-z])\) [\s\S]+$/,
    /[Th]he answer is \(([A-Za-z])\) [\s\S]+$/,
  ],
  /** Tried in turn at the last match. Repeats are bounded, so that time stays linear in the text. */
  value: [
    /[Th]he table shows that ([\d$.,/:]+) /g,
    / = ([\d$.,/:]+)/g,
    /(?<= be| is) ([-\d$.,/:]{0,40}\d)/g,
    /(?<= are| was) ([-\d$.,/:]{0,40}\d)/g,
    /(?<= were) ([-\d$.,/:]{0,40}\d)/g,
    / ([\d$.,/:]{1,40} [AP]\.M\.)/g,
    /([-\d$.,/:]{0,40}\d)/g,
  ],
};

function extractChoice(text: string, choices: readonly string[]): string | null {
  for (const pattern of PATTERNS.choice) {
    const letter = pattern.exec(text)?.[1]?.toUpperCase();
    if (letter === undefined || !'ABCDEF'.includes(letter)) continue;
    return choices[placeOf(letter)] ?? null;
  }
  // Share of common words; equal texts score highest.
  const scores = choices.map((choice) => {
    if (choice === text) return 2;
    if (!choice.includes(' ') && !text.includes(' ')) return 0;
    const [wanted, said] = [choice.split(' '), text.split(' ')];
    const common = [...new Set(wanted)].filter((word) => said.includes(word)).length;
    return common / Math.max(wanted.length, said.length);
  });
  return choices[scores.indexOf(Math.max(...scores))] as string;
}

function extractValue(text: string): string {
  const said = /[Th]he answer is ([\s\S]+)$/.exec(text)?.[1];
  const last = (pattern: RegExp): string | undefined => Array.from(text.matchAll(pattern)).at(-1)?.[1];
  const pattern = said === undefined ? PATTERNS.value.find((pattern) => last(pattern) !== undefined) : undefined;
  const found = said ?? (pattern && last(pattern));
  if (found === undefined) return text;
  const value = found.trim();
  return value.endsWith('.') && !value.includes('.M.') ? value.slice(0, -1) : value;
}

/** Numbers and fractions to three decimals, texts without their unit. */
function normalise(answer: string, unit: AnswerRow['unit']): string {
  const text = answer.replace(/^\$/, '').replace(/[,./]$/, '');
  if (!/^[-+]?[\d,./]+$/.test(text)) return unit ? text.replaceAll(unit, '').trim() : text;
  const plain = text.replaceAll(',', '');
  if (/^[-+]?\d+$/.test(plain)) return python.int(Number(plain))?.replace(/\.0+$/, '') ?? text;
  const [top, bottom = 1] = plain.split('/').map(python.float);
  if (top === undefined || top === null || bottom === null || bottom === 0) return text;
  return python.text(python.round(top / bottom, 3)).replace(/\.0+$/, '');
}
