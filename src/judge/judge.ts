// Finds the final answer of a response by asking a language model, the last resort where no rule could read it. The
// judge sees the question and the response, never the gold answer.
import { letterAt, placeOf } from '../core/letters.js';
import type { AnswerRow } from '../reward/protocol/protocol.js';
import { CachedChat, type JudgeOptions, type Spent } from './chat.js';

/** What a judge did. Distinct pairs of question and response are counted, whichever protocols asked. */
export interface JudgeCounts extends Spent {
  readonly asked: number;
  /** Those in which it found an answer. */
  readonly read: number;
}

/** What the model says where a response states no answer. */
const NONE = 'NONE';
/** The end of a response holds its answer. UTF-16 units. */
const LONGEST_RESPONSE = 8000;
const LONGEST_QUESTION = 8000;
/** A longer reply does not count as an answer. */
const LONGEST_ANSWER = 200;

export class Judge {
  readonly #chat: CachedChat;
  readonly #known = new Map<string, Promise<string | null>>();
  #read = 0;

  constructor(options: JudgeOptions) {
    this.#chat = new CachedChat(options);
  }

  get model(): string {
    return this.#chat.model;
  }

  /**
   * The final answer that a response states: a letter for multiple choice, else a value; null where it states none.
   * @throws UserError where the endpoint refuses or does not answer; what was answered before is kept on disk
   */
  answerOf(row: AnswerRow): Promise<string | null> {
    const message = promptOf(row);
    const known = this.#known.get(message);
    if (known) return known;
    const answer = this.#ask(message, row);
    this.#known.set(message, answer);
    return answer;
  }

  get counts(): JudgeCounts {
    return { asked: this.#known.size, read: this.#read, ...this.#chat.spent };
  }

  async #ask(message: string, row: AnswerRow): Promise<string | null> {
    const answer = readAnswer(await this.#chat.ask(message), row);
    if (answer !== null) this.#read++;
    return answer;
  }
}

/** The question as the model saw it holds the choices; the response stands between marks that it cannot imitate by chance. */
export function promptOf({ question = '', choices, questionType, response }: AnswerRow): string {
  const wanted =
    questionType === 'multi_choice'
      ? `the letter of the chosen option, one of A to ${letterAt(choices.length - 1)}`
      : 'the stated value, without words around it';
  const listed = choices.map((choice, i) => `(${letterAt(i)}) ${choice}`).join('\n');
  return [
    'Below are a question and a response to it. Find the final answer that the response states.',
    `Reply with ${wanted}, and nothing else. Do not solve the question and do not correct the response.`,
    `If the response states no final answer, reply ${NONE}.`,
    `<question>\n${question.slice(0, LONGEST_QUESTION)}\n</question>`,
    ...(choices.length > 0 ? [`<options>\n${listed}\n</options>`] : []),
    `<response>\n${response.slice(-LONGEST_RESPONSE)}\n</response>`,
  ].join('\n\n');
}

/** Null for a reply that is not an answer: the word for none, nothing, a letter that no option has, an essay. */
function readAnswer(text: string, { questionType, choices }: AnswerRow): string | null {
  const said = text.trim();
  if (said === '' || said.length > LONGEST_ANSWER || said.replace(/[."'*]/g, '').toUpperCase() === NONE) return null;
  if (questionType !== 'multi_choice') return said;
  const letter = /^\W*([A-Z])(?:\W|$)/.exec(said)?.[1];
  return letter !== undefined && placeOf(letter) < choices.length ? letter : null;
}
