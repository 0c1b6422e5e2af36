// What a file format of problems is, and what its readers share: choices by letter, texts of a row.
import { letterAt, placeOf } from '../../core/letters.js';
import type { Problem } from '../../core/types.js';
import type { Hints } from '../asked.js';
import type { ImageRoot } from '../image-root.js';
import type { Picture } from '../pictures.js';
import { type Fields, optionalText, type Place, refuse, shown } from '../refuse.js';
import type { Row } from './rows.js';

/** The start of a file: enough to tell its format. */
export interface Head {
  readonly kind: 'json' | 'csv' | 'tsv' | 'parquet';
  /** The first record. */
  readonly first: Fields;
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
  /** The whole text that the answer was found in, in formats that can hold a response. */
  readonly response?: string;
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

/** The columns A, B, C... of a row, up to the first empty one. */
export function lettered(row: Fields, at: Place): string[] {
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
  const place = placeOf(letter);
  if (letter.length !== 1 || place < 0 || place >= choices.length)
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
export function choiceReading(
  { index, at }: Row,
  picture: Picture,
  { id, question, ...given }: Pick<Problem, 'id' | 'question' | 'choices' | 'answer' | 'source' | 'tags'>,
): Reading {
  const images = picture.source ? [picture.source] : [];
  const problem: Problem = { id, question, images, ...given, questionType: 'multi_choice', answerType: 'text' };
  return { problem, index, at, picture: picture.key };
}
