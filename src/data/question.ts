// Reads the user text of a MathV360K / MathVista record: hint line, question, unit, choices; and the gold answer.
import { letterAt } from '../core/letters.js';
import type { Problem } from '../core/types.js';
import { type Place, refuse, shown } from './refuse.js';

/** What kind of value an answer is: `precision` are the decimals that count, for `float`. */
export type AnswerForm = Pick<Problem, 'answerType' | 'precision'>;

/** What a question text says about its answer. */
export interface QuestionParts extends Pick<Problem, 'choices' | 'unit'> {
  /** The user's text without white space around it. */
  readonly text: string;
  /** From the hint line; undefined where there is none or it asks for a letter. */
  readonly hinted?: AnswerForm;
}

/** MathVista's hints: the words that tell one, the rest of its line, and what it says of the answer. */
const HINTS: readonly (readonly [phrase: string, rest: string, form: AnswerForm])[] = [
  ['requiring an integer answer', 'and provide the final value, e.g., 1, 2, 3, at the end.', { answerType: 'integer' }],
  [
    'requiring a floating-point number with one decimal place',
    'and provide the final value, e.g., 1.2, 1.3, 1.4, at the end.',
    { answerType: 'float', precision: 1 },
  ],
  [
    'requiring a floating-point number with two decimal places',
    'and provide the final value, e.g., 1.23, 1.34, 1.45, at the end.',
    { answerType: 'float', precision: 2 },
  ],
  [
    'requiring a Python list',
    'as an answer and provide the final list, e.g., [1, 2, 3], [1.2, 1.3, 1.4], at the end.',
    { answerType: 'list' },
  ],
];
const HINT = 'Hint: Please answer the question';

/** Takes a question text apart; a text without hint, unit or choices is a plain question. */
export function parseQuestion(value: string): QuestionParts {
  const text = value.trim();
  // The last `Choices:` block; without one, or where it lists no `(A)`, there are no choices.
  const mark = text.lastIndexOf('\nChoices:');
  const question = mark < 0 ? text : text.slice(0, mark);
  const choices = mark < 0 ? [] : parseChoices(text.slice(mark + '\nChoices:'.length));
  const unit = /\(Unit:[ \t]*([^()\n]{1,100})\)\s*$/.exec(question)?.[1]?.trim();
  const hintLine = text.startsWith('Hint:') ? (text.split('\n', 1)[0] as string) : '';
  const hinted = HINTS.find(([phrase]) => hintLine.includes(phrase.replace('requiring a floating', 'a floating')))?.[2];
  return { text, choices, unit, hinted };
}

/** Whether a question begins with a line that says what kind of answer is wanted. */
export function hasHint(question: string): boolean {
  return question.startsWith(HINT);
}

/** MathVista's hint line for an answer of this form, line break included; empty where it has none. */
export function hintLine(form: AnswerForm | 'choice'): string {
  if (form === 'choice') return `${HINT} and provide the correct option letter, e.g., A, B, C, D, at the end.\n`;
  const found = HINTS.find(
    ([, , { answerType, precision }]) => answerType === form.answerType && precision === form.precision,
  );
  return found ? `${HINT} ${found[0]} ${found[1]}\n` : '';
}

/** Choice texts of a block `(A) ...\n(B) ...`: each starts a line, or all stand in one line; a text may span lines. */
function parseChoices(block: string): string[] {
  for (const before of ['\n', ' ']) {
    const starts: number[] = [];
    for (let place = 0; place < 26; place++) {
      const found = block.indexOf(`${before}(${letterAt(place)})`, starts.at(-1) ?? 0);
      if (found < 0) break;
      starts.push(found);
    }
    if (starts.length > 0)
      return starts.map((start, i) => block.slice(start + 4, starts[i + 1] ?? block.length).trim());
  }
  return [];
}

/**
 * The gold answer alone: without `The answer is` and the full stop of that sentence, without `<answer>` around it, `####` before
 * it, or a `\boxed{}` that holds all of it.
 */
export function unwrapAnswer(value: string): string {
  const text = value.trim();
  if (text.endsWith('</answer>')) {
    const start = text.lastIndexOf('<answer>');
    if (start >= 0) return unwrapAnswer(text.slice(start + '<answer>'.length, -'</answer>'.length));
  }
  const last = text.slice(text.lastIndexOf('\n') + 1);
  if (last.startsWith('####')) return unwrapAnswer(last.slice('####'.length));
  const boxed = text.startsWith('\\boxed{') && /^\\boxed\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}$/.exec(text)?.[1];
  if (boxed) return boxed.trim();
  const wrapper = /^[\s\S]*\bthe answer is(?::?\s|:?$)/i.exec(value);
  const answer = value.slice(wrapper ? wrapper[0].length : 0).trim();
  return /^(?:[^.]*|-?[\d,]*\.\d+)\.$/.test(answer) ? answer.slice(0, -1).trimEnd() : answer;
}

/** Letter of a gold answer given as `B`, `(B)`, `B. text`, or as the text of a choice; null where it is none of them. */
export function choiceLetter(answer: string, choices: readonly string[]): string | null {
  const letters = choices.map((_, i) => letterAt(i));
  const written = /^\(?([A-Z])(?:\)|[.:)](?=\s|$)|$)/.exec(answer)?.[1];
  if (written !== undefined && letters.includes(written)) return written;
  const plain = (text: string): string => text.replace(/\s+/g, ' ').trim().toLowerCase();
  const sameText = choices.findIndex((choice) => plain(choice) === plain(answer));
  return letters[sameText] ?? null;
}

/** Refuses a gold answer that is nothing but a letter, such as `(E)`, which no choice has. Throws UserError. */
export function checkLetter(answer: string, choices: readonly string[], at: Place, field: string): void {
  const isLetter = /^\(?[A-Z]\)?[.:]?$/.test(answer.trim());
  if (!isLetter || choices.length === 0 || choiceLetter(answer, choices) !== null) return;
  refuse(at, field, shown(answer), `a letter from A to ${letterAt(choices.length - 1)}, or the text of a choice`);
}

/** Answer type and precision that the form of a free-form gold answer shows, for questions without a hint line. */
export function answerForm(answer: string): AnswerForm {
  if (/^[-+]?\d[\d,]*$/.test(answer)) return { answerType: 'integer' };
  const decimals = /^[-+]?[\d,]*\.(\d+)$/.exec(answer)?.[1];
  if (decimals !== undefined) return { answerType: 'float', precision: decimals.length };
  return { answerType: answer.startsWith('[') && answer.endsWith(']') ? 'list' : 'text' };
}
