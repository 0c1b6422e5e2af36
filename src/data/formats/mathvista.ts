// MathVista: Parquet with pictures inside, or annot_*.json, one object by problem id, with paths. The text of a problem
// is the official query.
import { readFile } from 'node:fs/promises';
import { letterAt } from '../../core/letters.js';
import type { AnswerType, Problem } from '../../core/types.js';
import { hasPicture, missingPicture, picturesOf } from '../pictures.js';
import { hintLine } from '../question.js';
import { type Fields, optionalText, refuse, shown, tagsOf, textOf, textsOf } from '../refuse.js';
import { type DataFormat, type ReadContext, type Reading, withChoices } from './format.js';
import { type Row, readRows } from './rows.js';

const ANSWER_TYPES: readonly AnswerType[] = ['text', 'integer', 'float', 'list'];

export const format: DataFormat = {
  name: 'mathvista',
  description: 'MathVista: testmini-*.parquet with pictures inside, or annot_testmini.json beside images/',
  accepts: ({ first }) =>
    ('pid' in first && 'question_type' in first) ||
    Object.values(first).some((value) => isFields(value) && 'pid' in value),
  official: true,
  async *read(file, context) {
    for await (const row of rows(file)) yield reading(row, context);
  },
};

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function* rows(file: string): AsyncGenerator<Row> {
  for await (const row of readRows(file)) {
    if ('pid' in row.value) yield row;
    else {
      // One object that holds all problems by id: small enough to be read whole, and its lines are wanted for messages.
      const lines = (await readFile(file, 'utf8')).split('\n');
      let line = 1;
      for (const [index, [pid, value]] of Object.entries(row.value).entries()) {
        const found = lines.findIndex(
          (text, i) => i >= line - 1 && text.trimStart().startsWith(`${JSON.stringify(pid)}:`),
        );
        if (found >= 0) line = found + 1;
        if (!isFields(value)) refuse({ file, line }, pid, shown(value), 'an object');
        yield { value, at: { file, line }, index };
      }
    }
  }
}

function reading({ value: row, index, at }: Row, context: ReadContext): Reading {
  const id = textOf(row, 'pid', at);
  // Every problem has one, in one of two columns; the annotations come without it.
  const field = hasPicture(row.decoded_image) ? 'decoded_image' : 'image';
  const why = { found: 'no picture', wanted: 'its path or its bytes' };
  const [picture = missingPicture('', why, context, at, field)] = picturesOf(row[field], at, field, context);
  const metadata = isFields(row.metadata) ? row.metadata : {};
  const choices = Array.isArray(row.choices) ? textsOf(row.choices, at, 'choices') : [];
  const unit = optionalText(row, 'unit', at) || undefined;
  const precision = row.precision === null || row.precision === undefined ? undefined : Number(row.precision);
  if (precision !== undefined && !(Number.isInteger(precision) && precision >= 0 && precision <= 15))
    refuse(at, 'precision', shown(row.precision), 'an integer from 0 to 15');
  const multiChoice = choices.length > 0;
  const given = multiChoice ? 'text' : row.answer_type;
  const answerType =
    ANSWER_TYPES.find((type) => type === given) ?? refuse(at, 'answer_type', shown(given), ANSWER_TYPES.join(', '));
  // The official answer of a multiple-choice problem is the text of the choice; the hidden ones of the test split are empty.
  const answer = optionalText(row, 'answer', at);
  const place = choices.indexOf(answer);
  if (multiChoice && answer !== '' && place < 0) refuse(at, 'answer', shown(answer), 'one of the choices');
  const problem: Problem = {
    id,
    question:
      optionalText(row, 'query', at) || query(textOf(row, 'question', at), choices, unit, answerType, precision),
    images: picture.source ? [picture.source] : [],
    answer: multiChoice && answer !== '' ? letterAt(place) : answer,
    questionType: multiChoice ? 'multi_choice' : 'free_form',
    answerType,
    choices,
    ...(precision === undefined ? {} : { precision }),
    ...(unit === undefined ? {} : { unit }),
    source: optionalText(metadata, 'source', at),
    tags: tagsOf(metadata, ['task', 'category', 'context', 'grade', 'language', 'source', 'skills', 'split'], at),
  };
  return { problem, index, at, picture: picture.key };
}

function query(
  question: string,
  choices: readonly string[],
  unit: string | undefined,
  type: AnswerType,
  precision?: number,
): string {
  const asked = `Question: ${question}${unit === undefined ? '' : ` (Unit: ${unit})`}`;
  if (choices.length > 0) return hintLine('choice') + withChoices(asked, choices);
  return hintLine({ answerType: type, ...(precision !== undefined && { precision }) }) + asked;
}
