// The one grader: reward, voting, Pass@K, labels and evaluation all ask it. Extract, normalise, compare; nothing is evaluated.
// Leaves finding and reading answers to the other files of this folder.
import type { AnswerType, Grade, Problem } from '../../core/types.js';
import { readLooseChoice, readStatedChoice } from './choice.js';
import {
  type ExpressionRead,
  goldLetter,
  goldWords,
  readExpression,
  readGold,
  readLetter,
  sameExpression,
} from './expression.js';
import { finalText, isRefusal, sentencesFromEnd, statedAnswers } from './extract.js';
import { plainText } from './text.js';
import { readLooseValue, readValue, type ValueForm, type ValueRead } from './value.js';

/** What the grader needs to know of a problem. */
export interface Gradable extends Pick<Problem, 'answer' | 'questionType' | 'choices' | 'precision' | 'unit'> {
  readonly answerType: AnswerType | 'expression';
}

/** The same without the gold answer: reading a response may not look at it. */
type Question = Omit<Gradable, 'answer'>;

/** An answer as read from a response. */
interface AnswerRead {
  readonly extracted: string;
  /** Choice letter or canonical value: what votes are counted by. */
  readonly normalised: string;
  readonly alternatives: readonly string[];
  /** Where it was found. */
  readonly how: string;
}

/** Longest text without any sign of an answer that is taken as the answer itself. UTF-16 units. */
const SHORT_ANSWER = 80;

const UNREADABLE: Grade = {
  verdict: 'unreadable',
  extracted: null,
  normalised: null,
  reason: 'no final answer found',
};

/**
 * Grades a response: `correct`, `wrong`, or `unreadable` where no final answer can be found. Takes time linear in the
 * text; of a text over 65,536 characters the end is read.
 */
export function grade(problem: Gradable, text: string): Grade {
  if (problem.questionType === 'free_form' && problem.answerType === 'expression')
    return gradeExpression(problem, text);
  const answer = readAnswer(problem, text);
  if (answer === null) return UNREADABLE;
  const gold = goldForms(problem);
  const same = [answer.normalised, ...answer.alternatives].some((form) => gold.includes(form));
  return {
    verdict: same ? 'correct' : 'wrong',
    extracted: answer.extracted,
    normalised: answer.normalised,
    reason: `${answer.how}: ${answer.normalised}${same ? '' : `, not ${gold[0]}`}`,
  };
}

/** Mathematical answers are compared as such: there is no one text for each. */
function gradeExpression(problem: Gradable, text: string): Grade {
  const response = finalText(text);
  const wanted = goldLetter(problem.answer);
  const letter = wanted === null ? null : readLetter(response);
  if (letter) return expressionGrade(letter, letter.normalised === wanted, problem.answer);
  const read = response === '' ? null : readExpression(response);
  const words = goldWords(problem.answer);
  const said = words === null ? null : readFreeForm({ answerType: 'text' }, response);
  if (said?.normalised === words && said) return expressionGrade(said, true, problem.answer);
  return read === null
    ? UNREADABLE
    : expressionGrade(read, sameExpression(readGold(problem.answer), read), problem.answer);
}

function expressionGrade(
  read: Pick<ExpressionRead, 'extracted' | 'normalised' | 'how'>,
  same: boolean,
  gold: string,
): Grade {
  const { extracted, normalised, how } = read;
  const reason = `${how}: ${normalised}${same ? '' : `, not ${gold}`}`;
  return { verdict: same ? 'correct' : 'wrong', extracted, normalised, reason };
}

/** Reads the final answer of a response; null where there is none. */
function readAnswer(question: Question, text: string): AnswerRead | null {
  const response = finalText(text);
  if (response === '') return null;
  const multiChoice = question.questionType === 'multi_choice';
  return multiChoice ? readChoice(question.choices, response) : readFreeForm(question, response);
}

function readChoice(choices: readonly string[], response: string): AnswerRead | null {
  for (const piece of statedAnswers(response, true)) {
    const read = readStatedChoice(piece.text, choices);
    if (read) return { extracted: read.extracted, normalised: read.letter, alternatives: [], how: piece.how };
  }
  const loose = readLooseChoice(response, choices);
  return (
    loose && { extracted: loose.extracted, normalised: loose.letter, alternatives: [], how: 'the last choice named' }
  );
}

function readFreeForm(form: ValueForm, response: string): AnswerRead | null {
  for (const piece of statedAnswers(response, false)) {
    const read = readValue(piece.text, form);
    if (read) return { ...read, how: piece.how };
  }
  if (form.answerType === 'text') {
    const read = response.length <= SHORT_ANSWER && !response.includes('\n') ? readValue(response, form) : null;
    return read && { ...read, how: 'the whole text' };
  }
  for (const [fromEnd, sentence] of sentencesFromEnd(response).entries()) {
    if (fromEnd === 0 && isRefusal(sentence)) return null;
    const read = readLooseValue(sentence, form);
    if (read) return { ...read, how: 'the last value' };
  }
  return null;
}

/** Canonical forms of the gold answer. */
function goldForms(problem: Gradable): string[] {
  if (problem.questionType === 'multi_choice') return [problem.answer];
  const read: ValueRead | null = readValue(problem.answer, problem);
  return read ? [read.normalised, ...read.alternatives] : [plainText(problem.answer)];
}
