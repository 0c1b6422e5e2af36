// The rule by which MathVista normalises an extracted answer and compares it with the gold answer, string by string.
// Its extraction is a language model's: a recorded one is used as it is, else the quick rules of the scorer, else `mstar`.
import { letterAt } from '../../core/letters.js';
import { compared, unreadable } from '../answer/grade.js';
import { mstar } from './mstar.js';
import type { AnswerRow, Protocol } from './protocol.js';
import { python } from './python.js';

export const mathvista: Protocol = {
  name: 'mathvista',
  describe: 'rules of the MathVista scorer on the recorded extraction, or on our own where there is none',
  grade(row) {
    const { extraction, how } = extract(row);
    const extracted = extraction ?? '';
    if (row.questionType === 'multi_choice') {
      if (row.choices.length === 0) return unreadable('no choices');
      const { choice, rule } = toChoice(extraction ?? 'None', row.choices);
      return compared({ extracted, normalised: choice, how: `${how}, ${rule}` }, row.answer);
    }
    const normalised = toValue(row, extraction);
    return normalised === null
      ? unreadable(`${how}: no ${row.answerType}`)
      : compared({ extracted, normalised, how }, row.answer);
  },
};

function extract(row: AnswerRow): { readonly extraction: string | null; readonly how: string } {
  const { response, answerType } = row;
  if (row.extraction !== undefined) return { extraction: row.extraction, how: 'recorded extraction' };
  if (response === '') return { extraction: '', how: 'empty response' };
  if (row.questionType === 'multi_choice' && row.choices.includes(response))
    return { extraction: response, how: 'the response is a choice' };
  if ((answerType === 'integer' || answerType === 'float') && python.float(response) !== null)
    return { extraction: response, how: 'the response is a number' };
  const read = mstar.grade(row);
  return { extraction: read.normalised ?? '', how: read.reason };
}

/** The first letter in brackets or the whole text names a choice; any other text is taken for the most similar choice. */
function toChoice(extraction: string, choices: readonly string[]): { choice: string; rule: string } {
  const text = extraction.trim();
  const letter = /\(([a-zA-Z])\)/.exec(text)?.[1]?.toUpperCase() ?? text;
  const named = choices.find((_, i) => letterAt(i) === letter);
  if (named !== undefined) return { choice: named, rule: `choice ${letter}` };
  const rule = choices.includes(letter) ? 'choice text' : 'the choice at the smallest edit distance';
  // Of a longer text the start is compared, in code points.
  const points = Array.from(letter.slice(0, 4000)).slice(0, 2000);
  const distances = choices.map((choice) => distance(points, Array.from(choice)));
  return { choice: choices[distances.indexOf(Math.min(...distances))] as string, rule };
}

function toValue({ answerType, precision }: AnswerRow, extraction: string | null): string | null {
  if (answerType !== 'integer' && answerType !== 'float') return extraction;
  const number = extraction === null ? null : python.float(extraction);
  if (number === null) return null;
  if (answerType === 'integer') return python.int(number);
  return python.text(precision === undefined ? number : python.round(number, precision));
}

/** By Levenshtein. */
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
