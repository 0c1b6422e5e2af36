// The policy: samples answers to problems, rates them, learns from them, over one native model.
import { Stopped, stopIfAsked, UserError } from '../core/errors.js';
import type { Policy, RolloutHooks, RolloutRequest, RolloutResult } from '../core/ports.js';
import { checkNames } from '../core/schema.js';
import type { Example, Response, RolloutStats, Sampling } from '../core/types.js';
import {
  type Ask,
  askOf,
  checkSampling,
  type GenerateOptions,
  type Question,
  type StreamedResponse,
  type StreamOptions,
  streamAnswers,
} from './ask.js';
import type { RawRequest, RawResponse } from './binding.js';
import { Model } from './model.js';
import { cancellable, guarded } from './native.js';
import type { OpenedModel } from './open.js';
import type { Renderer } from './renderer.js';
import { Session } from './session.js';

const REQUEST: readonly (keyof RolloutRequest)[] = ['problem', 'variant', 'prefix', 'n', 'key'];
const SAMPLING: readonly (keyof Sampling)[] = ['temperature', 'topK', 'topP', 'maxTokens', 'scaledLogprobs'];

/** A question of `generate` that waits for the end of the tick it was asked in. */
interface Waiting extends Ask {
  resolve(responses: Response[]): void;
  reject(error: unknown): void;
}

/** A policy of the engine: what a program samples from and trains. */
export class NativePolicy extends Model implements Policy {
  protected readonly objective = 'response';
  readonly #onRollout: ((stats: RolloutStats) => void) | undefined;
  readonly #waiting: Waiting[] = [];

  /** `onRollout` is told what each rollout call computed. */
  constructor(opened: OpenedModel, renderer: Renderer, onRollout?: (stats: RolloutStats) => void) {
    super(opened, renderer);
    this.#onRollout = onRollout;
  }

  /**
   * Samples responses to R requests: `responses[r][i]` is sample i of request r. Throws Stopped once the signal is aborted,
   * EngineError.
   */
  async rollout(
    requests: readonly RolloutRequest[],
    sampling: Sampling,
    seed: number,
    hooks: RolloutHooks = {},
  ): Promise<RolloutResult> {
    checkNames(sampling, SAMPLING, 'rollout');
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
    const ask = askOf(options);
    stopIfAsked(ask.signal);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...ask, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#answerWaiting());
    });
  }

  /**
   * Samples answers to any number of questions and gives each as it finishes, in no fixed order. Questions are asked for
   * `ahead` at a time, the next when all answers to the last are taken; who takes no more ends the sampling. The same seed
   * gives the same answers to the same questions in the same order.
   * @throws UserError on an option or a question that cannot be used, Stopped once the signal is aborted
   */
  stream(
    questions: Iterable<Question> | AsyncIterable<Question>,
    options: StreamOptions = {},
  ): AsyncGenerator<StreamedResponse, void, undefined> {
    return streamAnswers(this, questions, options);
  }

  /** For conversations that come one by one. Until it is closed the policy can neither learn nor sample in another way. */
  async openSession(): Promise<Session> {
    const native = await guarded(() => this.opened.native.openSession());
    return new Session(this.opened, native, this.renderer);
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

  /** Log-probability of every response token, teacher forced, of the logits divided by `temperature`. */
  async logprobs(examples: readonly Example[], temperature = 1): Promise<Float32Array[]> {
    if (!(temperature > 0)) throw new UserError(`temperature: ${temperature}, wanted more than 0`, 'ERR_SETTING');
    const raw = await Promise.all(examples.map((example) => this.renderer.example(example)));
    return guarded(() => this.opened.native.logprobs(raw, temperature));
  }

  /** Token ids that a response of this text would have, the stop token included: for training on given text. */
  encodeResponse(text: string): Int32Array {
    return this.renderer.response(text);
  }

  async #request(request: RolloutRequest): Promise<RawRequest> {
    checkNames(request, REQUEST, 'rollout');
    const { problem, variant, prefix, n, key } = request;
    if (!Number.isInteger(n) || n < 1) throw new UserError(`n: ${n}, wanted a whole number of samples`, 'ERR_SETTING');
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
