// A chat model whose replies are kept, in memory and on disk: whatever is asked of it, an answer is paid for once.
import { hash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { makeFolder } from '../core/files.js';
import { ChatClient, type Endpoint, type Patience, type Reply } from './client.js';

/** US dollars per million tokens. */
export interface Price {
  readonly input: number;
  readonly output: number;
}

/** Which model is asked, where, and how patiently. */
export interface JudgeOptions extends Endpoint {
  readonly patience?: Partial<Patience>;
  /** Folder of replies; `$XDG_CACHE_HOME/mstar/judge`, or the same under `~/.cache`, when left out. */
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

const kept = z.object({ text: z.string(), promptTokens: z.number(), completionTokens: z.number() });

/** @typeParam T what replies are read as */
export class CachedChat<T> {
  readonly model: string;
  readonly #baseUrl: string;
  readonly #client: ChatClient;
  readonly #folder: string;
  readonly #price: Price | undefined;
  readonly #known = new Map<string, Promise<T | null>>();
  readonly #found = { read: 0, unreadable: 0 };
  readonly #spent = { sent: 0, promptTokens: 0, completionTokens: 0 };
  #written = 0;

  constructor({ patience, cache, price, ...endpoint }: JudgeOptions) {
    this.model = endpoint.model;
    this.#baseUrl = endpoint.baseUrl;
    this.#client = new ChatClient(endpoint, patience);
    this.#folder = cache ?? join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mstar', 'judge');
    this.#price = price;
  }

  /**
   * What `read` makes of the reply to a message; null where it is not an answer. The same message is asked and read once.
   * @throws UserError where the endpoint refuses or does not answer; what was answered before is kept on disk
   */
  protected ask(message: string, read: (text: string) => T | null): Promise<T | null> {
    const known = this.#known.get(message);
    if (known) return known;
    const answer = this.#reply(message).then((text) => {
      const found = read(text);
      this.#found[found === null ? 'unreadable' : 'read']++;
      return found;
    });
    this.#known.set(message, answer);
    return answer;
  }

  /** Messages that were asked, and how many replies to them were answers. */
  protected get asked(): { readonly asked: number; readonly read: number; readonly unreadable: number } {
    return { asked: this.#known.size, ...this.#found };
  }

  protected get spent(): Spent {
    const { promptTokens, completionTokens } = this.#spent;
    const price = this.#price;
    const cost = price ? (promptTokens * price.input + completionTokens * price.output) / 1e6 : null;
    return { ...this.#spent, cost };
  }

  /** By one small file for each reply, so that a second run asks nothing and comes to the same verdicts. */
  async #reply(message: string): Promise<string> {
    const key = hash('sha256', JSON.stringify([this.#baseUrl, this.model, message]), 'hex');
    const path = join(this.#folder, key.slice(0, 2), `${key}.json`);
    // One that is missing or damaged is asked for again.
    const known = await readFile(path, 'utf8')
      .then((text) => kept.parse(JSON.parse(text)))
      .catch(() => null);
    if (known) return known.text;
    const { text, promptTokens, completionTokens }: Reply = await this.#client.ask(message);
    this.#spent.sent++;
    this.#spent.promptTokens += promptTokens;
    this.#spent.completionTokens += completionTokens;
    // Another process may write the same reply: each has its own file until it is whole.
    const aside = `${path}.${process.pid}.${++this.#written}`;
    await makeFolder(dirname(path));
    await writeFile(aside, JSON.stringify({ text, promptTokens, completionTokens }));
    await rename(aside, path);
    return text;
  }
}
