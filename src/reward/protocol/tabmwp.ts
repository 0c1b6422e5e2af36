// The rule by which PromptPG's scorer reads and normalises an answer of TabMWP: phrases, then signs, then the last number.
// Where that scorer would draw a choice at random (a letter out of range), this one finds no answer.
import { type AnswerRow, compared, type Protocol, unreadable } from './protocol.js';
import { pythonFloat, pythonInt, pythonRound, pythonText } from './python.js';

export const tabmwp: Protocol = {
  name: 'tabmwp',
  describe: 'rule of PromptPG for TabMWP',
  grade(row) {
    const found = extractPrediction(row.response, row.choices);
    if (found === null) return unreadable('a letter that no choice has');
    const gold = normalise(row.answer, row.unit).toLowerCase();
    return compared(found, normalise(found, row.unit).toLowerCase(), gold, 'extracted');
  },
};

/** Tried in turn at the first match; the letter must stand in the group. */
const CHOICE_PATTERNS = [
  /^\(([A-Za-z])\)$/,
  /^([A-Za-z])$/,
  /^([A-Za-z]). /,
  /[Th]he answer is ([A-Z])/,
  /^\(([A-Za-z])\) [\s\S]+$/,
  /[Th]he answer is \(([A-Za-z])\) [\s\S]+$/,
];

/** Tried in turn at the last match. Repeats are bounded, so that time stays linear in the text. */
const VALUE_PATTERNS = [
  /[Th]he table shows that ([\d$.,/:]+) /g,
  / = ([\d$.,/:]+)/g,
  /(?<= be| is) ([-\d$.,/:]{0,40}\d)/g,
  /(?<= are| was) ([-\d$.,/:]{0,40}\d)/g,
  /(?<= were) ([-\d$.,/:]{0,40}\d)/g,
  / ([\d$.,/:]{1,40} [AP]\.M\.)/g,
  /([-\d$.,/:]{0,40}\d)/g,
];

function extractPrediction(response: string, choices: readonly string[]): string | null {
  const text = response
    .replace(/\$?\\frac\{([\d.,-]{1,40})\}\{([\d.,]{1,40})\}\$?/g, '$1/$2')
    .replace(/(?<![AP]\.M)\.$/, '')
    .replace(/(?<=\d)=(?=[-$\d])/g, ' = ')
    .replaceAll('\u2212', '-');
  return choices.length > 0 ? extractChoice(text, choices) : extractValue(text);
}

function extractChoice(text: string, choices: readonly string[]): string | null {
  for (const pattern of CHOICE_PATTERNS) {
    const letter = pattern.exec(text)?.[1]?.toUpperCase();
    if (letter === undefined || !'ABCDEF'.includes(letter)) continue;
    return choices[letter.charCodeAt(0) - 65] ?? null;
  }
  const scores = choices.map((choice) => similarity(choice, text));
  return choices[scores.indexOf(Math.max(...scores))] as string;
}

/** Share of common words; equal texts score highest. */
function similarity(a: string, b: string): number {
  if (a === b) return 2;
  if (!a.includes(' ') && !b.includes(' ')) return 0;
  const [wordsA, wordsB] = [a.split(' '), b.split(' ')];
  const setB = new Set(wordsB);
  const common = [...new Set(wordsA)].filter((word) => setB.has(word)).length;
  return common / Math.max(wordsA.length, wordsB.length);
}

function extractValue(text: string): string {
  const said = /[Th]he answer is ([\s\S]+)$/.exec(text)?.[1];
  const found = said ?? lastMatch(text);
  if (found === undefined) return text;
  const value = found.trim();
  return value.endsWith('.') && !value.includes('.M.') ? value.slice(0, -1) : value;
}

function lastMatch(text: string): string | undefined {
  for (const pattern of VALUE_PATTERNS) {
    const last = Array.from(text.matchAll(pattern)).at(-1);
    if (last) return last[1];
  }
  return undefined;
}

/** Numbers and fractions to three decimals, texts without their unit. */
function normalise(answer: string, unit: AnswerRow['unit']): string {
  const text = answer.replace(/^\$/, '').replace(/[,./]$/, '');
  if (!/^[-+]?[\d,./]+$/.test(text)) return unit ? text.replaceAll(unit, '').trim() : text;
  const plain = text.replaceAll(',', '');
  const number = /^[-+]?\d+$/.test(plain) ? pythonInt(Number(plain)) : decimal(plain);
  return number?.replace(/\.0+$/, '') ?? text;
}

function decimal(text: string): string | null {
  const [top, bottom] = text.split('/').map(pythonFloat);
  if (top === undefined || top === null || bottom === null) return null;
  if (bottom === 0) return null;
  return pythonText(pythonRound(top / (bottom ?? 1), 3));
}
