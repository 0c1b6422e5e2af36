// Asks a chat model behind an OpenAI-compatible endpoint: bounded in time and concurrency, tried again where that can
// help.
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../core/errors.js';

export interface Endpoint {
  /** Up to and without `/chat/completions`. A name and password in it are sent as such where there is no key. */
  readonly baseUrl: string;
  /** Sent as a bearer token and never shown; none where it is left out. */
  readonly apiKey?: string;
  readonly model: string;
}

/** How an endpoint is asked; times in milliseconds. */
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

/** Longest wait that a server may ask for, in milliseconds, and longest body that is read: a reply has a few words. */
const LONGEST = { waitMs: 60_000, body: 1 << 20 };
/** Limits that some models refuse by name; then they are left to the model. */
const OPTIONAL = { temperature: 0, max_tokens: 64 };

export class ChatClient {
  readonly #model: string;
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  /** The endpoint in messages. */
  readonly #shown: string;
  /** What no message may hold, whether we or the server wrote it. */
  readonly #secrets: readonly string[];
  readonly #patience: Patience;
  readonly #refused = new Set<string>();
  readonly #waiting: (() => void)[] = [];
  /** Ends all that is under way once a request has failed for good: its error is the one that counts. */
  readonly #end = new AbortController();
  #running = 0;

  /** @throws UserError where the address is none */
  constructor({ baseUrl, apiKey, model }: Endpoint, patience: Partial<Patience> = {}) {
    this.#model = model;
    this.#shown = shownAddress(baseUrl);
    const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
    if (!url || !/^https?:$/.test(url.protocol))
      throw new UserError(`${this.#shown}: judge: not an address of the web, wanted one as https://api.openai.com/v1`);
    const [name = '', password = ''] = [url.username, url.password].map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
    const basic = Buffer.from(`${name}:${password}`).toString('base64');
    const login = apiKey ? `Bearer ${apiKey}` : name || password ? `Basic ${basic}` : undefined;
    this.#headers = { 'content-type': 'application/json', ...(login && { authorization: login }) };
    this.#secrets = [apiKey ?? '', password, password && basic, url.password, ...url.searchParams.values()]
      .filter((secret) => secret !== '')
      .flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]);
    url.username = '';
    url.password = '';
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/chat/completions`;
    this.#url = url.href;
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
        this.#end.abort(new UserError(`${this.#shown}: judge: ${this.#cut(outcome.fault)}${tries}, wanted a reply`));
        continue;
      }
      const waitMs = Math.min(LONGEST.waitMs, Math.max(outcome.waitMs ?? 0, backoffMs * 2 ** tried));
      // Cut short where another request ends it all.
      await sleep(waitMs, undefined, { signal: this.#end.signal }).catch(() => {});
      tried++;
    }
  }

  async #once(
    message: string,
  ): Promise<{ reply: Reply } | { fault: string; again: 'at once' | 'later' | 'never'; waitMs?: number }> {
    const optional = Object.entries(OPTIONAL).filter(([name]) => !this.#refused.has(name));
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: this.#headers,
        body: JSON.stringify({
          model: this.#model,
          messages: [{ role: 'user', content: message }],
          ...Object.fromEntries(optional),
        }),
        signal: AbortSignal.any([AbortSignal.timeout(this.#patience.timeoutMs), this.#end.signal]),
      });
      const body = await readBody(response);
      if (body === undefined) return { fault: 'a reply of more than 1 MB', again: 'never' };
      if (response.ok) return readReply(body);
      const fault = `HTTP ${response.status} ${body}`;
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
      const { name, cause, message: what } = error as Error & { cause?: { code?: string; message?: string } };
      if (name === 'TimeoutError') return { fault: `no answer in ${this.#patience.timeoutMs} ms`, again: 'later' };
      // An error without a code is not the network's: such a request can never be made.
      const code = cause?.code ?? (error as NodeJS.ErrnoException).code;
      if (typeof code === 'string') return { fault: code, again: 'later' };
      return { fault: cause?.message ?? what, again: name === 'AbortError' ? 'later' : 'never' };
    }
  }

  /** Some words of a fault without the secrets: a server may say what it was sent. */
  #cut(fault: string): string {
    let text = fault;
    for (const secret of this.#secrets) text = text.replaceAll(secret, '***');
    return text.replace(/\s+/g, ' ').slice(0, 200).trimEnd();
  }
}

/** An address without what may be secret in it, whether or not it is one. */
export function shownAddress(url: string): string {
  return url.replace(/^([^/@]*\/\/)?.*@/s, '$1').replace(/[?#].*$/s, '');
}

/** The text of a body; undefined where it goes on for too long. */
async function readBody(response: Response): Promise<string | undefined> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop ends the transfer.
  for await (const piece of response.body ?? []) {
    bytes += piece.length;
    if (bytes > LONGEST.body) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

/** A body that is not a chat completion usually comes from a proxy, and is a passing fault. */
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
  if (typeof text !== 'string') return { fault: `not a chat completion: ${body}`, again: 'later' };
  const tokens = (value: unknown): number => (typeof value === 'number' ? value : 0);
  const { prompt_tokens, completion_tokens } = read?.usage ?? {};
  return { reply: { text, promptTokens: tokens(prompt_tokens), completionTokens: tokens(completion_tokens) } };
}
