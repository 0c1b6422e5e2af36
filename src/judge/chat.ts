// A chat model whose replies are kept on disk: whatever is asked of it, an answer is paid for once.
import { hash } from 'node:crypto';
import { defaultCacheFolder, ReplyCache } from './cache.js';
import { ChatClient, type Endpoint, type Patience } from './client.js';

/** US dollars per million tokens. */
export interface Price {
  readonly input: number;
  readonly output: number;
}

export interface JudgeOptions extends Endpoint {
  readonly patience?: Partial<Patience>;
  /** Folder of replies; `defaultCacheFolder()` when left out. */
  readonly cache?: string;
  readonly price?: Price;
}

/** What was asked over the network, this time. */
export interface Spent {
  readonly sent: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** US dollars; null where no price is known. */
  readonly cost: number | null;
}

export class CachedChat {
  readonly model: string;
  readonly #baseUrl: string;
  readonly #client: ChatClient;
  readonly #cache: ReplyCache;
  readonly #price: Price | undefined;
  #sent = 0;
  #promptTokens = 0;
  #completionTokens = 0;

  constructor({ patience, cache, price, ...endpoint }: JudgeOptions) {
    this.model = endpoint.model;
    this.#baseUrl = endpoint.baseUrl;
    this.#client = new ChatClient(endpoint, patience);
    this.#cache = new ReplyCache(cache ?? defaultCacheFolder());
    this.#price = price;
  }

  /**
   * The text of the reply to one message.
   * @throws UserError where the endpoint refuses or does not answer; what was answered before is kept on disk
   */
  async ask(message: string): Promise<string> {
    const key = hash('sha256', JSON.stringify([this.#baseUrl, this.model, message]), 'hex');
    const known = await this.#cache.get(key);
    if (known) return known.text;
    const reply = await this.#client.ask(message);
    this.#sent++;
    this.#promptTokens += reply.promptTokens;
    this.#completionTokens += reply.completionTokens;
    await this.#cache.put(key, reply);
    return reply.text;
  }

  get spent(): Spent {
    const [promptTokens, completionTokens] = [this.#promptTokens, this.#completionTokens];
    const price = this.#price;
    const cost = price ? (promptTokens * price.input + completionTokens * price.output) / 1e6 : null;
    return { sent: this.#sent, promptTokens, completionTokens, cost };
  }
}
