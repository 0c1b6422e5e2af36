// Finds the final answer of a response by asking a language model, the last resort where no rule could read it. The
// judge sees the question and the response, never the gold answer.
import { letterAt, placeOf } from '../core/letters.js';
import type { Grade } from '../core/types.js';
import { mstar } from '../reward/protocol/mstar.js';
import type { AnswerRow, LastResort, Protocol } from '../reward/protocol/protocol.js';
import { officialProtocol } from '../reward/protocol/registry.js';
import { CachedChat, type Spent } from './chat.js';

/** What a judge did. Distinct pairs of question and response are counted, whichever protocols asked. */
export interface JudgeCounts extends Spent {
  readonly asked: number;
  /** Those in which it found an answer. */
  readonly read: number;
}

/** What the model says where a response states no answer. */
const NONE = 'NONE';
/** What is shown of question and response, whose end holds its answer, and what counts as an answer. UTF-16 units. */
const LONGEST = { question: 8000, response: 8000, answer: 200 };

export class Judge extends CachedChat<string> {
  /**
   * The final answer that a response states: a letter for multiple choice, else a value; null where it states none.
   * @throws UserError where the endpoint refuses or does not answer; what was answered before is kept on disk
   */
  answerOf(row: AnswerRow): Promise<string | null> {
    return this.ask(promptOf(row), (text) => readAnswer(text, row));
  }

  get counts(): JudgeCounts {
    const { asked, read } = this.asked;
    return { asked, read, ...this.spent };
  }
}

/** The question as the model saw it holds the choices; the response stands between marks that it cannot imitate by chance. */
function promptOf({ question = '', choices, questionType, response }: AnswerRow): string {
  const wanted =
    questionType === 'multi_choice'
      ? `the letter of the chosen option, one of A to ${letterAt(choices.length - 1)}`
      : 'the stated value, without words around it';
  const listed = choices.map((choice, i) => `(${letterAt(i)}) ${choice}`).join('\n');
  return [
    'Below are a question and a response to it. Find the final answer that the response states.',
    `Reply with ${wanted}, and nothing else. Do not solve the question and do not correct the response.`,
    `If the response states no final answer, reply ${NONE}.`,
    `<question>\n${question.slice(0, LONGEST.question)}\n</question>`,
    ...(choices.length > 0 ? [`<options>\n${listed}\n</options>`] : []),
    `<response>\n${response.slice(-LONGEST.response)}\n</response>`,
  ].join('\n\n');
}

/** Null for a reply that is not an answer: the word for none, nothing, a letter that no option has, an essay. */
function readAnswer(text: string, { questionType, choices }: AnswerRow): string | null {
  const said = text.trim();
  if (said === '' || said.length > LONGEST.answer || said.replace(/[."'*]/g, '').toUpperCase() === NONE) return null;
  if (questionType !== 'multi_choice') return said;
  const letter = /^\W*([A-Z])(?:\W|$)/.exec(said)?.[1];
  return letter !== undefined && placeOf(letter) < choices.length ? letter : null;
}

/** Grades a response again by what a judge read in it; grades that have an answer are left as they are. */
export function lastResortOf(judge: Judge): LastResort {
  return async (protocol, row, grade) => {
    const answer = lacksAnswer(protocol, row, grade) ? await judge.answerOf(row) : null;
    if (answer === null) return grade;
    // Some rules want the answer in a sentence.
    for (const response of [answer, `The answer is ${answer}`]) {
      const again = protocol.grade({ ...row, response, extraction: answer });
      if (again.verdict !== 'unreadable') return { ...again, reason: `read by ${judge.model}: ${again.reason}` };
    }
    return grade;
  };
}

/** MathVista's rule takes any text for the nearest choice: there our own extractor tells whether an answer was found. */
function lacksAnswer(protocol: Protocol, row: AnswerRow, grade: Grade): boolean {
  if (grade.verdict === 'unreadable') return true;
  const rule = protocol.name === 'official' ? officialProtocol(row) : protocol;
  if (rule.name !== 'mathvista' || row.extraction !== undefined || row.choices.includes(row.response)) return false;
  return mstar.grade(row).verdict === 'unreadable';
}
