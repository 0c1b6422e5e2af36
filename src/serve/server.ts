// Answers OpenAI's chat-completions protocol from one policy, and scores of steps from a process reward model. What a request may cost is
// bounded, and what nobody waits for any more is not computed.
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono, type Next } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { streamSSE } from 'hono/streaming';
import { stopIfAsked } from '../core/errors.js';
import { parseJson } from '../core/json.js';
import { listen } from '../core/listen.js';
import type { NativePolicy } from '../engine/policy.js';
import type { NativeScorer } from '../engine/prm.js';
import type { ChatPrompt, Session } from '../engine/session.js';
import { Completion } from './completion.js';
import { type PictureRules, readMessages } from './messages.js';
import { ServerMetrics } from './metrics.js';
import { Refusal, refusalOf } from './refusal.js';
import { type ChatRequest, readRequest } from './request.js';
import { readScoreRequest, scoreAnswer } from './score.js';

export interface ServedModels {
  readonly policy: NativePolicy;
  readonly scorer?: NativeScorer | undefined;
}

export interface ServeOptions {
  /** What requests call the model. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** What requests must bring; nothing where it is left out. */
  readonly apiKey?: string | undefined;
  /** Requests that are answered or wait at one time; more are refused. */
  readonly maxQueue: number;
  readonly pictures: PictureRules;
  readonly maxBodyBytes: number;
  /** Longest time for a request, and how long those under way may go on when the server ends; milliseconds. */
  readonly timeout: number;
  readonly grace: number;
  /** Text that ends a step of an answer that is scored. */
  readonly delimiter: string;
  /** Told of what fails by no fault of a request. */
  readonly onFault?: (message: string) => void;
}

export interface Serving {
  /** Base address of the protocol, as clients take it. */
  readonly url: string;
  /** Refuses what comes, lets what is under way end within its time, and ends. */
  close(): Promise<void>;
}

/** A request that is being answered. */
interface Ticket {
  /** Aborted once nobody waits for the answer. */
  readonly controller: AbortController;
  readonly began: number;
}

type Env = { Bindings: HttpBindings; Variables: { ticket: Ticket; count: () => void } };

/** Largest step of waiting for those that are under way, in milliseconds. */
const LOOK = 20;
/** How long a request that is cut off may take to say so, before its connection is cut. */
const FAREWELL = 2000;
const RETRY_SECONDS = '1';

class ChatServer {
  readonly #models: ServedModels;
  readonly #session: Session;
  readonly #options: ServeOptions;
  readonly #metrics = new ServerMetrics();
  readonly #tickets = new Set<Ticket>();
  readonly #created = Math.floor(Date.now() / 1000);
  #isEnding = false;
  /** Settles when the scores that were asked for have been computed. */
  #scored: Promise<unknown> = Promise.resolve();

  constructor(models: ServedModels, session: Session, options: ServeOptions) {
    this.#models = models;
    this.#session = session;
    this.#options = options;
  }

