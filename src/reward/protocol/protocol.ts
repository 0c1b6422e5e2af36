// What a protocol is: the way in which one benchmark, or this project, turns a response into a verdict.
import type { AnswerType, Grade, QuestionType } from '../../core/types.js';
import type { Stages } from '../answer/explain.js';

/** What an answer is: the four kinds of MathVista, or any mathematical object. */
export type AnswerKind = AnswerType | 'expression';

/** One response to grade, with what its question says about the answer. */
export interface AnswerRow {
  readonly id: string;
  /** Benchmark whose rule belongs to the row: `mathvista`, `m3cot`, `mmstar`, `mmbench`, `ai2d`, `mathv360k`, `math_text`... */
  readonly taskFormat: string;
  /** Data set inside it, such as `TabMWP` in MathV360K; empty where unknown. */
  readonly source: string;
  readonly question?: string;
  readonly questionType: QuestionType;
  readonly answerType: AnswerKind;
  /** Choice texts in order A, B, C...; empty for free-form questions. */
  readonly choices: readonly string[];
  readonly precision?: number;
  readonly unit?: string;
  /** Gold answer as the benchmark gives it: a letter, a choice text or a value. */
  readonly answer: string;
  /** Gold letter; undefined for free-form questions and where the gold answer is none of the choices. */
  readonly answerLetter?: string;
  readonly response: string;
  /** What an extractor, such as the LLM of MathVista, already took from the response; undefined where nothing is recorded. */
  readonly extraction?: string | null;
}

/** A named way to grade. */
export interface Protocol {
  readonly name: string;
  /** One line for the help text. */
  readonly describe: string;
  grade(row: AnswerRow): Grade;
  /** How the response was read before it was graded, where the protocol can say. */
  stages?(row: AnswerRow): Stages;
}

/** Reads a response that a protocol could not, and grades it again; any other grade comes back as it was. */
export type LastResort = (protocol: Protocol, row: AnswerRow, grade: Grade) => Promise<Grade>;

/** No answer was found. */
export function unreadable(why: string): Grade {
  return { verdict: 'unreadable', extracted: null, normalised: null, reason: why };
}

/** An answer was found and compared with the gold answer. */
export function compared(extracted: string, normalised: string, gold: string, how: string, same?: boolean): Grade {
  const right = same ?? normalised === gold;
  return {
    verdict: right ? 'correct' : 'wrong',
    extracted,
    normalised,
    reason: right ? `${how}: ${normalised}` : `${how}: ${normalised}, not ${gold}`,
  };
}

/** The gold answer of a multiple-choice row, as a letter where it is one of the choices. */
export function goldLetter(row: AnswerRow): string {
  return row.answerLetter ?? row.answer;
}
