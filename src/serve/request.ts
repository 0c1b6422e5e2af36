// The body of a request for answers: what it may hold, and what of the protocol is refused because the engine has no such thing.
import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { explainIssue } from '../config/explain.js';
import { temperature } from '../config/numbers.js';
import type { Sampling } from '../core/types.js';
import { messagesSchema } from './messages.js';
import { Refusal } from './refusal.js';

/** Takes a value that asks for nothing; any other is refused by name. */
const only = (isNothing: (value: unknown) => boolean, wanted: string) =>
  z
    .unknown()
    .refine((value) => value == null || isNothing(value), `not supported, wanted ${wanted}`)
    .optional();
const isEmpty = (value: unknown): boolean => typeof value === 'object' && Object.keys(value as object).length === 0;
const count = (most: number) => z.number().int().min(1).max(most).nullish();

const requestFields = {
  model: z.string(),
  messages: messagesSchema,
  n: count(128),
  temperature: temperature(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.number().int().min(0).nullish(),
  seed: z.number().int().nullish(),
  max_tokens: count(2 ** 31),
  max_completion_tokens: count(2 ** 31),
  stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(4)], 'a text, or at most 4 of them').nullish(),
  logprobs: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  // The engine has nothing for these.
  top_logprobs: only((value) => value === 0, '0: of a token that was not drawn the engine keeps no probability'),
  response_format: only(
    (value) => (value as { type?: unknown }).type === 'text',
    'none, or {"type": "text"}: answers are not bound to a form',
  ),
  tools: only(isEmpty, 'none: the model calls no tools'),
  tool_choice: only((value) => value === 'none' || value === 'auto', 'none: the model calls no tools'),
  functions: only(isEmpty, 'none: the model calls no functions'),
  function_call: only((value) => value === 'none' || value === 'auto', 'none: the model calls no functions'),
  logit_bias: only(isEmpty, 'none: logits are not shifted'),
  frequency_penalty: only((value) => value === 0, '0: there are no penalties'),
  presence_penalty: only((value) => value === 0, '0: there are no penalties'),
  modalities: only((value) => Array.isArray(value) && value.every((one) => one === 'text'), '["text"]'),
  audio: only(() => false, 'none: answers are text'),
  prediction: only(() => false, 'none'),
  web_search_options: only(() => false, 'none: nothing is looked up'),
  // These change nothing here.
  ...Object.fromEntries(
    [
      ...['user', 'metadata', 'store', 'service_tier', 'parallel_tool_calls', 'safety_identifier'],
      ...['prompt_cache_key', 'prompt_cache_retention', 'reasoning_effort', 'verbosity'],
    ].map((name) => [name, z.unknown().optional()]),
  ),
};
const requestSchema = z.strictObject(requestFields);

export interface ChatRequest {
  readonly model: string;
  readonly messages: z.infer<typeof messagesSchema>;
  readonly n: number;
  readonly sampling: Sampling;
  readonly seed: number;
  /** Texts that an answer ends before. */
  readonly stop: readonly string[];
  readonly logprobs: boolean;
  readonly stream: boolean;
  /** Whether a stream ends with the counts of tokens. */
  readonly usage: boolean;
}

/** @throws Refusal naming the field that is missing, unknown, wrong or not to be had */
export function readRequest(body: unknown): ChatRequest {
  const { model, messages, stop, logprobs, ...given } = readFields(requestSchema, body);
  const maxTokens = given.max_completion_tokens ?? given.max_tokens ?? Number.MAX_SAFE_INTEGER;
  if (given.stream_options && !given.stream)
    throw new Refusal(400, 'stream_options: given without stream, wanted both', { param: 'stream_options' });
  const seed = given.seed ?? randomInt(2 ** 32);
  return {
    model,
    messages,
    n: given.n ?? 1,
    sampling: {
      temperature: given.temperature ?? 1,
      // 0 means the most likely token alone, which any small share is.
      topP: given.top_p === 0 ? Number.MIN_VALUE : (given.top_p ?? 1),
      topK: given.top_k ?? 0,
      maxTokens,
    },
    seed: seed < 0 ? seed + Number.MAX_SAFE_INTEGER : seed,
    stop: typeof stop === 'string' ? [stop] : (stop ?? []),
    logprobs: logprobs ?? false,
    stream: given.stream ?? false,
    usage: given.stream_options?.include_usage ?? false,
  };
}

/** @throws Refusal naming the first field at fault */
export function readFields<T extends z.ZodObject>(schema: T, body: unknown): z.output<T> {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const issue = read.error.issues[0] as z.core.$ZodIssue;
  if (issue.code === 'unrecognized_keys') {
    const [name = ''] = issue.keys;
    throw new Refusal(400, `Unrecognized request argument supplied: ${name.slice(0, 100)}`, {
      param: name.slice(0, 100),
    });
  }
  const param = issue.path.reduce<string>(
    (path, key) => (typeof key === 'number' ? `${path}[${key}]` : path ? `${path}.${String(key)}` : String(key)),
    '',
  );
  throw new Refusal(400, `${param || 'body'}: ${explainIssue(issue, body)}`, { ...(param && { param }) });
}
