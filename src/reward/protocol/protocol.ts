// What a protocol is: the way in which one benchmark, or this project, turns a response into a verdict.
import type { Grade } from '../../core/types.js';
import type { Gradable } from '../answer/grade.js';

/** One response to grade, with what its question says about the answer, which stands there as the benchmark gives it. */
export interface AnswerRow extends Gradable {
  readonly id: string;
  /** Benchmark whose rule belongs to the row: `mathvista`, `m3cot`, `mmstar`, `mmbench`, `ai2d`, `mathv360k`, `math_text`... */
  readonly taskFormat: string;
  /** Data set inside it, such as `TabMWP` in MathV360K; empty where unknown. */
  readonly source: string;
  /** Gold letter; undefined for free-form questions and where the gold answer is none of the choices. */
  readonly answerLetter?: string;
  readonly response: string;
  /** What an extractor, such as the LLM of MathVista, already took from the response; undefined where nothing is recorded. */
  readonly extraction?: string | null;
}

/** What a protocol makes of a response before it is graded, in words. */
export interface Stages {
  /** The end of the text that is read at all: without thoughts, tokens and what follows the answer. */
  readonly read: string;
  /** What states an answer, the most trusted first; then for a multiple-choice question every choice that is named, and how. */
  readonly statements: readonly string[];
}

/** A named way to grade. */
export interface Protocol {
  readonly name: string;
  /** One line for the help text. */
  readonly describe: string;
  /** Never throws on what a response holds: what cannot be read is `unreadable`. */
  grade(row: AnswerRow): Grade;
  /** How the response was read before it was graded, where the protocol can say. */
  stages?(row: AnswerRow): Stages;
}

/** Reads a response that a protocol could not, and grades it again; any other grade comes back as it was. */
export type LastResort = (protocol: Protocol, row: AnswerRow, grade: Grade) => Promise<Grade>;

/** The gold answer of a multiple-choice row, as a letter where it is one of the choices. */
export function goldLetter(row: AnswerRow): string {
  return row.answerLetter ?? row.answer;
}