  routes(): Hono<Env> {
    const { apiKey, maxBodyBytes } = this.#options;
    const app = new Hono<Env>();
    app.onError((error, context) => {
      const refusal = refusalOf(error);
      if (refusal.status === 500) this.#options.onFault?.(refusal.message);
      // What is left of a body that is too long is not read: nothing can follow on this connection.
      if (refusal.status === 413) context.header('connection', 'close');
      if (refusal.status === 429 || refusal.status === 503) context.header('retry-after', RETRY_SECONDS);
      return context.json(refusal.body, refusal.status);
    });
    app.notFound((context) => {
      throw new Refusal(
        404,
        `${context.req.method} ${context.req.path}: nothing here, wanted one of the routes of mstar serve`,
      );
    });
    app.use((context, next) => this.#counted(context, next));
    app.get('/health', (context) => {
      if (this.#isEnding) throw new Refusal(503, 'the server stops', { code: 'stopping' });
      return context.json({ status: 'ok' });
    });
    app.use(async (context, next) => {
      if (apiKey === undefined) checkAsker(context.req.header('host'), context.req.header('origin'));
      else checkKey(context.req.header('authorization'), apiKey);
      await next();
    });
    app.get('/metrics', (context) =>
      context.text(this.#metricsText(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
    );
    app.get('/v1/models', (context) => context.json({ object: 'list', data: [this.#model] }));
    app.get('/v1/models/:name{.+}', (context) => {
      this.#checkName(context.req.param('name'));
      return context.json(this.#model);
    });
    const limited = bodyLimit({
      maxSize: maxBodyBytes,
      onError: () => {
        throw new Refusal(413, `body: more than ${maxBodyBytes} bytes, wanted at most so many`);
      },
    });
    app.use((context, next) => this.#admitted(context, next));
    app.post('/v1/chat/completions', limited, (context) => this.#chat(context));
    app.post('/v1/score', limited, (context) => this.#score(context));
    return app;
  }

  /** Refuses what comes from here on, and waits for what is under way. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#ended(this.#options.grace);
    for (const { controller } of this.#tickets)
      controller.abort(new Refusal(503, 'the server stops', { code: 'stopping' }));
    await this.#ended(FAREWELL);
  }

  async #ended(milliseconds: number): Promise<void> {
    const last = Date.now() + milliseconds;
    while (this.#tickets.size > 0 && Date.now() < last) await new Promise((resolve) => setTimeout(resolve, LOOK));
  }

  /** Counts every request by its route, once its answer has ended. */
  async #counted(context: Context<Env>, next: Next): Promise<void> {
    const { path } = context.req;
    const known = ['/health', '/metrics', '/v1/models', '/v1/chat/completions', '/v1/score'];
    const route = known.includes(path) ? path : 'other';
    const { outgoing } = context.env;
    let isCounted = false;
    const count = (): void => {
      // Of one that got no answer, as its client had left, the log of other servers has this number.
      if (!isCounted) this.#metrics.request(route, outgoing.headersSent ? outgoing.statusCode : 499);
      isCounted = true;
    };
    outgoing.once('close', count);
    context.set('count', count);
    await next();
  }

  /**
   * Takes a request that computes, unless there are too many; its ticket ends with the connection's interest in an answer, and once its
   * time is over, whether it still sends its body, is computed or does not read its answer.
   */
  async #admitted(context: Context<Env>, next: Next): Promise<void> {
    const { maxQueue, timeout } = this.#options;
    if (this.#isEnding) throw new Refusal(503, 'the server stops', { code: 'stopping' });
    if (this.#tickets.size >= maxQueue)
      throw new Refusal(429, `${maxQueue} requests are under way, wanted fewer: try again later`, {
        code: 'queue_full',
      });
    const ticket = { controller: new AbortController(), began: performance.now() };
    const { signal } = ticket.controller;
    const { incoming, outgoing } = context.env;
    const { socket } = incoming;
    this.#tickets.add(ticket);
    let timer = setTimeout(() => {
      ticket.controller.abort(new Refusal(504, `no answer within ${timeout / 1000} s`, { code: 'timeout' }));
      timer = setTimeout(() => socket.destroy(), FAREWELL);
    }, timeout);
    const ends = [outgoing, socket];
    const end = (): void => {
      // A connection that closes tells its answer first, and then this listener all the same.
      if (!this.#tickets.delete(ticket)) return;
      for (const one of ends) one.off('close', end);
      clearTimeout(timer);
      ticket.controller.abort();
      context.get('count')();
      this.#metrics.requestSeconds.observe(secondsSince(ticket));
    };
    // An answer that waits behind others on its connection is not told when that closes.
    socket.setMaxListeners(0);
    for (const one of ends) one.once('close', end);
    context.set('ticket', ticket);
    const refused = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => signal.reason instanceof Refusal && reject(signal.reason));
    });
    await Promise.race([next(), refused]);
  }

  async #chat(context: Context<Env>): Promise<Response> {
    const request = readRequest(await bodyOf(context));
    this.#checkName(request.model);
    const { opened } = this.#models.policy;
    const { conversation, sources } = readMessages(request.messages, opened.backbone, this.#options.pictures);
    const { signal } = context.get('ticket').controller;
    const prompt = await this.#session.prompt(conversation, sources);
    const completion = new Completion(request, opened.tokenizer, prompt.tokens.length);
    if (request.stream) return this.#stream(context, request, prompt, completion);
    await this.#answer(request, prompt, completion, signal);
    return context.json(completion.whole);
  }

  #stream(context: Context<Env>, request: ChatRequest, prompt: ChatPrompt, completion: Completion): Response {
    const ticket = context.get('ticket');
    return streamSSE(context, async (stream) => {
      let wake = (): void => {};
      let isOver = false;
      let isFirst = true;
      const told = (): void => {
        if (isFirst) this.#metrics.firstTokenSeconds.observe(secondsSince(ticket));
        isFirst = false;
        wake();
      };
      const answered = this.#answer(request, prompt, completion, ticket.controller.signal, told).finally(() => {
        isOver = true;
        wake();
      });
      // It is waited for below.
      answered.catch(() => {});
      const send = async (): Promise<void> => {
        for (const chunk of completion.chunks()) await stream.writeSSE({ data: JSON.stringify(chunk) });
      };
      try {
        while (!isOver) {
          const next = new Promise<void>((resolve) => {
            wake = resolve;
          });
          await send();
          if (!isOver) await next;
        }
        await answered;
        await send();
        await stream.writeSSE({ data: '[DONE]' });
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal.status === 500) this.#options.onFault?.(refusal.message);
        await stream.writeSSE({ data: JSON.stringify(refusal.body) });
      }
    });
  }

  /** Has a request answered into its completion; `told` whenever there is more of it. */
  async #answer(
    { n, sampling, seed, stop }: ChatRequest,
    prompt: ChatPrompt,
    completion: Completion,
    signal: AbortSignal,
    told?: () => void,
  ): Promise<void> {
    const { choices } = completion;
    const onTokens = (sample: number, fresh: Parameters<(typeof choices)[number]['add']>[0]): boolean => {
      const isStopped = choices[sample]?.add(fresh) ?? true;
      told?.();
      return isStopped;
    };
    await this.#session.answer(prompt, {
      ...{ n, sampling, seed, signal },
      // Where nobody looks at them before the end, tokens need not be told of one by one.
      ...((told || stop.length > 0) && { onTokens }),
      onResponse(sample, response) {
        choices[sample]?.end(response);
        told?.();
      },
    });
    const { prompt_tokens: read, completion_tokens: drawn } = completion.usage;
    this.#metrics.tokens(read, drawn);
  }

  async #score(context: Context<Env>): Promise<Response> {
    const { scorer } = this.#models;
    if (!scorer) throw new Refusal(404, 'there is no process reward model, wanted one given as --prm');
    const { pictures, delimiter, name } = this.#options;
    const request = readScoreRequest(await bodyOf(context));
    if (request.model != null) this.#checkName(request.model);
    const { signal } = context.get('ticket').controller;
    // One after the other, so that those that nobody waits for any more are never begun.
    const scored = this.#scored.then(() => {
      stopIfAsked(signal);
      return scoreAnswer(request, scorer, pictures, delimiter);
    });
    this.#scored = scored.catch(() => {});
    const steps = await scored;
    return context.json({ object: 'score', model: name, steps });
  }

  get #model() {
    return { id: this.#options.name, object: 'model', created: this.#created, owned_by: 'mstar' };
  }

  #checkName(model: string): void {
    const { name } = this.#options;
    if (model !== name)
      throw new Refusal(404, `model: ${JSON.stringify(model).slice(0, 200)}, wanted ${JSON.stringify(name)}`, {
        param: 'model',
        code: 'model_not_found',
      });
  }

  #metricsText(): string {
    const { waiting, running, kvBytes, mostKvBytes, keptBytes } = this.#session.state;
    const reading = (name: string, help: string, value: number) => ({ name: `mstar_${name}`, help, value });
    return this.#metrics.text([
      reading('requests_under_way', 'Requests that are answered or wait.', this.#tickets.size),
      reading('responses_waiting', 'Responses whose prompt is not begun.', waiting),
      reading('responses_running', 'Responses that are decoded.', running),
      reading('kv_bytes', 'Memory that keys and values of responses hold.', kvBytes),
      reading('kv_limit_bytes', 'Memory that they may hold.', mostKvBytes),
      reading('kept_prompt_bytes', 'Memory of prompts that are kept for requests to come.', keptBytes),
    ]);
  }
}

