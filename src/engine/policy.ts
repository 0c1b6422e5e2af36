// The policy: samples answers to problems, rates them, learns from them, over one native model.
// Leaves prompts to renderer.ts, checkpoints to model.ts, everything numeric to the addon.
import { UserError } from '../core/errors.js';
import type { Policy, RolloutHooks, RolloutRequest, RolloutResult } from '../core/ports.js';
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
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

export class NativePolicy extends Model implements Policy {
  readonly #onRollout: ((stats: RolloutStats) => void) | undefined;

  /** `onRollout` is told what each rollout call computed. */
  constructor(opened: OpenedModel, renderer: Renderer, tokenBudget: number, onRollout?: (stats: RolloutStats) => void) {
    super(opened, renderer, tokenBudget);
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
    const { backbone, tokenizer, native } = this.opened;
    const stop = Int32Array.from(backbone.stops, (name) => tokenizer.idOf(name) as number);
    // Responses seen by the hook are kept, so that each is decoded once.
    const decoded: Response[][] = requests.map(() => []);
    const { onResponse, onProgress } = hooks;
    const respond = onResponse
      ? (request: number, sample: number, response: RawResponse): void => {
          const seen = this.#response(response);
          (decoded[request] as Response[])[sample] = seen;
          onResponse(request, sample, seen);
        }
      : null;
    const progress = onProgress
      ? (done: number, total: number, tokens: number): void => onProgress(done, total, tokens)
      : null;
    const { responses, ...stats } = await cancellable(hooks.signal, (flag) =>
      native.rollout(raw, { ...sampling, seed, stop }, flag, respond, progress),
    );
    this.#onRollout?.(stats);
    return {
      responses: responses.map((row, request) =>
        row.map((response, sample) => decoded[request]?.[sample] ?? this.#response(response)),
      ),
      stats,
    };
  }

  /** Samples answers to one question. */
  async generate(options: GenerateOptions): Promise<Response[]> {
    const {
      question,
      images = [],
      n = 1,
      seed = 0,
      signal,
      temperature = 0,
      topK = 0,
      topP = 1,
      maxTokens = 512,
    } = options;
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
    const request = { problem, variant: 'solve', n, key: 'question' } as const;
    const { responses } = await this.rollout([request], { temperature, topK, topP, maxTokens }, seed, { signal });
    return responses[0] as Response[];
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

  #response({ tokens, logprobs, finish }: RawResponse): Response {
    return { tokens, logprobs, finish, ...this.opened.tokenizer.decode(tokens) };
  }
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
