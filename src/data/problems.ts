// Reads problems from a data file in the MathV360K form (JSON list or JSON lines), in order, none dropped.
// Leaves decoding pictures, splitting and grading to others.
import { hash } from 'node:crypto';
import type { Problem } from '../core/types.js';
import { ImageRoot } from './image-root.js';
import { checkRecord, type MathRecord } from './mathv360k.js';
import { type AnswerForm, answerForm, choiceLetter, parseQuestion, unwrapAnswer } from './question.js';
import { readRecords } from './records.js';
import { message, type Place, refuse, shown } from './refuse.js';

export interface ReadOptions {
  /** Folder that picture paths are relative to and may not leave. */
  readonly imageRoot: string;
  /** Stop after this many records. */
  readonly limit?: number;
  /**
   * Told, one line each, what is odd about a record that is kept all the same: the same picture and question as an
   * earlier record with another answer, a repeated id, a multiple-choice answer that is none of the choices.
   */
  readonly onWarning?: (warning: string) => void;
}

/** The answer of a multiple-choice question is a letter, whatever its hint line says. */
const CHOICE_FORM: AnswerForm = { answerType: 'text' };

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
  const { limit = Number.POSITIVE_INFINITY, onWarning = () => {} } = options;
  const root = new ImageRoot(options.imageRoot);
  const ids = new Set<string>();
  const answers = new Map<string, { answer: string; line: number }>();
  if (limit <= 0) return;
  let read = 0;
  for await (const { index, line, value } of readRecords(file)) {
    const at = { file, line };
    const record = checkRecord(value, at);
    const id = uniqueId(record.id ?? String(index), index, ids, (text) =>
      onWarning(message(at, 'id', text, 'a new id')),
    );
    const problem = toProblem(id, record, root, at, onWarning);
    reportConflict(record.image, problem, at, answers, onWarning);
    yield problem;
    if (++read >= limit) return;
  }
}

function uniqueId(id: string, index: number, ids: Set<string>, warn: (found: string) => void): string {
  let unique = id;
  while (ids.has(unique)) unique += `#${index}`;
  if (unique !== id) warn(`${shown(id)} again, read as ${shown(unique)}`);
  ids.add(unique);
  return unique;
}

function toProblem(
  id: string,
  record: MathRecord,
  root: ImageRoot,
  at: Place,
  warn: (warning: string) => void,
): Problem {
  const path = root.resolve(record.image);
  if (typeof path !== 'string') refuse(at, 'image', `${shown(record.image)}: ${path.found}`, path.wanted);
  const { text, choices, unit, hinted } = parseQuestion(record.question);
  if (text === '') refuse(at, 'conversations[0].value', 'no text', 'a question');
  const answer = unwrapAnswer(record.answer);
  if (answer === '') refuse(at, 'conversations[1].value', shown(record.answer), 'an answer');
  const multiChoice = choices.length > 0;
  const letter = multiChoice ? choiceLetter(answer, choices) : null;
  if (multiChoice && letter === null) {
    warn(message(at, 'answer', shown(answer), `one of the ${choices.length} choices`));
  }
  const { answerType, precision } = multiChoice ? CHOICE_FORM : (hinted ?? answerForm(answer));
  return {
    id,
    question: text,
    images: [{ path }],
    answer: letter ?? answer,
    questionType: multiChoice ? 'multi_choice' : 'free_form',
    answerType,
    choices,
    precision,
    unit,
    source: record.truth?.family ?? (record.image.includes('/') ? (record.image.split('/')[0] as string) : ''),
    truth: record.truth,
  };
}

/** Reports a record that has picture and question of an earlier one but another answer. */
function reportConflict(
  image: string,
  problem: Problem,
  at: Place,
  answers: Map<string, { answer: string; line: number }>,
  warn: (warning: string) => void,
): void {
  // A digest keeps the memory for a full data set small.
  const key = hash('sha1', `${image}\0${problem.question}`, 'base64');
  const earlier = answers.get(key);
  if (earlier === undefined) answers.set(key, { answer: problem.answer, line: at.line });
  else if (earlier.answer !== problem.answer) {
    const found = `${shown(problem.answer)} where line ${earlier.line} has ${shown(earlier.answer)}`;
    warn(message(at, 'answer', found, 'one answer for the same picture and question'));
  }
}
