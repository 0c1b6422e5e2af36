// The one grader: reward, voting, Pass@K, labels and evaluation all ask it. Extract, normalise, compare; nothing is evaluated.
// Leaves finding and reading answers to the other files of this folder.
import type { AnswerType, Grade, Problem } from '../../core/types.js';
import { readLooseChoice, readStatedChoice } from './choice.js';
import {
  type ExpressionRead,
  goldLetter,
  goldWords,
  readExpression,
  readFormula,
  readGold,
  readLetter,
  sameExpression,
} from './expression.js';
import { finalText, isRefusal, sentencesFromEnd, statedAnswers } from './extract.js';
import { overlap, questionWords, statedYesNo } from './restate.js';
import { plainText } from './text.js';
import { hasOneValue, readLooseValue, readValue, type ValueForm, type ValueRead } from './value.js';

/** What the grader needs to know of a problem. */
export interface Gradable extends Pick<Problem, 'answer' | 'questionType' | 'choices' | 'precision' | 'unit'> {
  readonly answerType: AnswerType | 'expression';
  /** Helps to find the sentence that answers it where a response gives no other sign. */
  readonly question?: string;
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
  const sameForm = [answer.normalised, ...answer.alternatives].some((form) => gold.includes(form));
  const same = sameForm || (problem.answerType === 'text' && sameFormula(problem, answer.extracted));
  return {
    verdict: same ? 'correct' : 'wrong',
    extracted: answer.extracted,
    normalised: answer.normalised,
    reason: `${answer.how}: ${answer.normalised}${same ? '' : `, not ${gold[0]}`}`,
  };
}

/** A text with digits or LaTeX may be a formula that is written in another way. */
function sameFormula({ answer, questionType }: Gradable, extracted: string): boolean {
  const isFormula = questionType === 'free_form' && /\d|\\/.test(answer) && answer.length <= SHORT_ANSWER;
  return isFormula && sameExpression(readFormula(answer, ''), readFormula(extracted, ''));
}

/** Mathematical answers are compared as such: there is no one text for each. */
function gradeExpression(problem: Gradable, text: string): Grade {
  const response = finalText(text);
  const wanted = goldLetter(problem.answer);
  const letter = wanted === null ? null : readLetter(response);
  if (letter) return expressionGrade(letter, letter.normalised === wanted, problem.answer);
  const read = response === '' ? null : readExpression(response);
  const gold = readGold(problem.answer);
  const words = goldWords(gold);
  const said = words === null ? null : readFreeForm({ answerType: 'text' }, response);
  if (said?.normalised === words && said) return expressionGrade(said, true, problem.answer);
  return read === null ? UNREADABLE : expressionGrade(read, sameExpression(gold, read), problem.answer);
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
  return multiChoice ? readChoice(question, response) : readFreeForm(question, response);
}

function readChoice({ choices, question }: Question, response: string): AnswerRead | null {
  for (const piece of statedAnswers(response, true)) {
    const read = readStatedChoice(piece.text, choices);
    if (read) return { extracted: read.extracted, normalised: read.letter, alternatives: [], how: piece.how };
  }
  const loose = readLooseChoice(response, choices);
  if (loose)
    return { extracted: loose.extracted, normalised: loose.letter, alternatives: [], how: 'the last choice named' };
  return readYesNo(choices, question, response);
}

/** Where the choices are yes and no, what the response says of the question. */
function readYesNo(choices: readonly string[], question: string | undefined, response: string): AnswerRead | null {
  const plain = choices.map((choice) => plainText(choice).replace('true', 'yes').replace('false', 'no'));
  if (question === undefined || plain.length !== 2 || !plain.includes('yes') || !plain.includes('no')) return null;
  const sentences = sentencesFromEnd(response).reverse();
  if (sentences.some(isRefusal)) return null;
  const stated = statedYesNo(question, sentences);
  if (stated === null) return null;
  const letter = plain.indexOf(stated.says) === 0 ? 'A' : 'B';
  return { extracted: stated.sentence, normalised: letter, alternatives: [], how: 'the question restated' };
}

type FreeForm = ValueForm & Pick<Question, 'question'>;

function readFreeForm(form: FreeForm, response: string): AnswerRead | null {
  for (const piece of statedAnswers(response, false)) {
    const read = readValue(piece.text, form);
    if (read) return { ...read, how: piece.how };
  }
  if (form.answerType === 'text') {
    const read = response.length <= SHORT_ANSWER && !response.includes('\n') ? readValue(response, form) : null;
    return read && { ...read, how: 'the whole text' };
  }
  const sentences = sentencesFromEnd(response);
  if (sentences[0] !== undefined && isRefusal(sentences[0])) return null;
  return readSentences(form, sentences);
}

/** A sentence that draws a conclusion is believed without a look at the question. */
const CONCLUDES = /^(?:\W{0,3})(?:therefore|thus|so|hence|in total|in conclusion|finally)\b/i;
/** Share of the question's words that a sentence must repeat beyond the last one, to be believed rather than it. */
const CLEARLY_CLOSER = 0.3;

/** The value of the last sentence that has one, or of one before it that restates the question far better. */
function readSentences(form: FreeForm, sentences: readonly string[]): AnswerRead | null {
  for (const asides of [false, true]) {
    const at = sentences.findIndex((sentence) => readLooseValue(sentence, form, asides) !== null);
    if (at < 0) continue;
    const last = readLooseValue(sentences[at] as string, form, asides) as ValueRead;
    const closer = form.question === undefined ? null : closerSentence(form, form.question, sentences.slice(at));
    return closer ?? { ...last, how: 'the last value' };
  }
  return null;
}

/** The value of the earlier sentence that repeats most words of the question; null where the last one is as good. */
function closerSentence(form: ValueForm, question: string, sentences: readonly string[]): AnswerRead | null {
  const last = sentences[0] as string;
  if (CONCLUDES.test(last)) return null;
  const words = questionWords(question);
  let best = { share: overlap(words, last) + CLEARLY_CLOSER, read: null as ValueRead | null };
  for (const sentence of sentences.slice(1)) {
    const share = overlap(words, sentence);
    const clear = share > best.share && hasOneValue(sentence);
    const read = clear ? readLooseValue(sentence, form, false) : null;
    if (read) best = { share, read };
  }
  return best.read && { ...best.read, how: 'the sentence that restates the question' };
}

/** Canonical forms of the gold answer. */
function goldForms(problem: Gradable): string[] {
  if (problem.questionType === 'multi_choice') return [problem.answer];
  const read: ValueRead | null = readValue(problem.answer, problem);
  return read ? [read.normalised, ...read.alternatives] : [plainText(problem.answer)];
}
