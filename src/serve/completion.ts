// Answers to one request in the protocol's objects: the whole, or chunks of a stream.
import { randomUUID } from 'node:crypto';
import type { Tokenizer } from '../text/tokenizer.js';
import { Choice, type DrawnToken } from './choice.js';
import type { ChatRequest } from './request.js';

export class Completion {
  readonly choices: readonly Choice[];
  readonly #request: ChatRequest;
  readonly #promptTokens: number;
  readonly #head: { readonly id: string; readonly created: number; readonly model: string };
  readonly #begun = new Set<number>();
  readonly #ended = new Set<number>();

  constructor(request: ChatRequest, tokenizer: Pick<Tokenizer, 'decode'>, promptTokens: number) {
    const { n, stop, model } = request;
    this.choices = Array.from({ length: n }, () => new Choice(tokenizer, stop));
    this.#request = request;
    this.#promptTokens = promptTokens;
    this.#head = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model };
  }

  get usage() {
    const completion = this.choices.reduce((sum, { tokens }) => sum + tokens, 0);
    return {
      prompt_tokens: this.#promptTokens,
      completion_tokens: completion,
      total_tokens: this.#promptTokens + completion,
    };
  }

  /** Once all have ended. */
  get whole() {
    const choices = this.choices.map(({ text, content, finish }, index) => ({
      index,
      message: { role: 'assistant', content: text, refusal: null },
      logprobs: this.#request.logprobs ? logprobsOf(content) : null,
      finish_reason: finish,
    }));
    return { ...this.#head, object: 'chat.completion', choices, usage: this.usage };
  }

  /** What can be told of the answers and was not; the counts of tokens with the last. */
  chunks(): object[] {
    const { logprobs: wantsLogprobs, usage: wantsUsage } = this.#request;
    const chunk = (choices: readonly object[], usage: object | null = null): object => ({
      ...this.#head,
      object: 'chat.completion.chunk',
      choices,
      ...(wantsUsage && { usage }),
    });
    const chunks: object[] = [];
    for (const [index, choice] of this.choices.entries()) {
      if (this.#ended.has(index)) continue;
      const tell = (delta: object, logprobs: object | null, finish: string | null): unknown =>
        chunks.push(chunk([{ index, delta, logprobs, finish_reason: finish }]));
      const { text, content } = choice.take();
      if (!this.#begun.has(index) && (content.length > 0 || choice.finish !== null)) {
        this.#begun.add(index);
        tell({ role: 'assistant', content: '', refusal: null }, null, null);
      }
      const fresh = wantsLogprobs && content.length > 0 ? logprobsOf(content) : null;
      if (text !== '' || fresh) tell({ content: text }, fresh, null);
      if (choice.finish === null) continue;
      this.#ended.add(index);
      tell({}, null, choice.finish);
    }
    const isLast = chunks.length > 0 && this.#ended.size === this.choices.length;
    if (isLast && wantsUsage) chunks.push(chunk([], this.usage));
    return chunks;
  }
}

function logprobsOf(tokens: readonly DrawnToken[]) {
  const content = tokens.map(({ text, logprob }) => ({
    token: text,
    logprob,
    bytes: [...Buffer.from(text)],
    top_logprobs: [],
  }));
  return { content, refusal: null };
}
