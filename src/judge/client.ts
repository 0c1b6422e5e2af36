// Asks a chat model behind an OpenAI-compatible endpoint: bounded in time and concurrency, tried again where that can help.
// Leaves what is asked to judge.ts and remembering answers to cache.ts.
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../core/errors.js';

export interface Endpoint {
  /** Up to and without `/chat/completions`. */
  readonly baseUrl: string;
  /** Sent as a bearer token and never shown; none where it is left out. */
  readonly apiKey?: string;
  readonly model: string;
}

export interface Patience {
  /** Requests at a time. */
  readonly concurrency: number;
  readonly timeoutMs: number;
  /** Tries after the first. */
  readonly retries: number;
  /** Wait before the first retry; doubled before each further one. */
  readonly backoffMs: number;
}

export const PATIENCE: Patience = { concurrency: 8, timeoutMs: 60_000, retries: 6, backoffMs: 1000 };

export interface Reply {
  readonly text: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** Longest wait that a server may ask for. */
const LONGEST_WAIT_MS = 60_000;
/** Limits that some models refuse by name; then they are left to the model. */
const OPTIONAL = { temperature: 0, max_tokens: 64 };

export class ChatClient {
  readonly #endpoint: Endpoint;
  readonly #patience: Patience;
  readonly #refused = new Set<string>();
  readonly #waiting: (() => void)[] = [];
  /** Ends all that is under way once a request has failed for good: its error is the one that counts. */
  readonly #end = new AbortController();
  #running = 0;

  constructor(endpoint: Endpoint, patience: Partial<Patience> = {}) {
    this.#endpoint = endpoint;
    this.#patience = { ...PATIENCE, ...patience };
  }

  /**
   * The model's reply to one user message.
   * @throws UserError where the endpoint refuses the request, or does not answer after all retries
   */
  async ask(message: string): Promise<Reply> {
    if (this.#running >= this.#patience.concurrency) await new Promise<void>((go) => this.#waiting.push(go));
    else this.#running++;
    try {
      return await this.#try(message);
    } finally {
      // The place goes to who waits longest, or is given up.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }

  async #try(message: string): Promise<Reply> {
    const { retries, backoffMs } = this.#patience;
    for (let tried = 0; ; ) {
      this.#end.signal.throwIfAborted();
      const outcome = await this.#once(message);
      if ('reply' in outcome) return outcome.reply;
      if (outcome.again === 'at once') continue;
      if (outcome.again === 'never' || tried === retries) {
        const tries = tried > 0 ? ` after ${tried + 1} tries` : '';
        this.#end.abort(new UserError(`${this.#endpoint.baseUrl}: judge: ${outcome.fault}${tries}, wanted a reply`));
        continue;
      }
      const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(outcome.waitMs ?? 0, backoffMs * 2 ** tried));
      // Cut short where another request ends it all.
      await sleep(waitMs, undefined, { signal: this.#end.signal }).catch(() => {});
      tried++;
    }
  }

  async #once(
    message: string,
  ): Promise<{ reply: Reply } | { fault: string; again: 'at once' | 'later' | 'never'; waitMs?: number }> {
    const { baseUrl, apiKey, model } = this.#endpoint;
    const optional = Object.entries(OPTIONAL).filter(([name]) => !this.#refused.has(name));
    try {
      const response = await fetch(`${baseUrl.replace(/\/+$/, '')}/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(apiKey && { authorization: `Bearer ${apiKey}` }) },
        body: JSON.stringify({
          model,
          messages: [{ role: 'user', content: message }],
          ...Object.fromEntries(optional),
        }),
        signal: AbortSignal.any([AbortSignal.timeout(this.#patience.timeoutMs), this.#end.signal]),
      });
      const body = await response.text();
      if (response.ok) return readReply(body);
      const fault = `HTTP ${response.status} ${body.replace(/\s+/g, ' ').slice(0, 200)}`.trimEnd();
      const named = response.status === 400 ? optional.find(([name]) => body.includes(name)) : undefined;
      if (named) {
        this.#refused.add(named[0]);
        return { fault, again: 'at once' };
      }
      const passing = response.status === 429 || response.status === 408 || response.status >= 500;
      const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
      return {
        fault,
        again: passing ? 'later' : 'never',
        ...(seconds > 0 && { waitMs: seconds * 1000 }),
      };
    } catch (error) {
      const { name, cause, message: what } = error as Error & { cause?: { code?: string } };
      const fault = name === 'TimeoutError' ? `no answer in ${this.#patience.timeoutMs} ms` : (cause?.code ?? what);
      return { fault, again: 'later' };
    }
  }
}

/** A body that is no chat completion comes from a proxy as a rule, and passes. */
function readReply(body: string): { reply: Reply } | { fault: string; again: 'later' } {
  let read: {
    choices?: { message?: { content?: unknown } }[];
    usage?: { prompt_tokens?: unknown; completion_tokens?: unknown };
  } | null = null;
  try {
    read = JSON.parse(body);
  } catch {
    // Told below.
  }
  const text = read?.choices?.[0]?.message?.content;
  if (typeof text !== 'string') return { fault: `not a chat completion: ${body.slice(0, 100)}`, again: 'later' };
  const tokens = (value: unknown): number => (typeof value === 'number' ? value : 0);
  const { prompt_tokens, completion_tokens } = read?.usage ?? {};
  return { reply: { text, promptTokens: tokens(prompt_tokens), completionTokens: tokens(completion_tokens) } };
}
