// A flat table, whatever its kind of file: a column each for question, answer and picture, perhaps for choices and more. Usual names
// are known; others are said by the user. Leaves pictures to pictures.ts and the texts of question and answer to asked.ts.
import { UserError } from '../../core/errors.js';
import { askedProblem } from '../asked.js';
import { settleMarks } from '../marks.js';
import { isPicture, picturesOf } from '../pictures.js';
import { message, type Place, refuse, shown } from '../refuse.js';
import { checkText, MAX_TEXT } from '../truth.js';
import { type Columns, type DataFormat, letterAt, lettered, type ReadContext, type Reading, tagsOf } from './format.js';
import { type Row, readRows } from './rows.js';

/** What a column can hold, and the names that are looked for, in order, where the user says none. */
const USUAL: Columns = {
  question: ['question', 'problem', 'query', 'prompt', 'instruction'],
  answer: ['answer', 'ground_truth', 'label', 'solution', 'final_answer', 'response'],
  image: ['decoded_image', 'image', 'images', 'picture', 'img', 'image_path', 'image_file'],
  choices: ['choices', 'options'],
  context: ['context'],
  id: ['id', 'index', 'question_id', 'qid', 'pid'],
  unit: ['unit'],
  source: ['data_source', 'source', 'dataset'],
  tag: [],
};

export const format: DataFormat = {
  name: 'table',
  description:
    'a flat table: CSV, TSV, JSON or Parquet with question, answer, image, choices; other names by --columns',
  accepts: ({ first }) =>
    ['question', 'answer'].every((role) => USUAL[role]?.some((column) => isValue(first[column]) && column in first)),
  async *read(file, context) {
    let columns: Columns | undefined;
    const told = new Set<string>();
    for await (const row of readRows(file)) {
      columns ??= columnsOf(file, row.value, context.columns);
      tellUnused(row, columns, told, context);
      yield reading(row, columns, context);
    }
  },
};

/** A list of turns is a conversation and not a text. */
function isValue(value: unknown): boolean {
  return !(Array.isArray(value) && typeof value[0] === 'object');
}

/** The columns that the user names, then the usual ones that are there. Throws UserError. */
function columnsOf(file: string, first: Row['value'], given: Columns = {}): Columns {
  const there = Object.keys(first).join(', ');
  const unknown = Object.keys(given).find((role) => !(role in USUAL));
  if (unknown !== undefined)
    throw new UserError(`${file}: columns: ${shown(unknown)}, wanted one of ${Object.keys(USUAL).join(', ')}`);
  const found = Object.entries(USUAL).map(([role, usual]): [string, readonly string[]] => {
    const named = given[role];
    const lost = named?.find(
      (column) => cell(first, column) === undefined && !((column.split('.')[0] as string) in first),
    );
    if (lost !== undefined)
      throw new UserError(`${file}: columns: ${role}=${lost}: no such column, wanted one of ${there}`);
    return [role, named ?? usual.filter((column) => column in first)];
  });
  const columns = Object.fromEntries(found);
  for (const role of ['question', 'answer'])
    if (columns[role]?.length === 0)
      throw new UserError(`${file}: columns: none for the ${role}, wanted --columns ${role}=NAME with one of ${there}`);
  return columns;
}

/** The value of a column, or of a field inside it: `reward_model.ground_truth`. */
function cell(row: Row['value'], column: string): unknown {
  if (column in row) return row[column];
  return column.split('.').reduce<unknown>((value, name) => (value as Row['value'] | null | undefined)?.[name], row);
}