function secondsSince({ began }: Ticket): number {
  return (performance.now() - began) / 1000;
}

async function bodyOf(context: Context<Env>): Promise<unknown> {
  return parseJson(new Uint8Array(await context.req.arrayBuffer()), 'body');
}

function checkKey(given: string | undefined, key: string): void {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  // In a time that does not tell where they differ.
  if (!timingSafeEqual(digest(given ?? ''), digest(`Bearer ${key}`)))
    throw new Refusal(401, 'Authorization: missing or wrong, wanted Bearer and the key of this server', {
      code: 'invalid_api_key',
    });
}

/** Refuses pages of the web: one that has its own name lead to this machine still sends that name, and any other its origin. */
function checkAsker(host: string | undefined, origin: string | undefined): void {
  const name = (host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  if (name !== 'localhost' && isIP(name) === 0)
    throw new Refusal(403, 'Host: a name, wanted localhost or an address, or a server with an API key');
  if (origin !== undefined)
    throw new Refusal(403, 'Origin: that of a page of the web, wanted none, or a server with an API key');
}

/** Serves until it is closed, and then releases the models. @throws UserError where it cannot listen there */
export async function serveModels(models: ServedModels, options: ServeOptions): Promise<Serving> {
  const session = await models.policy.openSession();
  const chat = new ChatServer(models, session, options);
  const release = async (): Promise<void> => {
    await session.close();
    await models.policy.dispose();
    await models.scorer?.dispose();
  };
  const { server, url } = await listen(chat.routes().fetch, options).catch(async (error: unknown): Promise<never> => {
    await release();
    throw error;
  });
  return {
    url: `${url}/v1`,
    async close() {
      await chat.end();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await release();
    },
  };
}
