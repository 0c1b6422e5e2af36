// `mstar/judge`: language models that are asked about responses, over the protocol of OpenAI's chat completions.
import { z } from 'zod';
import { checked } from '../core/schema.js';
import type { JudgeOptions } from '../judge/chat.js';
import * as judges from '../judge/judge.js';
import * as relevances from '../judge/relevance.js';
import { having, looking, path, text, whole } from './arguments.js';

export type { JudgeOptions, Price } from '../judge/chat.js';
export type { Patience } from '../judge/client.js';
export type { JudgeCounts } from '../judge/judge.js';
export { RELEVANCE_PROMPT, type RelevanceCounts } from '../judge/relevance.js';
export type { LastResort } from '../reward/protocol/protocol.js';

const judgeOptions = z.strictObject({
  baseUrl: path,
  apiKey: text.optional(),
  model: path,
  patience: z
    .strictObject({ concurrency: whole(1), timeoutMs: whole(1), retries: whole(0), backoffMs: whole(0) })
    .partial()
    .optional(),
  cache: path.optional(),
  price: z.strictObject({ input: z.number().min(0), output: z.number().min(0) }).optional(),
});

export const lastResortOf = looking('lastResortOf', { judge: having('answerOf') }, judges.lastResortOf);

/**
 * A language model that reads the final answer of a response in which a protocol finds none. Its constructor throws UserError
 * on bad options.
 */
export class Judge extends judges.Judge {
  constructor(options: JudgeOptions) {
    super(checked(judgeOptions, options, 'Judge', 'options', 'ERR_SETTING') as JudgeOptions);
  }
}
/**
 * A language model that rates how much a response has to do with its question, for `OpenedRun.prm`. Its constructor throws
 * UserError on bad options.
 */
export class RelevanceJudge extends relevances.RelevanceJudge {
  constructor(options: JudgeOptions) {
    super(checked(judgeOptions, options, 'RelevanceJudge', 'options', 'ERR_SETTING') as JudgeOptions);
  }
}