function reading({ value, index, at }: Row, columns: Columns, context: ReadContext): Reading {
  const first = (role: string): unknown =>
    columns[role]?.map((column) => cell(value, column)).find((found) => !isEmpty(found));
  const choices = choicesOf(first('choices') ?? lettered(value), at, columns.choices?.[0] ?? 'choices');
  const setting = first('context');
  const question = textIn(first('question'), at, columns.question?.[0] as string);
  const asked = setting === undefined ? question : `${String(setting).trim()}\n${question}`;
  const { field, pictures } = pictured(value, columns, at, context);
  const settled = settleMarks([asked], pictures, at, field);
  const problem = askedProblem(
    {
      id: String(first('id') ?? index),
      question: settled.texts[0] as string,
      answer: answerOf(first('answer'), choices, at, columns.answer?.[0] as string),
      fields: [columns.question?.[0] as string, columns.answer?.[0] as string],
      images: settled.pictures.flatMap(({ source }) => source ?? []),
      choices,
      unit: first('unit') as string | undefined,
      source: String(first('source') ?? ''),
      ...(columns.tag?.length && { tags: tagsOf(value, columns.tag) }),
    },
    at,
    context,
  );
  return { problem, index, at, picture: pictures.map(({ key }) => key).join('\0') };
}

/** All columns that the user names; of the usual ones the first that holds something. */
function pictured(row: Row['value'], columns: Columns, at: Place, context: ReadContext) {
  const named = context.columns?.image ?? [];
  const held = (columns.image ?? []).filter((column) => !isEmpty(cell(row, column)));
  const taken = named.length > 0 ? held : held.slice(0, 1);
  const pictures = taken.flatMap((column) => picturesOf(listIn(cell(row, column)), at, column, context));
  return { field: taken[0] ?? columns.image?.[0] ?? 'image', pictures };
}

/** Pictures that lie in columns of other names must not be lost without a word. */
function tellUnused({ value, at }: Row, columns: Columns, told: Set<string>, context: ReadContext): void {
  const image = columns.image ?? [];
  const unused = Object.keys(value).filter(
    (name) => !image.includes(name) && !told.has(name) && isPicture(value[name]),
  );
  const [column] = unused;
  if (column === undefined) return;
  const wanted = `--columns ${[...image, ...unused].map((name) => `image=${name}`).join(',')}`;
  if (image.length === 0) refuse(at, column, 'a picture in a column that is not read', wanted);
  context.onWarning(message(at, column, 'a picture in a column that is not read', wanted));
  for (const name of unused) told.add(name);
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

/** A list that a text cell spells as JSON or as Python does; any other value as it is. */
function listIn(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*\[[\s\S]*\]\s*$/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    const texts = [...value.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g)];
    return texts.length > 0
      ? texts.map(([, single, double]) => (single ?? double ?? '').replace(/\\(.)/g, '$1'))
      : value;
  }
}

/** A list, a text that spells one, or choices by letter. */
function choicesOf(given: unknown, at: Place, field: string): string[] {
  const listed = listIn(given);
  if (isEmpty(listed)) return [];
  if (typeof listed !== 'object') refuse(at, field, shown(listed), 'a list of choices');
  const choices = Object.values(listed as object)
    .filter((choice) => !isEmpty(choice))
    .map(String);
  if (choices.length === 1) refuse(at, field, 'one choice', 'none, or two or more');
  return choices;
}

/** The text of an answer. Beside choices a number is one of them, or else the place of one, from 0. */
function answerOf(given: unknown, choices: readonly string[], at: Place, field: string): string {
  const listed = listIn(given);
  const [only, ...more] = Array.isArray(listed) && choices.length + listed.length > 0 ? listed : [given];
  if (more.length > 0) return choices.length > 0 ? refuse(at, field, shown(listed), 'one answer') : String(given);
  const isNumber = typeof only === 'number' || typeof only === 'bigint';
  if (!isNumber && typeof only !== 'string' && typeof only !== 'boolean') refuse(at, field, shown(only), 'an answer');
  const text = String(only).trim();
  const isPlace = choices.length > 0 && (isNumber || (/^\d+$/.test(text) && !choices.includes(text)));
  if (!isPlace) return text;
  if (!(Number(text) < choices.length))
    refuse(at, field, shown(only), `a choice, or its place from 0 to ${choices.length - 1}`);
  return letterAt(Number(text));
}

function textIn(value: unknown, at: Place, field: string): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return checkText(value, at, field, MAX_TEXT);
}
