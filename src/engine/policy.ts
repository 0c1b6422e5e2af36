// The policy: samples answers to problems, rates them, learns from them, over one native model.
import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { Stopped, stopIfAsked, UserError } from '../core/errors.js';
import type { Policy, RolloutHooks, RolloutRequest, RolloutResult } from '../core/ports.js';
import { checked } from '../core/schema.js';
import type { Example, ImageSource, Problem, Response, RolloutStats, Sampling, StepReport } from '../core/types.js';
import type { RawRequest, RawResponse } from './binding.js';
import { Model } from './model.js';
import { cancellable, guarded } from './native.js';
import type { OpenedModel } from './open.js';
import type { Renderer } from './renderer.js';

/** One question, for programs that do not have a data set. */
export interface GenerateOptions extends Partial<Sampling> {
  readonly question: string;
  /** File paths or encoded bytes (PNG, JPEG, WebP). */
  readonly images?: readonly (string | Uint8Array)[];
  /** Answers to sample; 1 when left out. */
  readonly n?: number;
  /** The same seed gives the same answers; every call draws anew when it is left out. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

// Ranges of numbers are for `rollout` to check.
const generateSchema = z.strictObject({
  question: z.string(),
  images: z.array(z.union([z.string().min(1), z.instanceof(Uint8Array)], 'a path or encoded bytes')).optional(),
  n: z.number().optional(),
  seed: z.number().optional(),
  signal: z.instanceof(AbortSignal).optional(),
  temperature: z.number().optional(),
  topK: z.number().optional(),
  topP: z.number().optional(),
  maxTokens: z.number().optional(),
});

/** A question of `generate` that waits for the end of the tick it was asked in. */
interface Waiting {
  readonly request: RolloutRequest;
  readonly sampling: Sampling;
  readonly signal: AbortSignal | undefined;
  resolve(responses: Response[]): void;
  reject(error: unknown): void;
}

export class NativePolicy extends Model implements Policy {
  readonly #onRollout: ((stats: RolloutStats) => void) | undefined;
  readonly #waiting: Waiting[] = [];

  /** `onRollout` is told what each rollout call computed. */
  constructor(opened: OpenedModel, renderer: Renderer, onRollout?: (stats: RolloutStats) => void) {
    super(opened, renderer);
    this.#onRollout = onRollout;
  }

  async rollout(
    requests: readonly RolloutRequest[],
    sampling: Sampling,
    seed: number,
    hooks: RolloutHooks = {},
  ): Promise<RolloutResult> {
    checkSampling(sampling, seed);
    const raw = await Promise.all(requests.map((request) => this.#request(request)));
    const rooms = raw.map(({ tokens, prefix }, i) =>
      roomAfter(tokens.length, prefix?.length ?? 0, this.renderer.positions, requests[i] as RolloutRequest),
    );
    const { stops, native } = this.opened;
    const stop = Int32Array.from(stops);
    // Responses seen by the hook are kept, so that each is decoded once.
    const decoded: Response[][] = requests.map(() => []);
    const respond = (request: number, sample: number, response: RawResponse): unknown => {
      const seen = this.#response(response, rooms[request] as number);
      (decoded[request] as Response[])[sample] = seen;
      return hooks.onResponse?.(request, sample, seen);
    };
    const maxTokens = rooms.reduce((most, room) => Math.max(most, Math.min(room, sampling.maxTokens)), 1);
    const { responses, ...stats } = await cancellable(hooks.signal, (flag, shielded) =>
      native.rollout(
        raw,
        { ...sampling, maxTokens, seed, stop },
        flag,
        hooks.onResponse ? shielded(respond) : null,
        hooks.onProgress ? shielded(hooks.onProgress.bind(hooks)) : null,
      ),
    );
    this.#onRollout?.(stats);
    return {
      responses: responses.map((row, request) =>
        row.map((response, sample) => decoded[request]?.[sample] ?? this.#response(response, rooms[request] as number)),
      ),
      stats,
    };
  }

  /**
   * Samples answers to one question. Calls made in one tick are sampled together, as fast as one call for all of them.
   * @throws UserError where an option is missing, misspelt or without meaning, Stopped once the signal is aborted
   */
  async generate(options: GenerateOptions): Promise<Response[]> {
    const {
      question,
      images = [],
      n = 1,
      seed = randomInt(2 ** 32),
      signal,
      temperature = 0,
      topK = 0,
      topP = 1,
      maxTokens = 512,
    } = checked(generateSchema, options, 'generate', 'options');
    const sources = images.map(
      (image): ImageSource => (typeof image === 'string' ? { path: image } : { bytes: image, name: 'image' }),
    );
    const problem: Problem = {
      id: 'question',
      question,
      images: sources,
      answer: '',
      questionType: 'free_form',
      answerType: 'text',
      choices: [],
      source: '',
    };
    const sampling = { temperature, topK, topP, maxTokens };
    checkSampling(sampling, seed);
    stopIfAsked(signal);
    // The seed is part of the key, so that questions with seeds of their own can be asked together.
    const request = { problem, variant: 'solve', n, key: `seed ${seed}` } as const;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, sampling, signal, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#answerWaiting());
    });
  }

  /** Asks in one rollout call what was asked in one tick and is sampled alike. */
  #answerWaiting(): void {
    const groups = new Map<string, Waiting[]>();
    for (const one of this.#waiting.splice(0)) {
      const key = JSON.stringify(one.sampling);
      groups.set(key, [...(groups.get(key) ?? []), one]);
    }
    for (const group of groups.values()) void this.#answer(group);
  }

