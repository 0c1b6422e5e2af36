// The one grader: reward, voting, Pass@K, labels and evaluation all ask it. Extract, normalise, compare; nothing is
// evaluated.
import type { Grade, Problem } from '../../core/types.js';
import { type ChoiceRead, ChoiceReader } from './choice.js';
import { Choices } from './choices.js';
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
import { isRefusal, type Piece, sentencesFromEnd, statedAnswers } from './extract.js';
import { constant } from './math/evaluate.js';
import { finalText } from './response.js';
import { overlap, questionWords, statedYesNo } from './restate.js';
import { plainText, unify } from './text.js';
import { hasOneValue, type ValueForm, type ValueRead, ValueReader } from './value.js';

/** What the grader needs to know of a problem. */
export interface Gradable extends ValueForm, Pick<Problem, 'answer' | 'questionType' | 'choices'> {}

/** An answer as read from a response: `normalised`, a choice letter or canonical value, is what votes are counted by. */
interface AnswerRead extends ValueRead {
  /** Where it was found. */
  readonly how: string;
}

export type Found = Pick<AnswerRead, 'extracted' | 'normalised' | 'how'>;

// Readers that find no answer say why instead.
const NOTHING = 'no final answer found';

/** Longest text without any sign of an answer that is taken as the answer itself. UTF-16 units. */
const SHORT_ANSWER = 80;

/** No answer was found. */
export function unreadable(why: string): Grade {
  return { verdict: 'unreadable', extracted: null, normalised: null, reason: why };
}

/** An answer was found and compared with the gold answer. */
export function compared({ extracted, normalised, how }: Found, gold: string, same = normalised === gold): Grade {
  const reason = `${how}: ${normalised}${same ? '' : `, not ${gold}`}`;
  return { verdict: same ? 'correct' : 'wrong', extracted, normalised, reason };
}

/**
 * Grades a response: `correct`, `wrong`, or `unreadable` where no final answer can be found. Takes time linear in the
 * text; of a text over 65,536 characters the end is read.
 */
export function grade(problem: Gradable, text: string): Grade {
  const response = finalText(text);
  const multiChoice = problem.questionType === 'multi_choice';
  if (!multiChoice && problem.answerType === 'expression') return gradeExpression(problem, response);
  if (response === '') return unreadable(NOTHING);
  const answer = multiChoice ? readChoice(problem, response) : readFreeForm(problem, response);
  if (typeof answer === 'string') return unreadable(answer);
  const gold = multiChoice ? null : new ValueReader(problem).stated(unify(problem.answer));
  const same = answer.normalised === problem.answer || isSame(problem, gold, answer);
  return compared(answer, gold?.normalised ?? problem.answer, same);
}

/** Compares an answer with the gold answer, as what the question asks for. */
function isSame(problem: Gradable, gold: ValueRead | null, { extracted, normalised, ...read }: AnswerRead): boolean {
  const { answer, answerType, choices } = problem;
  if (problem.questionType === 'multi_choice') return Choices.of(choices).same(normalised, answer);
  if (gold === null) return normalised === plainText(answer);
  // Of a value below the precision that is asked for nothing would be left to compare.
  if (gold.exact !== undefined && gold.exact !== 0 && gold.normalised === '0')
    return read.exact !== undefined && Math.abs(read.exact - gold.exact) <= 1e-6 * Math.abs(gold.exact);
  const forms = [gold.normalised, ...gold.alternatives];
  if ([normalised, ...read.alternatives].some((form) => forms.includes(form))) return true;
  // A text with digits or LaTeX may be a formula that is written in another way.
  const isFormula = answerType === 'text' && /\d|\\/.test(answer) && answer.length <= SHORT_ANSWER;
  return isFormula && sameExpression(readFormula(answer, ''), readFormula(extracted, ''));
}

/** Mathematical answers are compared as such: there is no one text for each. */
function gradeExpression({ answer }: Gradable, response: string): Grade {
  const wanted = goldLetter(answer);
  const letter = wanted === null ? null : readLetter(response);
  if (letter) return compared(letter, answer, letter.normalised === wanted);
  const read = response === '' ? null : readExpression(response);
  const gold = readGold(answer);
  const words = goldWords(gold);
  const said = words === null ? NOTHING : readFreeForm({ answerType: 'text' }, response);
  if (typeof said !== 'string' && said.normalised === words) return compared(said, answer, true);
  // Words without LaTeX; a lone `$` is money.
  const isProse = !/\\|\$[^$]*\$/.test(response) && /[A-Za-z]{3}|[\u3040-\u9fff]/.test(response);
  const number = isProse ? readNumberFor(gold, response) : null;
  if (number) return compared(number.answer, answer, number.same);
  if (read === null) return unreadable(NOTHING);
  return compared(read, answer, sameExpression(gold, read) || readFormula(answer, '').normalised === read.normalised);
}

