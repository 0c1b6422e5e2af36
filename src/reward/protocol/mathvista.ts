// The rule by which MathVista normalises an extracted answer and compares it with the gold answer, string by string.
// Its extraction is a language model's: a recorded one is used as it is, else the quick rules of the scorer, else `mstar`.
import type { Grade } from '../../core/types.js';
import { mstar } from './mstar.js';
import { type AnswerRow, compared, letterOf, type Protocol, unreadable } from './protocol.js';
import { pythonFloat, pythonInt, pythonRound, pythonText } from './python.js';

/** Longest extraction whose distance to the choices is counted; of a longer one the start is. Code points. */
const LONGEST_COMPARED = 2000;

export const mathvista: Protocol = {
  name: 'mathvista',
  describe: 'rules of the MathVista scorer on the recorded extraction, or on our own where there is none',
  grade(row) {
    const { extraction, how } = extract(row);
    return normaliseAndCompare(row, extraction, how);
  },
};

interface Extraction {
  readonly extraction: string | null;
  readonly how: string;
}

function extract(row: AnswerRow): Extraction {
  if (row.extraction !== undefined) return { extraction: row.extraction, how: 'recorded extraction' };
  const { response } = row;
  if (response === '') return { extraction: '', how: 'empty response' };
  if (row.questionType === 'multi_choice' && row.choices.includes(response)) {
    return { extraction: response, how: 'the response is a choice' };
  }
  const number = row.answerType === 'integer' || row.answerType === 'float' ? pythonFloat(response) : null;
  if (number !== null) return { extraction: response, how: 'the response is a number' };
  const read = mstar.grade(row);
  return { extraction: read.normalised ?? '', how: read.reason };
}

function normaliseAndCompare(row: AnswerRow, extraction: string | null, how: string): Grade {
  const shown = extraction ?? '';
  if (row.questionType === 'multi_choice') {
    if (row.choices.length === 0) return unreadable('no choices');
    const { choice, rule } = toChoice(extraction ?? 'None', row.choices);
    return compared(shown, choice, row.answer, `${how}, ${rule}`);
  }
  const normalised = toValue(row, extraction);
  return normalised === null
    ? unreadable(`${how}: no ${row.answerType}`)
    : compared(shown, normalised, row.answer, how);
}

/** The first letter in brackets or the whole text names a choice; any other text is taken for the most similar choice. */
function toChoice(extraction: string, choices: readonly string[]): { choice: string; rule: string } {
  const text = extraction.trim();
  const letter = /\(([a-zA-Z])\)/.exec(text)?.[1]?.toUpperCase() ?? text;
  const index = choices.findIndex((_, i) => letterOf(i) === letter);
  if (index >= 0) return { choice: choices[index] as string, rule: `choice ${letter}` };
  const exact = choices.includes(letter);
  return {
    choice: mostSimilar(letter, choices),
    rule: exact ? 'choice text' : 'the choice at the smallest edit distance',
  };
}

function toValue({ answerType, precision }: AnswerRow, extraction: string | null): string | null {
  if (answerType !== 'integer' && answerType !== 'float') return extraction;
  const number = extraction === null ? null : pythonFloat(extraction);
  if (number === null) return null;
  if (answerType === 'integer') return pythonInt(number);
  return pythonText(precision === undefined ? number : pythonRound(number, precision));
}

/** The first of the choices at the smallest Levenshtein distance. */
export function mostSimilar(text: string, choices: readonly string[]): string {
  const points = Array.from(text.slice(0, 2 * LONGEST_COMPARED)).slice(0, LONGEST_COMPARED);
  const distances = choices.map((choice) => distance(points, Array.from(choice)));
  return choices[distances.indexOf(Math.min(...distances))] as string;
}

function distance(a: readonly string[], b: readonly string[]): number {
  let row = Uint32Array.from({ length: b.length + 1 }, (_, i) => i);
  let next = new Uint32Array(b.length + 1);
  for (let i = 0; i < a.length; i++) {
    next[0] = i + 1;
    for (let j = 0; j < b.length; j++) {
      const change = (row[j] as number) + (a[i] === b[j] ? 0 : 1);
      next[j + 1] = Math.min(change, (row[j + 1] as number) + 1, (next[j] as number) + 1);
    }
    [row, next] = [next, row];
  }
  return row[b.length] as number;
}
