// The one grader: reward, voting, Pass@K, labels and evaluation all ask it. Extract, normalise, compare; nothing is
// evaluated.
import type { AnswerType, Grade, Problem } from '../../core/types.js';
import { type ChoiceRead, readLooseChoice, readStatedChoice } from './choice.js';
import { firstSame, sameChoice } from './choices.js';
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
import { isRefusal, type Piece, sentencesFromEnd, statedAnswers, statesAnswer } from './extract.js';
import { constant } from './math/evaluate.js';
import { finalText } from './response.js';
import { overlap, questionWords, statedYesNo } from './restate.js';
import { plainText } from './text.js';
import { unify } from './unify.js';
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
  /** A number before rounding. */
  readonly exact?: number;
  /** Where it was found. */
  readonly how: string;
}

/** Longest text without any sign of an answer that is taken as the answer itself. UTF-16 units. */
const SHORT_ANSWER = 80;

/** Why no answer was read. */
interface Unread {
  readonly why: string;
}

const NOTHING: Unread = { why: 'no final answer found' };

function unreadable({ why }: Unread): Grade {
  return { verdict: 'unreadable', extracted: null, normalised: null, reason: why };
}

/**
 * Grades a response: `correct`, `wrong`, or `unreadable` where no final answer can be found. Takes time linear in the
 * text; of a text over 65,536 characters the end is read.
 */
export function grade(problem: Gradable, text: string): Grade {
  if (problem.questionType === 'free_form' && problem.answerType === 'expression')
    return gradeExpression(problem, text);
  const answer = readAnswer(problem, text);
  if ('why' in answer) return unreadable(answer);
  const gold = problem.questionType === 'multi_choice' ? null : readValue(unify(problem.answer), problem);
  const same = answer.normalised === problem.answer || isSame(problem, gold, answer);
  return {
    verdict: same ? 'correct' : 'wrong',
    extracted: answer.extracted,
    normalised: answer.normalised,
    reason: `${answer.how}: ${answer.normalised}${same ? '' : `, not ${gold?.normalised ?? problem.answer}`}`,
  };
}

/** Compares an answer with the gold answer, as what the question asks for. */
function isSame(problem: Gradable, gold: ValueRead | null, answer: AnswerRead): boolean {
  if (problem.questionType === 'multi_choice') return sameChoice(answer.normalised, problem.answer, problem.choices);
  if (gold === null) return answer.normalised === plainText(problem.answer);
  // Of a value below the precision that is asked for nothing would be left to compare.
  const isTiny = gold.exact !== undefined && gold.exact !== 0 && gold.normalised === '0';
  if (isTiny)
    return answer.exact !== undefined && Math.abs(answer.exact - gold.exact) <= TOLERANCE * Math.abs(gold.exact);
  const forms = [gold.normalised, ...gold.alternatives];
  const sameForm = [answer.normalised, ...answer.alternatives].some((form) => forms.includes(form));
  return sameForm || (problem.answerType === 'text' && sameFormula(problem, answer.extracted));
}

/** Relative tolerance between two values that are not rounded. */
const TOLERANCE = 1e-6;

/** A text with digits or LaTeX may be a formula that is written in another way. */
function sameFormula({ answer, questionType }: Gradable, extracted: string): boolean {
  const isFormula = questionType === 'free_form' && /\d|\\/.test(answer) && answer.length <= SHORT_ANSWER;
  return isFormula && sameExpression(readFormula(answer, ''), readFormula(extracted, ''));
}

/** Mathematical answers are compared as such: there is no one text for each. */
function gradeExpression(problem: Gradable, text: string): Grade {
  const response = finalText(text, statesAnswer);
  const wanted = goldLetter(problem.answer);
  const letter = wanted === null ? null : readLetter(response);
  if (letter) return expressionGrade(letter, letter.normalised === wanted, problem.answer);
  const read = response === '' ? null : readExpression(response);
  const gold = readGold(problem.answer);
  const words = goldWords(gold);
  const said = words === null ? NOTHING : readFreeForm({ answerType: 'text' }, response);
  if ('how' in said && said.normalised === words) return expressionGrade(said, true, problem.answer);
  const number = isProse(response) ? readNumberFor(gold, response) : null;
  if (number) return expressionGrade(number.answer, number.same, problem.answer);
  if (read === null) return unreadable(NOTHING);
  const same = sameExpression(gold, read) || readFormula(problem.answer, '').normalised === read.normalised;
  return expressionGrade(read, same, problem.answer);
}

/** Words without LaTeX; a lone `$` is money. */
function isProse(response: string): boolean {
  return !/\\|\$[^$]*\$/.test(response) && /[A-Za-z]{3}|[\u3040-\u9fff]/.test(response);
}

