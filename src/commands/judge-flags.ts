// The flags of an optional judge, for the verbs that grade: which model, at what price, remembered where.
import type { Argv } from 'yargs';
import { UserError } from '../core/errors.js';
import type { JudgeOptions, Price, Spent } from '../judge/chat.js';
import { shownAddress } from '../judge/client.js';
import { Judge, type JudgeCounts } from '../judge/judge.js';
import { requireInteger } from './result.js';

export interface JudgeFlags {
  judge?: string;
  judgeCache?: string;
  judgeConcurrency?: number;
  judgePrice?: string;
}

const OPENAI = 'https://api.openai.com/v1';

/** @param does what the model is for, as it stands in the help */
export function judgeFlags<T>(
  yargs: Argv<T>,
  does = 'reads responses without a readable answer',
): Argv<T & JudgeFlags> {
  return yargs
    .option('judge', {
      type: 'string',
      describe: `model that ${does}; asked at OPENAI_BASE_URL with OPENAI_API_KEY, which costs money and sends question and response there`,
    })
    .option('judge-cache', { type: 'string', describe: "folder of its replies; in the user's cache when left out" })
    .option('judge-concurrency', { type: 'number', defaultDescription: '8', describe: 'requests at a time' })
    .option('judge-price', {
      type: 'string',
      describe: 'US dollars per million input and output tokens, as 0.15,0.6: shows what was spent',
    }) as Argv<T & JudgeFlags>;
}

/** Undefined where no judge is asked for. Throws UserError on bad flags or a missing key. */
export function openJudge(flags: JudgeFlags): Judge | undefined {
  const options = judgeOptions(flags);
  return options && new Judge(options);
}

/** As `openJudge`, for another use of the same model. */
export function judgeOptions(flags: JudgeFlags): JudgeOptions | undefined {
  const { judge: model, judgeCache, judgeConcurrency, judgePrice } = flags;
  if (model === undefined) {
    const other = Object.entries({ judgeCache, judgeConcurrency, judgePrice }).find(([, value]) => value !== undefined);
    if (other)
      throw new UserError(`--judge: missing, wanted a model beside --judge-${other[0].slice(5).toLowerCase()}`);
    return undefined;
  }
  if (model === '') throw new UserError('--judge: empty, wanted the name of a model');
  requireInteger('--judge-concurrency', judgeConcurrency, 1, 256);
  const baseUrl = process.env.OPENAI_BASE_URL || OPENAI;
  if (!URL.canParse(baseUrl) || !/^https?:$/.test(new URL(baseUrl).protocol)) {
    throw new UserError(`OPENAI_BASE_URL: ${shownAddress(baseUrl)}, wanted an address as ${OPENAI}`);
  }
  const apiKey = process.env.OPENAI_API_KEY || undefined;
  if (apiKey === undefined && baseUrl === OPENAI)
    throw new UserError(`OPENAI_API_KEY: missing, wanted a key of ${OPENAI}`);
  return {
    baseUrl,
    model,
    ...(apiKey !== undefined && { apiKey }),
    ...(judgeCache !== undefined && { cache: judgeCache }),
    ...(judgeConcurrency !== undefined && { patience: { concurrency: judgeConcurrency } }),
    ...(judgePrice !== undefined && { price: readPrice(judgePrice) }),
  };
}

function readPrice(text: string): Price {
  const [input, output] = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (!(input !== undefined && output !== undefined && input >= 0 && output >= 0 && text.split(',').length === 2)) {
    throw new UserError(`--judge-price: ${text}, wanted two prices as 0.15,0.6`);
  }
  return { input, output };
}

/** What a judge did and what that took, in one line. */
export function describeJudge(model: string, counts: JudgeCounts): string {
  const { asked, read } = counts;
  return `judge ${model}: read ${read} of ${asked} distinct responses without an answer; ${describeSpent(counts)}`;
}

/** What was asked over the network. */
export function describeSpent({ sent, promptTokens, completionTokens, cost }: Spent): string {
  const spent = cost === null ? '' : `, $${cost.toFixed(4)}`;
  return `${sent} requests, ${promptTokens} + ${completionTokens} tokens${spent}`;
}
