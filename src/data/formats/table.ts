// A flat table, whatever its kind of file: a column each for question, answer and picture, perhaps for choices and
// more. Usual names are known; others are said by the user.
import { UserError } from '../../core/errors.js';
import { letterAt } from '../../core/letters.js';
import { askedProblem } from '../asked.js';
import { settleMarks } from '../marks.js';
import { isPicture, picturesOf } from '../pictures.js';
import { anyText, checkText, MAX_TEXT, message, type Place, refuse, shown, tagsOf, textsOf } from '../refuse.js';
import { type Columns, type DataFormat, lettered, type ReadContext, type Reading } from './format.js';
import { kindOf, type Row, readRows } from './rows.js';

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
    ['question', 'answer'].every((role) =>
      USUAL[role]?.some((column) => {
        // A list of turns is a conversation and not a text.
        const value = first[column];
        return column in first && !(Array.isArray(value) && typeof value[0] === 'object');
      }),
    ),
  async *read(file, context) {
    const table = new Table(file, context);
    const isTable = (await kindOf(file)) !== 'json';
    let first: Row['value'] | undefined;
    for await (const row of readRows(file)) {
      table.see(row);
      // Records of JSON may leave out what they do not have, rows of a table may not.
      if (first === undefined) table.checkNeeded(row.value, isTable);
      first ??= row.value;
      yield table.reading(row);
    }
    if (first) table.checkNeeded(first, true);
  },
};

class Table {
  readonly #file: string;
  readonly #context: ReadContext;
  readonly #columns: Columns;
  /** Columns that the user names and that no row has had yet. */
  readonly #unseen: Set<string>;
  /** Columns with pictures that are not read, of which the user was told. */
  readonly #told = new Set<string>();

  constructor(file: string, context: ReadContext) {
    const given = context.columns ?? {};
    const unknown = Object.keys(given).find((role) => !(role in USUAL));
    if (unknown !== undefined)
      throw new UserError(`${file}: columns: ${shown(unknown)}, wanted one of ${Object.keys(USUAL).join(', ')}`);
    this.#file = file;
    this.#context = context;
    this.#columns = { ...USUAL, ...given };
    this.#unseen = new Set(Object.values(given).flat());
  }

  /** Notes the columns that a row has. */
  see({ value }: Row): void {
    for (const column of this.#unseen) if (cell(value, column) !== undefined) this.#unseen.delete(column);
  }

  /** Pictures that lie in columns of other names must not be lost without a word. */
  #tellUnused({ value, at }: Row): void {
    const known = this.#columns.image ?? [];
    const unused = Object.keys(value).filter(
      (name) => !known.includes(name) && !this.#told.has(name) && isPicture(value[name]),
    );
    const [column] = unused;
    if (column === undefined) return;
    const read = known.filter((name) => !isEmpty(cell(value, name)));
    const wanted = `--columns ${[...read, ...unused].map((name) => `image=${name}`).join(',')}`;
    if (read.length === 0) refuse(at, column, 'a picture in a column that is not read', wanted);
    this.#context.onWarning(message(at, column, 'a picture in a column that is not read', wanted));
    for (const name of unused) this.#told.add(name);
  }

  /** Refuses columns that the user names and that are not there, and records without question or answer. */
  checkNeeded(first: Row['value'], isTable: boolean): void {
    const there = `wanted one of ${Object.keys(first).join(', ')}`;
    const lacking = ['question', 'answer'].filter(
      (role) => !this.#columns[role]?.some((name) => cell(first, name) !== undefined),
    );
    for (const [role, names] of Object.entries(this.#columns)) {
      const lost = names.find((name) => this.#unseen.has(name));
      if (lost !== undefined && (isTable || lacking.includes(role)))
        throw new UserError(`${this.#file}: columns: ${role}=${lost}: no such column, ${there}`);
    }
    const [role] = lacking;
    if (role !== undefined)
      throw new UserError(`${this.#file}: columns: none for the ${role}, ${there} as --columns ${role}=NAME`);
  }

  reading(row: Row): Reading {
    this.#tellUnused(row);
    const { value, index, at } = row;
    const columns = this.#columns;
    const context = this.#context;
    // Only of pictures a later column may stand in where a row has none: a row without an answer has no other.
    const field = (role: string): string => columns[role]?.find((column) => cell(value, column) !== undefined) ?? role;
    const first = (role: string): unknown => {
      const found = cell(value, field(role));
      return isEmpty(found) ? undefined : found;
    };
    const choices = choicesOf(first('choices') ?? lettered(value, at), at, field('choices'));
    const setting = first('context');
    const given = first('question');
    const isNumber = typeof given === 'number' || typeof given === 'bigint';
    const question = isNumber ? String(given) : checkText(given, at, field('question'), MAX_TEXT);
    const asked = setting === undefined ? question : `${anyText(setting, at, field('context')).trim()}\n${question}`;
    // Of all columns that the user names; of the usual ones of the first that holds something.
    const held = (columns.image ?? []).filter((column) => !isEmpty(cell(value, column)));
    const pictures = held
      .slice(0, context.columns?.image ? held.length : 1)
      .flatMap((column) => picturesOf(listIn(cell(value, column)), at, column, context));
    const settled = settleMarks([asked], pictures, at, field('image'));
    const answer = answerOf(first('answer'), choices, at, field('answer'));
    const problem = askedProblem(
      {
        id: anyText(first('id') ?? index, at, field('id')),
        question: settled.texts[0] as string,
        answer,
        fields: [field('question'), field('answer')],
        images: settled.pictures.flatMap(({ source }) => source ?? []),
        choices,
        unit: anyText(first('unit'), at, field('unit')) || undefined,
        source: anyText(first('source'), at, field('source')),
        ...(columns.tag?.length && { tags: tagsOf(value, columns.tag, at) }),
      },
      at,
      context,
    );
    return { problem, index, at, picture: pictures.map(({ key }) => key).join('\0'), response: answer };
  }
}

/** The value of a column, or of a field inside it: `reward_model.ground_truth`. */
function cell(row: Row['value'], column: string): unknown {
  if (column in row) return row[column];
  return column.split('.').reduce<unknown>((value, name) => (value as Row['value'] | null | undefined)?.[name], row);
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

/** A list that a text cell spells as JSON or as Python does; any other value as it is. */
function listIn(value: unknown): unknown {
  // Longer cells are no lists: the pattern below takes time by the square of the length where quotes do not close.
  if (typeof value !== 'string' || value.length > 16_384) return value;
  const text = value.trim();
  if (!text.startsWith('[') || !text.endsWith(']')) return value;
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
  const held = Object.values(listed as object).filter((choice) => !isEmpty(choice));
  const choices = textsOf(held, at, field);
  if (choices.length === 1) refuse(at, field, 'one choice', 'none, or two or more');
  return choices;
}

/** The text of an answer, perhaps in a list of one. Beside choices a number is the place of one, from 0, where it is not their text. */
function answerOf(given: unknown, choices: readonly string[], at: Place, field: string): string {
  const only = Array.isArray(given) && given.length === 1 ? given[0] : given;
  const isNumber = typeof only === 'number' || typeof only === 'bigint';
  if (!isNumber && typeof only !== 'string' && typeof only !== 'boolean') refuse(at, field, shown(only), 'one answer');
  const text = String(only).trim();
  const isPlace = choices.length > 0 && (isNumber || (/^\d+$/.test(text) && !choices.includes(text)));
  if (!isPlace) return text;
  if (!(Number(text) < choices.length))
    refuse(at, field, shown(only), `a choice, or its place from 0 to ${choices.length - 1}`);
  return letterAt(Number(text));
}
