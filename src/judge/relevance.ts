// Rates how relevant a response is to its question (P11), from 1 to 5, by asking a language model.
import { CachedChat, type Spent } from './chat.js';

/**
 * What the model is asked. The paper rates relevance by a language model but publishes neither prompt nor scale. This one asks for
 * what its finding is about, reasoning that stays with the question, and keeps correctness out of the rating, as only correct
 * responses are compared and the model sees no picture. `{question}` and `{response}` are filled in.
 */
export const RELEVANCE_PROMPT = [
  'Below are a question about a picture, which you cannot see, and a response to it. Rate how relevant the response is to the question.',
  '5: every step helps to answer what is asked.\n4: hardly anything is beside the point.\n3: some steps are beside the point, repeated or about something else.\n2: most steps are.\n1: the response has nothing to do with the question.',
  'Do not solve the question. Whether the response is right, its length and its style do not count.',
  'Reply with one digit from 1 to 5, and nothing else.',
  '<question>\n{question}\n</question>',
  '<response>\n{response}\n</response>',
].join('\n\n');

/** UTF-16 units that are shown; the start of a response says what it is about. */
const LONGEST = 8000;

/** What was rated. Distinct pairs of question and response are counted. */
export interface RelevanceCounts extends Spent {
  readonly asked: number;
  /** Replies that were not a rating. */
  readonly unreadable: number;
}

export class RelevanceJudge extends CachedChat<number> {
  get counts(): RelevanceCounts {
    const { asked, unreadable } = this.asked;
    return { asked, unreadable, ...this.spent };
  }

  /**
   * 1 to 5; null where the reply is not a rating.
   * @throws UserError where the endpoint refuses or does not answer; what was answered before is kept on disk
   */
  rate(question: string, response: string): Promise<number | null> {
    const slots: Readonly<Record<string, string>> = {
      '{question}': question.slice(0, LONGEST),
      '{response}': response.slice(0, LONGEST),
    };
    // In one pass: a question that holds the mark of a slot does not open one.
    const message = RELEVANCE_PROMPT.replace(/\{question\}|\{response\}/g, (slot) => slots[slot] as string);
    // A digit alone: what comes with words may be a list of ratings, or an excuse that holds a number.
    return this.ask(message, (text) => (/^\s*[1-5]\s*$/.test(text) ? Number(text) : null));
  }
}
