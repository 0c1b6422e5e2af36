// Scores of the steps of an answer, by a process reward model, as the body of an answer of the server.
import { z } from 'zod';
import type { NativeScorer } from '../engine/prm.js';
import { splitSteps } from '../reward/steps.js';
import { messagesSchema, type PictureRules, readMessages, textOf } from './messages.js';
import { Refusal } from './refusal.js';
import { readFields } from './request.js';

const scoreSchema = z.strictObject({ model: z.string().nullish(), messages: messagesSchema });

/** A step of the answer: its place in characters (Unicode code points), half open. */
export interface ScoredStep {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly score: number;
}

export type ScoreRequest = z.infer<typeof scoreSchema>;

/** @throws Refusal naming the field at fault */
export function readScoreRequest(body: unknown): ScoreRequest {
  return readFields(scoreSchema, body);
}

/**
 * @param request its messages end with the answer, of the role assistant; its steps are cut as those of sampled responses
 * @throws Refusal naming the field at fault, UserError on a picture or a length that the model cannot take
 */
export async function scoreAnswer(
  { messages }: ScoreRequest,
  scorer: NativeScorer,
  rules: PictureRules,
  delimiter: string,
): Promise<readonly ScoredStep[]> {
  const last = messages.at(-1);
  const param = `messages[${messages.length - 1}]`;
  if (last?.role !== 'assistant' || messages.length === 1)
    throw new Refusal(400, `${param}: wanted a question, and behind it its answer of the role assistant`, { param });
  const text = textOf(last.content);
  if (text === '') throw new Refusal(400, `${param}: an empty answer, wanted one with a step`, { param });
  const { conversation, sources } = readMessages(messages.slice(0, -1), scorer.opened.backbone, rules);
  // Cut by the text alone: every character counts as a token.
  const ends = Uint32Array.from({ length: text.length }, (_, at) => at + 1);
  const steps = splitSteps({ text, tokens: new Int32Array(text.length), ends }, delimiter);
  const scores = await scorer.scoreAnswer(
    conversation,
    sources,
    text,
    steps.map(({ textEnd }) => textEnd),
  );
  let start = 0;
  return steps.map(({ textStart, textEnd }, at) => {
    const step = text.slice(textStart, textEnd);
    const from = start;
    start += [...step].length;
    return { start: from, end: start, text: step, score: scores[at] as number };
  });
}
