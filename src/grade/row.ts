// Checks one record of a file to grade and turns it into what the protocols read.
import { letterAt } from '../core/letters.js';
import { checkLetter, choiceLetter } from '../data/question.js';
import { checkObject, checkString, type Fields, type Place, refuse, shown } from '../data/refuse.js';
import type { AnswerRow } from '../reward/protocol/protocol.js';

/** Limits that keep the time of a row bounded whatever it holds. UTF-16 units, and how many choices. */
const MOST = { id: 1024, choices: 26, choice: 4096, text: 65_536 };

/** Names that data sets give to kinds of answers; any other name is refused. */
const KINDS: ReadonlyMap<unknown, AnswerRow['answerType']> = new Map([
  ...(['text', 'letter', 'boolean_text', 'extractive_text', 'other_text'] as const).map(
    (name) => [name, 'text'] as const,
  ),
  ...(['integer', 'integer_number'] as const).map((name) => [name, 'integer'] as const),
  ...(['float', 'decimal_number'] as const).map((name) => [name, 'float'] as const),
  ...(['expression', 'latex', 'math'] as const).map((name) => [name, 'expression'] as const),
  ['list', 'list'],
]);

/**
 * Reads a record of the form `{id, task_format, question_type, answer_type, choices, precision, unit, answer, response...}`;
 * keys that it does not know are left alone.
 * @throws UserError naming the field
 */
export function readRow(value: unknown, at: Place): AnswerRow {
  return new Reader(checkObject(value, at, 'record'), at).row();
}

class Reader {
  readonly #record: Fields;
  readonly #at: Place;

  constructor(record: Fields, at: Place) {
    this.#record = record;
    this.#at = at;
  }

  row(): AnswerRow {
    const choices = this.#choices();
    const questionType = this.#questionType(choices);
    const answer = this.#text('answer', MOST.text);
    if (answer.trim() === '') refuse(this.#at, 'answer', 'no text', 'the true answer');
    return {
      id: this.#id(),
      taskFormat: this.#optional('task_format') ?? '',
      source: this.#optional('subsource') ?? '',
      question: this.#optional('question', MOST.text),
      questionType,
      answerType: this.#kind(),
      choices,
      precision: this.#precision(),
      unit: this.#optional('unit'),
      answer,
      answerLetter: questionType === 'multi_choice' ? this.#letter(answer, choices) : undefined,
      response: this.#text('response'),
      extraction: this.#extraction(),
    };
  }

  /** The value of a field; undefined where it is null. */
  #given(field: string): unknown {
    return this.#record[field] ?? undefined;
  }

  #text(field: string, longest = Number.POSITIVE_INFINITY): string {
    return checkString(this.#record[field], this.#at, field, longest);
  }

  #optional(field: string, longest = MOST.id): string | undefined {
    return this.#given(field) === undefined ? undefined : this.#text(field, longest);
  }

  #id(): string {
    const { id } = this.#record;
    if (Number.isSafeInteger(id)) return String(id);
    if (typeof id === 'string' && id !== '' && id.length <= MOST.id) return id;
    return refuse(this.#at, 'id', shown(id), `a text of 1 to ${MOST.id} characters or an integer`);
  }

  #choices(): readonly string[] {
    const choices = this.#given('choices') ?? [];
    if (!Array.isArray(choices)) refuse(this.#at, 'choices', shown(choices), 'a list of texts');
    if (choices.length > MOST.choices)
      refuse(this.#at, 'choices', `${choices.length} of them`, `at most ${MOST.choices}`);
    return choices.map((choice, i) => checkString(choice, this.#at, `choices[${letterAt(i)}]`, MOST.choice));
  }

  #questionType(choices: readonly string[]): AnswerRow['questionType'] {
    const type = this.#given('question_type') ?? (choices.length > 0 ? 'multi_choice' : 'free_form');
    if (type !== 'multi_choice' && type !== 'free_form')
      refuse(this.#at, 'question_type', shown(type), '"multi_choice" or "free_form"');
    if (type === 'multi_choice' && choices.length === 0)
      refuse(this.#at, 'choices', 'none', 'at least one for multi_choice');
    return type;
  }

  #kind(): AnswerRow['answerType'] {
    const name = this.#given('answer_type') ?? 'text';
    return KINDS.get(name) ?? refuse(this.#at, 'answer_type', shown(name), `one of ${[...KINDS.keys()].join(', ')}`);
  }

  #precision(): number | undefined {
    const precision = this.#given('precision');
    if (precision === undefined) return undefined;
    if (Number.isInteger(precision) && (precision as number) >= 0 && (precision as number) <= 15)
      return precision as number;
    return refuse(this.#at, 'precision', shown(precision), 'an integer from 0 to 15');
  }

  /** The letter of the gold answer. MathVista gives choice texts, which may read like a letter; others may give either. */
  #letter(answer: string, choices: readonly string[]): string | undefined {
    const letter = this.#optional('answer_letter');
    if (letter !== undefined && !/^[A-Z]$/.test(letter))
      refuse(this.#at, 'answer_letter', shown(letter), 'a letter from A to Z');
    checkLetter(letter ?? answer, choices, this.#at, letter === undefined ? 'answer' : 'answer_letter');
    if (letter !== undefined) return letter;
    const place = this.#record.task_format === 'mathvista' ? choices.indexOf(answer) : -1;
    return place >= 0 ? letterAt(place) : (choiceLetter(answer, choices) ?? undefined);
  }

  /** What is recorded of an earlier extraction: `official_extraction`, else `extraction`; a key that is there counts even if null. */
  #extraction(): string | null | undefined {
    const field = this.#record.official_extraction === undefined ? 'extraction' : 'official_extraction';
    return this.#record[field] === null ? null : this.#optional(field, MOST.text);
  }
}

/** The verdict that a row already carries, by today's code of its benchmark where that is given; null where there is none. */
export function recordedVerdict(value: unknown): boolean | null {
  const { official_verdict: official, verdict_current_code: current } = value as Record<string, unknown>;
  const verdict = current ?? official;
  return typeof verdict === 'boolean' ? verdict : null;
}
