// A question and its answer, as texts of a record, become a problem: choices, letter, type of the answer, hint line.
import type { ImageSource, Problem, ProblemTruth } from '../core/types.js';
import { type ReadContext, withChoices } from './formats/format.js';
import {
  type AnswerForm,
  answerForm,
  checkLetter,
  choiceLetter,
  hasHint,
  hintLine,
  parseQuestion,
  unwrapAnswer,
} from './question.js';
import { message, type Place, refuse, shown } from './refuse.js';

/** What becomes of hint lines: kept as the file has them, taken out, or MathVista's for every question. */
export type Hints = 'kept' | 'none' | 'mathvista';

export interface Asked {
  readonly id: string;
  /** Without marks of pictures in front of it. */
  readonly question: string;
  /** What was said before the question, ready to stand in front of it. */
  readonly before?: string;
  readonly answer: string;
  /** Names of the two fields, for messages. */
  readonly fields: readonly [question: string, answer: string];
  readonly images: readonly ImageSource[];
  /** Choice texts that stand beside the question; those inside it are found. */
  readonly choices?: readonly string[] | undefined;
  readonly unit?: string | undefined;
  readonly source: string;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly truth?: ProblemTruth | undefined;
}

/** Throws UserError where question or answer have no text, or the answer is a letter that no choice has. */
export function askedProblem(asked: Asked, at: Place, { hints, onWarning }: ReadContext): Problem {
  const { id, images, source, before = '', truth, tags } = asked;
  const parts = parseQuestion(asked.question);
  if (parts.text === '') refuse(at, asked.fields[0], 'no text', 'a question');
  const choices = asked.choices?.length ? [...asked.choices] : parts.choices;
  const unit = asked.unit && parts.unit === undefined ? ` (Unit: ${asked.unit})` : '';
  const whole = parts.choices.length > 0 ? parts.text : parts.text + unit;
  const text = choices.length > 0 && parts.choices.length === 0 ? withChoices(whole, choices) : whole;
  const answer = unwrapAnswer(asked.answer);
  if (answer === '') refuse(at, asked.fields[1], shown(asked.answer), 'an answer');
  const multiChoice = choices.length > 0;
  const letter = multiChoice ? choiceLetter(answer, choices) : null;
  checkLetter(answer, choices, at, 'answer');
  if (multiChoice && letter === null)
    onWarning(message(at, 'answer', shown(answer), `one of the ${choices.length} choices`));
  // The answer of a multiple-choice question is a letter, whatever its hint line says.
  const form: AnswerForm = multiChoice ? { answerType: 'text' } : (parts.hinted ?? answerForm(answer));
  return {
    id,
    question: before + withHint(text, multiChoice ? 'choice' : form, hints),
    images,
    answer: letter ?? answer,
    questionType: multiChoice ? 'multi_choice' : 'free_form',
    answerType: form.answerType,
    choices,
    precision: form.precision,
    unit: asked.unit ?? parts.unit,
    source,
    ...(tags && { tags }),
    truth,
  };
}

function withHint(text: string, form: AnswerForm | 'choice', hints: Hints): string {
  if (hints === 'kept') return text;
  // Of a hint line, `Question:` is a part: it only tells the question from the hint.
  const bare = (hasHint(text) ? text.slice(text.indexOf('\n') + 1) : text).replace(/^Question:\s*/, '');
  if (hints === 'none') return bare;
  return `${hintLine(form)}Question: ${bare}`;
}
