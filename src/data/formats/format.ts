// What a file format of problems is, and what its readers share: choices by letter, texts of a row.
import type { ImageSource, Problem } from '../../core/types.js';
import type { Hints } from '../asked.js';
import type { ImageRoot } from '../image-root.js';
import { type Place, refuse, shown } from '../refuse.js';

/** The start of a file: enough to tell its format. */
export interface Head {
  readonly kind: 'json' | 'csv' | 'tsv' | 'parquet';
  /** The first record. */
  readonly first: Readonly<Record<string, unknown>>;
}

/** Columns of a flat table by what they hold. */
export type Columns = Readonly<Record<string, readonly string[]>>;

export interface ReadContext {
  readonly pictures: ImageRoot;
  readonly columns?: Columns | undefined;
  readonly hints: Hints;
  readonly onWarning: (warning: string) => void;
  readonly onMissingPicture?: ((path: string, why: string) => void) | undefined;
}

/** A problem and where it stood. */
export interface Reading {
  readonly problem: Problem;
  readonly index: number;
  readonly at: Place;
  /** Tells pictures apart: a path, or a digest. */
  readonly picture: string;
}

export interface DataFormat {
  /** File name in this folder. */
  readonly name: string;
  /** One line for a reader: what the data set is called and how its files look. */
  readonly description: string;
  /** The questions stand as a benchmark's official code writes them: other hints are refused. */
  readonly official?: true;
  accepts(head: Head): boolean;
  /** Problems in file order. Throws UserError naming file, line and field. */
  read(file: string, context: ReadContext): AsyncGenerator<Reading>;
}

export const letterAt = (index: number): string => String.fromCharCode(65 + index);

/** The text of a field. Throws UserError where there is none. */
export function textOf(row: Readonly<Record<string, unknown>>, field: string, at: Place): string {
  const value = row[field];
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value !== 'string' || value.trim() === '') refuse(at, field, shown(value), 'a text');
  return value as string;
}

/** Text of a value that may be absent; lists and objects have none. Throws UserError. */
export function anyText(value: unknown, at: Place, field: string): string {
  if (typeof value === 'object' && value !== null) refuse(at, field, shown(value), 'a text');
  return value === null || value === undefined ? '' : String(value);
}

/** The text of a field that may be empty or absent. Throws UserError where it is a list or an object. */
export function optionalText(row: Readonly<Record<string, unknown>>, field: string, at: Place): string {
  return anyText(row[field], at, field);
}

/** Texts of a list. Throws UserError. */
export function textsOf(list: readonly unknown[], at: Place, field: string): string[] {
  return list.map((value, i) => anyText(value, at, `${field}[${i}]`));
}

/** Fields as tags, those without a text left out. Throws UserError. */
export function tagsOf(
  row: Readonly<Record<string, unknown>>,
  fields: readonly string[],
  at: Place,
): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const field of fields) {
    const value = row[field];
    const text = Array.isArray(value) ? textsOf(value, at, field).join(', ') : anyText(value, at, field).trim();
    if (text !== '') tags[field] = text;
  }
  return tags;
}

/** The columns A, B, C... of a row, up to the first empty one. */
export function lettered(row: Readonly<Record<string, unknown>>, at: Place): string[] {
  const choices: string[] = [];
  for (;;) {
    const text = optionalText(row, letterAt(choices.length), at);
    if (text.trim() === '') return choices;
    choices.push(text);
  }
}

/** A letter that names one of the choices. Throws UserError. */
export function answerLetter(value: string, choices: readonly string[], at: Place): string {
  const letter = value.trim().toUpperCase();
  const index = letter.charCodeAt(0) - 65;
  if (letter.length !== 1 || index < 0 || index >= choices.length)
    refuse(at, 'answer', shown(value), `a letter from A to ${letterAt(choices.length - 1)}`);
  return letter;
}

/** A question with choices under it, in the form of MathVista. */
export function withChoices(question: string, choices: readonly string[]): string {
  return `${question}\nChoices:\n${choices.map((choice, i) => `(${letterAt(i)}) ${choice}`).join('\n')}`;
}

/** A question as the benchmarks of VLMEvalKit write it: hint, question, options by letter, what to do. */
export function withOptions(question: string, choices: readonly string[], hint: string): string {
  const options = choices.map((choice, i) => `${letterAt(i)}. ${choice}\n`).join('');
  return `${hint.trim() === '' ? '' : `Hint: ${hint}\n`}Question: ${question}\nOptions:\n${options}Please select the correct answer from the options above. \n`;
}

/** A multiple-choice problem, whose answer is a letter. */
export function choiceProblem(given: {
  readonly id: string;
  readonly question: string;
  readonly images: readonly ImageSource[];
  readonly choices: readonly string[];
  readonly answer: string;
  readonly source: string;
  readonly tags: Readonly<Record<string, string>>;
}): Problem {
  return { ...given, questionType: 'multi_choice', answerType: 'text' };
}
