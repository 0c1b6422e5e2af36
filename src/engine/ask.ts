// Questions of programs that have no data set: what `generate` and `stream` take, checked, as requests to the engine.
import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { inGroups } from '../core/lists.js';
import type { Policy, RolloutRequest } from '../core/ports.js';
import { checked, imageInput, imageSource } from '../core/schema.js';
import { type ImageInput, LEAST_TEMPERATURE, type Response, type Sampling } from '../core/types.js';

/** One question. */
export interface Question {
  readonly question: string;
  readonly images?: readonly ImageInput[];
}

/** How answers are sampled: greedily, 512 tokens at most, where nothing else is said. */
export interface AnswerOptions extends Partial<Sampling> {
  /** Answers to sample; 1 when left out. */
  readonly n?: number;
  /** The same seed gives the same answers; every call draws anew when it is left out. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

export interface GenerateOptions extends Question, AnswerOptions {}

export interface StreamOptions extends AnswerOptions {
  /** Questions that are sampled together; the next ones are asked for when all answers to these are taken. 16 when left out. */
  readonly ahead?: number;
}

/** An answer as it finishes. */
export interface StreamedResponse extends Response {
  /** Place of its question among those of the call, from 0. */
  readonly question: number;
  /** Which of the n answers to it. */
  readonly sample: number;
}

// Ranges of numbers are for `checkSampling` and `rollout` to check.
const questionFields = {
  question: z.string(),
  images: z.array(imageInput).optional(),
};
const answerFields = {
  n: z.number().optional(),
  seed: z.number().optional(),
  signal: z.instanceof(AbortSignal).optional(),
  temperature: z.number().optional(),
  topK: z.number().optional(),
  topP: z.number().optional(),
  maxTokens: z.number().optional(),
  scaledLogprobs: z.boolean().optional(),
};
const generateSchema = z.strictObject({ ...questionFields, ...answerFields });
const questionSchema = z.strictObject(questionFields);
const streamSchema = z.strictObject({ ...answerFields, ahead: z.number().int().min(1).optional() });

export interface Ask {
  readonly request: RolloutRequest;
  readonly sampling: Sampling;
  readonly signal: AbortSignal | undefined;
}

/** @throws UserError on an option that is missing, misspelt or without meaning */
export function askOf(options: GenerateOptions): Ask {
  const { question, images, ...rest } = checked(generateSchema, options, 'generate', 'options', 'ERR_SETTING');
  const { n, seed, signal, sampling } = filled(rest);
  // The seed is part of the key, so that questions with seeds of their own can be asked together.
  return { request: requestOf({ question, images }, n, `seed ${seed}`), sampling, signal };
}

/**
 * The answers to questions one after the other, each as it finishes, by rollout calls of `policy`.
 * @throws UserError on an option or a question that cannot be used, Stopped once the signal is aborted
 */
export async function* streamAnswers(
  policy: Pick<Policy, 'rollout'>,
  questions: Iterable<Question> | AsyncIterable<Question>,
  options: StreamOptions,
): AsyncGenerator<StreamedResponse, void, undefined> {
  const { ahead = 16, ...rest } = checked(streamSchema, options, 'stream', 'options', 'ERR_SETTING');
  const { n, seed, signal, sampling } = filled(rest);
  let asked = 0;
  for await (const some of inGroups(questions, ahead)) {
    const first = asked;
    const requests = some.map((question) => {
      const { question: text, images } = checked(
        questionSchema,
        question,
        `stream: question ${asked}`,
        'question',
        'ERR_SETTING',
      );
      return requestOf({ question: text, images }, n, `seed ${seed}/${asked++}`);
    });
    const taken = new AbortController();
    const ready: StreamedResponse[] = [];
    let wake = (): void => {};
    let isOver = false;
    const sampled = policy.rollout(requests, sampling, 0, {
      signal: signal ? AbortSignal.any([signal, taken.signal]) : taken.signal,
      onResponse(question, sample, response) {
        ready.push({ ...response, question: first + question, sample });
        wake();
      },
    });
    const ended = sampled
      .catch(() => {})
      .finally(() => {
        isOver = true;
        wake();
      });
    try {
      for (;;) {
        for (let one = ready.shift(); one; one = ready.shift()) yield one;
        if (isOver) break;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      await sampled;
    } finally {
      // Of answers that nobody takes, no more are sampled.
      taken.abort();
      await ended;
    }
  }
}

function filled({ n = 1, seed = randomInt(2 ** 32), signal, ...given }: AnswerOptions) {
  const { temperature = 0, topK = 0, topP = 1, maxTokens = 512, scaledLogprobs } = given;
  const sampling = { temperature, topK, topP, maxTokens, ...(scaledLogprobs && { scaledLogprobs }) };
  checkSampling(sampling, seed);
  return { n, seed, signal, sampling };
}

function requestOf({ question, images = [] }: Question, n: number, key: string): RolloutRequest {
  const problem = {
    id: 'question',
    question,
    images: images.map((image) => imageSource(image, 'image')),
    answer: '',
    questionType: 'free_form',
    answerType: 'text',
    choices: [],
    source: '',
  } as const;
  return { problem, variant: 'solve', n, key };
}

/** Throws UserError naming the first number that has no meaning. */
export function checkSampling({ temperature, topK, topP, maxTokens }: Sampling, seed: number): void {
  const check = (good: boolean, name: string, value: number, wanted: string): void => {
    if (!good) throw new UserError(`${name}: ${value}, wanted ${wanted}`, 'ERR_SETTING');
  };
  const isWarm = Number.isFinite(temperature) && temperature >= LEAST_TEMPERATURE;
  check(isWarm || temperature === 0, 'temperature', temperature, `0 (greedy), or at least ${LEAST_TEMPERATURE}`);
  check(Number.isInteger(topK) && topK >= 0, 'topK', topK, '0 (off) or more');
  check(topP > 0 && topP <= 1, 'topP', topP, 'more than 0, at most 1 (off)');
  check(Number.isInteger(maxTokens) && maxTokens >= 1, 'maxTokens', maxTokens, 'a whole number of tokens');
  check(Number.isSafeInteger(seed) && seed >= 0, 'seed', seed, 'a whole number from 0 to 2^53 - 1');
}
