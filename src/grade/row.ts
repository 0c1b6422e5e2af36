// Checks one record of a file to grade and turns it into what the protocols read.
import { letterAt } from '../core/letters.js';
import { checkLetter, choiceLetter } from '../data/question.js';
import { type Place, refuse, shown } from '../data/refuse.js';
import type { AnswerRow } from '../reward/protocol/protocol.js';

/** Limits that keep the time of a row bounded whatever it holds. UTF-16 units. */
const MAX_ID = 1024;
const MAX_CHOICES = 26;
const MAX_CHOICE = 4096;
const MAX_GOLD = 65_536;

/** Names that data sets give to kinds of answers; any other name is refused. */
const KINDS: ReadonlyMap<string, AnswerRow['answerType']> = new Map([
  ...(['text', 'letter', 'boolean_text', 'extractive_text', 'other_text'] as const).map(
    (name): [string, AnswerRow['answerType']] => [name, 'text'],
  ),
  ...(['integer', 'integer_number'] as const).map((name): [string, AnswerRow['answerType']] => [name, 'integer']),
  ...(['float', 'decimal_number'] as const).map((name): [string, AnswerRow['answerType']] => [name, 'float']),
  ...(['expression', 'latex', 'math'] as const).map((name): [string, AnswerRow['answerType']] => [name, 'expression']),
  ['list', 'list'],
]);

/**
 * Reads a record of the form `{id, task_format, question_type, answer_type, choices, precision, unit, answer, response...}`;
 * keys that it does not know are left alone.
 * @throws UserError naming the field
 */
export function readRow(value: unknown, at: Place): AnswerRow {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    refuse(at, 'record', shown(value), 'an object');
  const record = value as Record<string, unknown>;
  const choices = readChoices(record.choices, at);
  const questionType = readQuestionType(record.question_type, choices, at);
  const answer = text(record, 'answer', MAX_GOLD, at);
  if (answer.trim() === '') refuse(at, 'answer', 'no text', 'the true answer');
  return {
    id: readId(record.id, at),
    taskFormat: optionalText(record, 'task_format', MAX_ID, at) ?? '',
    source: optionalText(record, 'subsource', MAX_ID, at) ?? '',
    question: optionalText(record, 'question', MAX_GOLD, at),
    questionType,
    answerType: readKind(record.answer_type, at),
    choices,
    precision: readPrecision(record.precision, at),
    unit: optionalText(record, 'unit', MAX_ID, at),
    answer,
    answerLetter: questionType === 'multi_choice' ? readLetter(record, answer, choices, at) : undefined,
    response: text(record, 'response', Number.POSITIVE_INFINITY, at),
    extraction: readExtraction(record, at),
  };
}

function readId(id: unknown, at: Place): string {
  if (Number.isSafeInteger(id)) return String(id);
  if (typeof id === 'string' && id !== '' && id.length <= MAX_ID) return id;
  return refuse(at, 'id', shown(id), `a text of 1 to ${MAX_ID} characters or an integer`);
}

function text(record: Record<string, unknown>, field: string, longest: number, at: Place): string {
  const value = record[field];
  if (typeof value !== 'string') refuse(at, field, shown(value), 'a text');
  if (value.length > longest) refuse(at, field, `${value.length} characters`, `at most ${longest}`);
  return value;
}

function optionalText(record: Record<string, unknown>, field: string, longest: number, at: Place): string | undefined {
  return record[field] === undefined || record[field] === null ? undefined : text(record, field, longest, at);
}

function readChoices(value: unknown, at: Place): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) refuse(at, 'choices', shown(value), 'a list of texts');
  if (value.length > MAX_CHOICES) refuse(at, 'choices', `${value.length} of them`, `at most ${MAX_CHOICES}`);
  return value.map((choice, i) => {
    const field = `choices[${letterAt(i)}]`;
    if (typeof choice !== 'string') refuse(at, field, shown(choice), 'a text');
    if (choice.length > MAX_CHOICE) refuse(at, field, `${choice.length} characters`, `at most ${MAX_CHOICE}`);
    return choice;
  });
}

function readQuestionType(value: unknown, choices: readonly string[], at: Place): AnswerRow['questionType'] {
  if (value === undefined || value === null) return choices.length > 0 ? 'multi_choice' : 'free_form';
  if (value !== 'multi_choice' && value !== 'free_form') {
    refuse(at, 'question_type', shown(value), '"multi_choice" or "free_form"');
  }
  if (value === 'multi_choice' && choices.length === 0) refuse(at, 'choices', 'none', 'at least one for multi_choice');
  return value;
}

function readKind(value: unknown, at: Place): AnswerRow['answerType'] {
  if (value === undefined || value === null) return 'text';
  const kind = typeof value === 'string' ? KINDS.get(value) : undefined;
  return kind ?? refuse(at, 'answer_type', shown(value), `one of ${[...KINDS.keys()].join(', ')}`);
}

function readPrecision(value: unknown, at: Place): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 15) return value as number;
  return refuse(at, 'precision', shown(value), 'an integer from 0 to 15');
}

/** The letter of the gold answer. MathVista gives choice texts, which may read like a letter; others may give either. */
function readLetter(
  record: Record<string, unknown>,
  answer: string,
  choices: readonly string[],
  at: Place,
): string | undefined {
  const letter = optionalText(record, 'answer_letter', MAX_ID, at);
  if (letter !== undefined && !/^[A-Z]$/.test(letter))
    refuse(at, 'answer_letter', shown(letter), 'a letter from A to Z');
  checkLetter(letter ?? answer, choices, at, letter === undefined ? 'answer' : 'answer_letter');
  if (letter !== undefined) return letter;
  const index = record.task_format === 'mathvista' ? choices.indexOf(answer) : -1;
  return index >= 0 ? letterAt(index) : (choiceLetter(answer, choices) ?? undefined);
}

/** What is recorded of an earlier extraction: `official_extraction`, else `extraction`; a key that is there counts even if null. */
function readExtraction(record: Record<string, unknown>, at: Place): string | null | undefined {
  const field = record.official_extraction === undefined ? 'extraction' : 'official_extraction';
  return record[field] === null ? null : optionalText(record, field, MAX_GOLD, at);
}

/** The verdict that a row already carries, by today's code of its benchmark where that is given; null where there is none. */
export function recordedVerdict(value: unknown): boolean | null {
  const { official_verdict: official, verdict_current_code: current } = value as Record<string, unknown>;
  const verdict = current ?? official;
  return typeof verdict === 'boolean' ? verdict : null;
}
