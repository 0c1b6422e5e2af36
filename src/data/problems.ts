// Reads problems from a data file of any known format, in order, none dropped.
import { hash } from 'node:crypto';
import { UserError } from '../core/errors.js';
import type { Problem } from '../core/types.js';
import type { Hints } from './asked.js';
import type { DataFormat, Reading } from './formats/format.js';
import { findFormat } from './formats/registry.js';
import { ImageRoot } from './image-root.js';
import { hasHint } from './question.js';
import { message, type Place, refuse, shown } from './refuse.js';

/** How a data set is read. */
export interface ReadOptions {
  /** Folder that picture paths are relative to and may not leave. */
  readonly imageRoot: string;
  /** Other folders that links under the image root may lead to, and absolute paths into. */
  readonly linkRoot?: readonly string[] | undefined;
  /** Name of the file's format; told by its contents when left out. */
  readonly format?: string | undefined;
  /** Names of the columns of a flat table by what they hold: `question`, `answer`, `image`... */
  readonly columns?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** What becomes of hint lines; `kept` when left out. */
  readonly hints?: Hints | undefined;
  /** Stop after this many records. */
  readonly limit?: number | undefined;
  /**
   * Told, one line each, what is odd about a record that is kept all the same: the same picture and question as an
   * earlier record with another answer, a repeated id, a multiple-choice answer that is none of the choices.
   */
  readonly onWarning?: (warning: string) => void;
  /** Told the format of the file, before the first problem. */
  readonly onFormat?: (format: DataFormat) => void;
  /** Told of a record that has picture and question of an earlier one, and whether its answer is that one's too. */
  readonly onRepeat?: (sameAnswer: boolean) => void;
  /** Told of a picture that cannot be had; the problem is then given without it. Left out: such a record is refused. */
  readonly onMissingPicture?: (path: string, why: string) => void;
}

/** Reads all problems of a file; errors and warnings as `openProblems`. */
export async function loadProblems(file: string, options: ReadOptions): Promise<Problem[]> {
  const problems: Problem[] = [];
  for await (const problem of openProblems(file, options)) problems.push(problem);
  return problems;
}

/**
 * Streams the problems of a file in file order. A problem's id is the record's, or its index in the file; a repeated id
 * gets `#<index>` appended, so that ids are unique.
 * @throws UserError `file:line: field: found, wanted` on the first record that cannot be used
 */
export async function* openProblems(file: string, options: ReadOptions): AsyncGenerator<Problem> {
  for await (const { problem } of readings(file, options)) yield problem;
}

/** A problem and a whole response to it. */
export interface WrittenExample {
  readonly problem: Problem;
  readonly response: string;
}

/**
 * Streams problems with what their records give as the answer, whole: the chain of thought that a conversation or a column holds.
 * @throws UserError as `openProblems`, and for formats whose answers are no responses
 */
export async function* openExamples(file: string, options: ReadOptions): AsyncGenerator<WrittenExample> {
  for await (const { problem, at, response } of readings(file, options)) {
    if (!response) refuse(at, 'response', 'none', 'conversations, or a table with responses (columns answer=NAME)');
    yield { problem, response };
  }
}

async function* readings(file: string, options: ReadOptions): AsyncGenerator<Reading> {
  const { limit = Number.POSITIVE_INFINITY, onWarning = () => {}, onRepeat = () => {}, onMissingPicture } = options;
  const { hints = 'kept' } = options;
  const columns =
    options.columns &&
    Object.fromEntries(Object.entries(options.columns).map(([role, names]) => [role, [names].flat()]));
  const pictures = new ImageRoot(options.imageRoot, options.linkRoot);
  const format = await findFormat(file, options.format, columns);
  options.onFormat?.(format);
  if (format.official && hints !== 'kept')
    throw new UserError(
      `${file}: hints: ${hints}, wanted kept: questions of ${format.name} stand as its official code has them`,
    );
  const ids = new Set<string>();
  const repeats = new Repeats(onWarning, onRepeat);
  if (limit <= 0) return;
  let read = 0;
  for await (const reading of format.read(file, { pictures, columns, hints, onWarning, onMissingPicture })) {
    const { problem, at, index } = reading;
    let { id } = problem;
    while (ids.has(id)) id += `#${index}`;
    ids.add(id);
    if (id !== problem.id) onWarning(message(at, 'id', `${shown(problem.id)} again, read as ${shown(id)}`, 'a new id'));
    repeats.add(reading);
    yield id === problem.id ? reading : { ...reading, problem: { ...problem, id } };
    if (++read >= limit) return;
  }
}

/** Reports records that have picture and question of an earlier one; those with another answer by a warning each. */
class Repeats {
  readonly #warn: (warning: string) => void;
  readonly #tell: (sameAnswer: boolean) => void;
  readonly #answers = new Map<string, { readonly answer: string; readonly at: Place }>();

  constructor(warn: (warning: string) => void, tell: (sameAnswer: boolean) => void) {
    this.#warn = warn;
    this.#tell = tell;
  }

  add({ problem, at, picture }: Reading): void {
    // A digest keeps the memory for a full data set small.
    const key = hash('sha1', `${picture}\0${problem.question}`, 'base64');
    const earlier = this.#answers.get(key);
    if (earlier === undefined) {
      this.#answers.set(key, { answer: problem.answer, at });
      return;
    }
    this.#tell(earlier.answer === problem.answer);
    if (earlier.answer !== problem.answer) {
      const { line, record } = earlier.at;
      const where = record === undefined ? `line ${line}` : `record ${record}`;
      const found = `${shown(problem.answer)} where ${where} has ${shown(earlier.answer)}`;
      this.#warn(message(at, 'answer', found, 'one answer for the same picture and question'));
    }
  }
}

/** What a reader should know of the problems of a file as a whole. */
export class Forms {
  #format: DataFormat | undefined;
  #problems = 0;
  #pictureless = 0;
  #hinted = 0;

  readonly onFormat = (format: DataFormat): void => {
    this.#format = format;
  };

  add({ images, question }: Problem): void {
    this.#problems++;
    if (images.length === 0) this.#pictureless++;
    if (hasHint(question)) this.#hinted++;
  }

  get format(): string {
    return this.#format?.name ?? '';
  }

  /** Questions that begin with a hint line. */
  get hinted(): number {
    return this.#hinted;
  }

  /** Problems without a picture, and hint lines that only some questions have, a line each. */
  lines(): string[] {
    const all = this.#problems;
    const lines: string[] = [];
    if (this.#pictureless > 0)
      lines.push(`without a picture: ${this.#pictureless === all ? 'all' : `${this.#pictureless} of`} ${all} problems`);
    if (this.#hinted > 0 && this.#hinted < all && !this.#format?.official)
      lines.push(
        `${this.#hinted} of ${all} questions begin with a hint line, so that equal questions may differ (hints none or mathvista makes them alike)`,
      );
    return lines;
  }
}
