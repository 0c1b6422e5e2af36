// MathVista: Parquet with pictures inside, or annot_*.json, one object by problem id, with paths.
// Leaves scoring to the protocols. The text of a problem is the official query.
import { readFile } from 'node:fs/promises';
import type { AnswerType, ImageSource, Problem } from '../../core/types.js';
import { message, type Place, refuse, shown } from '../refuse.js';
import { embeddedPicture, hasPicture } from './embedded.js';
import {
  type DataFormat,
  letterAt,
  optionalText,
  type ReadContext,
  type Reading,
  tagsOf,
  textOf,
  withChoices,
} from './format.js';
import { readRows } from './rows.js';

type Fields = Readonly<Record<string, unknown>>;
const TAGS = ['task', 'category', 'context', 'grade', 'language', 'source', 'skills', 'split'];
const HINTS: Readonly<Record<string, string>> = {
  integer: 'requiring an integer answer and provide the final value, e.g., 1, 2, 3, at the end.',
  float1:
    'requiring a floating-point number with one decimal place and provide the final value, e.g., 1.2, 1.3, 1.4, at the end.',
  float2:
    'requiring a floating-point number with two decimal places and provide the final value, e.g., 1.23, 1.34, 1.45, at the end.',
  list: 'requiring a Python list as an answer and provide the final list, e.g., [1, 2, 3], [1.2, 1.3, 1.4], at the end.',
};

export const format: DataFormat = {
  name: 'mathvista',
  description: 'MathVista: testmini-*.parquet with pictures inside, or annot_testmini.json beside images/',
  accepts: ({ first }) =>
    ('pid' in first && 'question_type' in first) ||
    Object.values(first).some((value) => isFields(value) && 'pid' in value),
  async *read(file, context) {
    for await (const { value, line, index } of rows(file)) yield reading(value, index, { file, line }, context);
  },
};

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function* rows(file: string): AsyncGenerator<{ value: Fields; line: number; index: number }> {
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
        yield { value, line, index };
      }
    }
  }
}

function reading(row: Fields, index: number, at: Place, context: ReadContext): Reading {
  const id = textOf(row, 'pid', at);
  const path = optionalText(row, 'image');
  const inside = hasPicture(row.decoded_image)
    ? embeddedPicture(row.decoded_image, path || id, at, 'decoded_image')
    : undefined;
  const image = inside?.source ?? beside(path, context, at);
  const metadata = isFields(row.metadata) ? row.metadata : {};
  const choices = Array.isArray(row.choices) ? row.choices.map(String) : [];
  const unit = optionalText(row, 'unit') || undefined;
  const precision = row.precision === null || row.precision === undefined ? undefined : Number(row.precision);
  const answerType = (choices.length > 0 ? 'text' : optionalText(row, 'answer_type')) as AnswerType;
  const problem: Problem = {
    id,
    question: optionalText(row, 'query') || query(textOf(row, 'question', at), choices, unit, answerType, precision),
    images: image ? [image] : [],
    answer: answer(optionalText(row, 'answer'), choices, at),
    questionType: choices.length > 0 ? 'multi_choice' : 'free_form',
    answerType,
    choices,
    ...(precision === undefined ? {} : { precision }),
    ...(unit === undefined ? {} : { unit }),
    source: optionalText(metadata, 'source'),
    tags: tagsOf(metadata, TAGS),
  };
  return { problem, index, at, picture: inside?.key ?? path };
}

/** The annotations come without their pictures. */
function beside(
  path: string,
  { pictures, onWarning, onMissingPicture }: ReadContext,
  at: Place,
): ImageSource | undefined {
  const found = path === '' ? { found: 'missing', wanted: 'a path' } : pictures.resolve(path);
  if (typeof found === 'string') return { path: found };
  if (onMissingPicture) onMissingPicture(path, found.found);
  else onWarning(message(at, 'image', `${shown(path)}: ${found.found}; read without a picture`, found.wanted));
  return undefined;
}

/** The official answer of a multiple-choice problem is the text of the choice; the hidden ones of the test split are empty. */
function answer(text: string, choices: readonly string[], at: Place): string {
  if (choices.length === 0 || text === '') return text;
  const index = choices.indexOf(text);
  if (index < 0) refuse(at, 'answer', shown(text), 'one of the choices');
  return letterAt(index);
}

function query(
  question: string,
  choices: readonly string[],
  unit: string | undefined,
  type: AnswerType,
  precision?: number,
): string {
  const hint =
    choices.length > 0
      ? 'and provide the correct option letter, e.g., A, B, C, D, at the end.'
      : (HINTS[type === 'float' ? `float${precision}` : type] ?? '');
  const lines = hint === '' ? [] : [`Hint: Please answer the question ${hint}`];
  const asked = `Question: ${question}${unit === undefined ? '' : ` (Unit: ${unit})`}`;
  return [...lines, choices.length > 0 ? withChoices(asked, choices) : asked].join('\n');
}