/** What prose says where the gold answer is one number: read as numbers are, with its remarks, words and scales. */
function readNumberFor(gold: ExpressionRead, response: string): { answer: AnswerRead; same: boolean } | null {
  const value = gold.node && constant(gold.node);
  const answer = value === null ? NOTHING : readFreeForm({ answerType: 'float' }, response);
  if (typeof answer === 'string' || answer.exact === undefined) return null;
  const said = { ...gold, normalised: '', extracted: '', node: { kind: 'number', value: answer.exact } as const };
  // As it is written it may be a percentage or a rounded value; a word such as `million` is in the value alone.
  const written = /^[^A-Za-z]*(?:percent)?$/.test(answer.extracted) ? readFormula(answer.extracted, '') : said;
  return { answer, same: sameExpression(gold, said) || sameExpression(gold, written) };
}

/** Reads the choice that a response answers with, without a look at the gold answer. */
function readChoice({ choices, question }: Omit<Gradable, 'answer'>, response: string): AnswerRead | string {
  const named = ({ letter, extracted }: ChoiceRead, how: string): AnswerRead | string =>
    letter === null
      ? `${how}: ${shortened(extracted)} names several choices at once`
      : // Votes for a choice that stands there twice are votes for one.
        { extracted, normalised: Choices.of(choices).firstSame(letter), alternatives: [], how };
  let unread = NOTHING;
  for (const piece of statedAnswers(response, true)) {
    const read = new ChoiceReader(piece.text, choices).stated();
    if (read) return named(read, piece.how);
    unread = notRead(piece, 'is none of the choices');
    if (isFinal(piece)) return unread;
  }
  const loose = new ChoiceReader(response, choices).loose();
  if (loose) return named(loose, 'the last choice named');
  return readYesNo(choices, question, response) ?? unread;
}

function notRead({ text, how }: Piece, what: string): string {
  return text === '' ? `${how} is empty` : `${how}: ${JSON.stringify(shortened(text))} ${what}`;
}

function shortened(text: string): string {
  return text.length > SHORT_ANSWER ? `${text.slice(0, SHORT_ANSWER)}...` : text;
}

/** True for a piece that is meant as the answer: where it cannot be read, nothing else is. */
function isFinal({ text, how, isMark }: Piece): boolean {
  if (isMark) return true;
  // A phrase of up to four words, unless it is about an answer or an option rather than one.
  const isAbout =
    /^(?:in)?(?:correct|right|wrong|true|false|clear|obvious|simple|easy|above|below|shown|given|as follows)\b/i;
  const isShort = text.length <= SHORT_ANSWER && text.split(/\s+/).length <= 4;
  return isShort && !/^after "(?:option|choice|I|we) /i.test(how) && !isAbout.test(text);
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

/** Reads the value that a response answers with, without a look at the gold answer. */
function readFreeForm(form: ValueForm, response: string): AnswerRead | string {
  const reader = new ValueReader(form);
  let unread = NOTHING;
  for (const piece of statedAnswers(response, false)) {
    const read = reader.stated(piece.text, piece.isMark);
    if (read) return { ...read, how: piece.how };
    unread = notRead(piece, `is no ${form.answerType}`);
    if (isFinal(piece)) return unread;
  }
  if (form.answerType === 'text') {
    const read = response.length <= SHORT_ANSWER && !response.includes('\n') ? reader.stated(response) : null;
    return read ? { ...read, how: 'the whole text' } : unread;
  }
  const sentences = sentencesFromEnd(response);
  if (sentences[0] !== undefined && isRefusal(sentences[0])) return 'the last sentence says that it cannot be answered';
  for (const asides of [false, true]) {
    for (const [at, sentence] of sentences.entries()) {
      const last = reader.loose(sentence, asides);
      if (last === null) continue;
      return closerSentence(reader, form.question, sentences.slice(at)) ?? { ...last, how: 'the last value' };
    }
  }
  return unread;
}

/** The value of the earlier sentence that restates the question far better; null where the last one is as good. */
function closerSentence(
  reader: ValueReader,
  question: string | undefined,
  [last = '', ...earlier]: readonly string[],
): AnswerRead | null {
  // A sentence that draws a conclusion is believed without a look at the question.
  const concludes = /^(?:\W{0,3})(?:therefore|thus|so|hence|in total|in conclusion|finally)\b/i.test(last);
  if (question === undefined || concludes) return null;
  const words = questionWords(question);
  // An earlier one must repeat so much more of the question.
  let best = { share: overlap(words, last) + 0.3, read: null as ValueRead | null };
  for (const sentence of earlier) {
    const share = overlap(words, sentence);
    const clear = share > best.share && hasOneValue(sentence);
    const read = clear ? reader.loose(sentence, false) : null;
    if (read) best = { share, read };
  }
  return best.read && { ...best.read, how: 'the sentence that restates the question' };
}