  /** Where the common call fails each question is asked alone, so that only those fail that have a reason to. */
  async #answer(asked: readonly Waiting[]): Promise<void> {
    const [nobodyWaits, done] = [new AbortController(), new AbortController()];
    const stopped = new Set<Waiting>();
    for (const one of asked) {
      const stop = (): void => {
        one.reject(new Stopped(one.signal?.reason));
        if (stopped.add(one).size === asked.length) nobodyWaits.abort();
      };
      if (one.signal?.aborted) stop();
      else one.signal?.addEventListener('abort', stop, { signal: done.signal });
    }
    try {
      const requests = asked.map(({ request }) => request);
      const { sampling } = asked[0] as Waiting;
      const { responses } = await this.rollout(requests, sampling, 0, { signal: nobodyWaits.signal });
      for (const [i, { resolve }] of asked.entries()) resolve(responses[i] as Response[]);
    } catch (error) {
      if (asked.length === 1) asked[0]?.reject(error);
      else for (const one of asked) if (!stopped.has(one)) void this.#answer([one]);
    } finally {
      done.abort();
    }
  }

  async logprobs(examples: readonly Example[]): Promise<Float32Array[]> {
    const raw = await Promise.all(examples.map((example) => this.renderer.example(example)));
    return guarded(() => this.opened.native.logprobs(raw));
  }

  trainStep(batch: readonly Example[]): Promise<StepReport> {
    return this.step(batch, 'response');
  }

  encodeResponse(text: string): Int32Array {
    return this.renderer.response(text);
  }

  async #request({ problem, variant, prefix, n, key }: RolloutRequest): Promise<RawRequest> {
    if (!Number.isInteger(n) || n < 1) throw new UserError(`n: ${n}, wanted a whole number of samples`);
    return { ...(await this.renderer.prompt(problem, variant)), ...(prefix && { prefix }), n, key };
  }

  /** Where its model has no more positions (`room`), a response ends as it does after the most tokens that were asked for. */
  #response({ tokens, logprobs, finish }: RawResponse, room: number): Response {
    const { tokenizer } = this.opened;
    if (tokens.length <= room) return { tokens, logprobs, finish, ...tokenizer.decode(tokens) };
    const kept = tokens.slice(0, room);
    return { tokens: kept, logprobs: logprobs.slice(0, room), finish: 'length', ...tokenizer.decode(kept) };
  }
}

/** Positions left for a response. Throws UserError where the tokens that it would go on from have not all one. */
function roomAfter(prompt: number, prefix: number, positions: number, { problem }: RolloutRequest): number {
  const room = positions - prompt - prefix;
  if (room >= 0) return room;
  throw new UserError(
    `prefix of problem ${problem.id}: ${prompt + prefix} tokens with its prompt, wanted at most the ${positions} positions of the model`,
  );
}

function checkSampling({ temperature, topK, topP, maxTokens }: Sampling, seed: number): void {
  const check = (good: boolean, name: string, value: number, wanted: string): void => {
    if (!good) throw new UserError(`${name}: ${value}, wanted ${wanted}`);
  };
  check(Number.isFinite(temperature) && temperature >= 0, 'temperature', temperature, '0 (greedy) or more');
  check(Number.isInteger(topK) && topK >= 0, 'topK', topK, '0 (off) or more');
  check(topP > 0 && topP <= 1, 'topP', topP, 'more than 0, at most 1 (off)');
  check(Number.isInteger(maxTokens) && maxTokens >= 1, 'maxTokens', maxTokens, 'a whole number of tokens');
  check(Number.isSafeInteger(seed) && seed >= 0, 'seed', seed, 'a whole number from 0 to 2^53 - 1');
}
