// Answers to conversations that come one by one and are computed together: what a server asks of a policy.
import type { Conversation } from '../backbones/backbone.js';
import { UserError } from '../core/errors.js';
import type { ImageSource, Sampling } from '../core/types.js';
import { checkSampling } from './ask.js';
import type { NativeSession, RawExample, RawResponse, SessionState } from './binding.js';
import { cancellable, guarded, guardedNow } from './native.js';
import type { OpenedModel } from './open.js';
import type { Renderer } from './renderer.js';

/** A conversation as the model reads it. */
export interface ChatPrompt extends Pick<RawExample, 'tokens' | 'images'> {
  /** Positions that are left for an answer, at least one. */
  readonly room: number;
}

export interface ChatOptions {
  /** Answers to draw. */
  readonly n: number;
  /** An answer ends before where the positions of the model do. */
  readonly sampling: Sampling;
  /** The same prompt, sampling and seed give the same answers, whatever else is computed. */
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  /** Told of tokens as they are drawn, but for the last ones; an answer for which it gives `true` is given up. */
  readonly onTokens?: ((sample: number, fresh: RawResponse) => boolean) | undefined;
  /** Told of the whole of an answer that has ended by itself. */
  readonly onResponse?: ((sample: number, response: RawResponse) => void) | undefined;
}

export class Session implements AsyncDisposable {
  readonly #opened: OpenedModel;
  readonly #native: NativeSession;
  readonly #renderer: Renderer;

  constructor(opened: OpenedModel, native: NativeSession, renderer: Renderer) {
    this.#opened = opened;
    this.#native = native;
    this.#renderer = renderer;
  }

  /**
   * @param sources pictures, by the index that the turns use
   * @throws UserError when a picture cannot be used, or when there is no position left for an answer
   */
  async prompt(conversation: Conversation, sources: readonly ImageSource[]): Promise<ChatPrompt> {
    const prompt = await this.#renderer.conversation(conversation, sources);
    const { positions } = this.#renderer;
    const room = positions - prompt.tokens.length;
    if (room >= 1) return { ...prompt, room };
    throw new UserError(
      `messages: ${prompt.tokens.length} tokens, wanted fewer than the ${positions} positions of the model`,
    );
  }

  /**
   * @returns the answers; one that was given up has no tokens
   * @throws UserError on numbers without meaning, Stopped once the signal is aborted
   */
  async answer(
    { tokens, images, room }: ChatPrompt,
    { n, sampling, seed, signal, onTokens, onResponse }: ChatOptions,
  ): Promise<readonly RawResponse[]> {
    checkSampling(sampling, seed);
    const stop = Int32Array.from(this.#opened.stops);
    const maxTokens = Math.min(room, sampling.maxTokens);
    const { responses } = await cancellable(signal, (flag, shielded) =>
      this.#native.rollout(
        [{ tokens, images, n, key: 'chat' }],
        { ...sampling, maxTokens, seed, stop },
        flag,
        onResponse ? shielded((_, sample, response: RawResponse) => onResponse(sample, response)) : null,
        null,
        onTokens
          ? shielded((_, sample, fresh: RawResponse) => {
              if (onTokens(sample, fresh)) flag.drop(0, sample);
            })
          : null,
      ),
    );
    return responses[0] as RawResponse[];
  }

  get state(): SessionState {
    return guardedNow(() => this.#native.state());
  }

  /** Takes no more, and ends when what is under way has. */
  async close(): Promise<void> {
    await guarded(() => this.#native.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