/** What prose says where the gold answer is one number: read as numbers are, with its remarks, words and scales. */
function readNumberFor(gold: ExpressionRead, response: string): { answer: AnswerRead; same: boolean } | null {
  const value = gold.node && constant(gold.node);
  const answer = value === null ? null : readFreeForm({ answerType: 'float' }, response);
  if (answer === null || 'why' in answer || answer.exact === undefined) return null;
  const said = { ...gold, normalised: '', extracted: '', node: { kind: 'number', value: answer.exact } as const };
  // As it is written it may be a percentage or a rounded value; a word such as `million` is in the value alone.
  const written = /^[^A-Za-z]*(?:percent)?$/.test(answer.extracted) ? readFormula(answer.extracted, '') : said;
  return { answer, same: sameExpression(gold, said) || sameExpression(gold, written) };
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

/** Reads the final answer of a response. */
function readAnswer(question: Question, text: string): AnswerRead | Unread {
  const response = finalText(text, statesAnswer);
  if (response === '') return NOTHING;
  const multiChoice = question.questionType === 'multi_choice';
  return multiChoice ? readChoice(question, response) : readFreeForm(question, response);
}

function readChoice({ choices, question }: Question, response: string): AnswerRead | Unread {
  let unread = NOTHING;
  for (const piece of statedAnswers(response, true)) {
    const read = readStatedChoice(piece.text, choices);
    if (read) return choiceRead(read, choices, piece.how);
    unread = notRead(piece, 'is none of the choices');
    if (isFinal(piece)) return unread;
  }
  const loose = readLooseChoice(response, choices);
  if (loose) return choiceRead(loose, choices, 'the last choice named');
  return readYesNo(choices, question, response) ?? unread;
}

function choiceRead({ letter, extracted }: ChoiceRead, choices: readonly string[], how: string): AnswerRead | Unread {
  if (letter === null) return { why: `${how}: ${shortened(extracted)} names several choices at once` };
  // Votes for a choice that stands there twice are votes for one.
  return { extracted, normalised: firstSame(letter, choices), alternatives: [], how };
}

function notRead({ text, how }: Piece, what: string): Unread {
  return { why: text === '' ? `${how} is empty` : `${how}: ${JSON.stringify(shortened(text))} ${what}` };
}

function shortened(text: string): string {
  return text.length > SHORT_ANSWER ? `${text.slice(0, SHORT_ANSWER)}...` : text;
}

/** Most words of a phrase that are an answer and no prose. */
const MOST_WORDS = 4;

/** What is said of an answer or an option rather than as one. */
const SAYS_OF =
  /^(?:in)?(?:correct|right|wrong|true|false|clear|obvious|simple|easy|above|below|shown|given|as follows)\b/i;

/** True for a piece that is meant as the answer: where it cannot be read, nothing else is. */
function isFinal({ text, how, isMark }: Piece): boolean {
  if (isMark) return true;
  const isShort = text.length <= SHORT_ANSWER && text.split(/\s+/).length <= MOST_WORDS;
  return isShort && !/^after "(?:option|choice|I|we) /i.test(how) && !SAYS_OF.test(text);
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

function readFreeForm(form: FreeForm, response: string): AnswerRead | Unread {
  let unread = NOTHING;
  for (const piece of statedAnswers(response, false)) {
    const read = readValue(piece.text, form, piece.isMark);
    if (read) return { ...read, how: piece.how };
    unread = notRead(piece, `is no ${form.answerType}`);
    if (isFinal(piece)) return unread;
  }
  if (form.answerType === 'text') {
    const read = response.length <= SHORT_ANSWER && !response.includes('\n') ? readValue(response, form) : null;
    return read ? { ...read, how: 'the whole text' } : unread;
  }
  const sentences = sentencesFromEnd(response);
  if (sentences[0] !== undefined && isRefusal(sentences[0]))
    return { why: 'the last sentence says that it cannot be answered' };
  return readSentences(form, sentences) ?? unread;
}

/** A sentence that draws a conclusion is believed without a look at the question. */
const CONCLUDES = /^(?:\W{0,3})(?:therefore|thus|so|hence|in total|in conclusion|finally)\b/i;
/** Share of the question's words that a sentence must repeat beyond the last one, to be believed rather than it. */
const CLEARLY_CLOSER = 0.3;

/** The value of the last sentence that has one, or of one before it that restates the question far better. */
function readSentences(form: FreeForm, sentences: readonly string[]): AnswerRead | null {
  for (const asides of [false, true]) {
    let last: ValueRead | null = null;
    const at = sentences.findIndex((sentence) => {
      last = readLooseValue(sentence, form, asides);
      return last !== null;
    });
    if (last === null) continue;
    const closer = form.question === undefined ? null : closerSentence(form, form.question, sentences.slice(at));
    return closer ?? { ...(last as ValueRead), how: 'the last value' };
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
