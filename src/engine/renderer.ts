// A problem as the engine's prompt: filled template, token ids, decoded pictures.
// Leaves the chat template to the backbone and decoding to images/. Token ids are kept per problem.
import type { Backbone, Conversation } from '../backbones/backbone.js';
import type { Example, ImageSource, Problem, PromptVariant } from '../core/types.js';
import type { Picture } from '../images/decode.js';
import type { PictureStore } from '../images/store.js';
import { tokenisePrompt } from '../text/prompt.js';
import type { Tokenizer } from '../text/tokenizer.js';
import type { ImageLayout, RawExample } from './binding.js';

/** User texts of the prompt variants; {question} and {answer} are replaced, and the result is data: it holds no special token. */
export interface PromptTemplates {
  /** Instead of the backbone's own system message. */
  readonly system?: string;
  readonly solve: string;
  readonly givenAnswer: string;
}

/** Prompt as the engine takes it. */
export interface RenderedPrompt {
  readonly tokens: Int32Array;
  readonly images: readonly Picture[];
}

export class Renderer {
  readonly #backbone: Backbone;
  readonly #tokenizer: Tokenizer;
  readonly #layout: (width: number, height: number) => ImageLayout;
  readonly #pictures: PictureStore;
  readonly #templates: PromptTemplates;
  readonly #tokens = new WeakMap<Problem, Map<PromptVariant, Int32Array>>();

  constructor(
    model: {
      readonly backbone: Backbone;
      readonly tokenizer: Tokenizer;
      readonly layout: (width: number, height: number) => ImageLayout;
    },
    pictures: PictureStore,
    templates: PromptTemplates,
  ) {
    this.#backbone = model.backbone;
    this.#tokenizer = model.tokenizer;
    this.#layout = model.layout;
    this.#pictures = pictures;
    this.#templates = templates;
  }

  /** Throws UserError when a picture cannot be used. */
  async prompt(problem: Problem, variant: PromptVariant): Promise<RenderedPrompt> {
    const images = await this.#decode(problem.images);
    const known = this.#tokens.get(problem) ?? new Map<PromptVariant, Int32Array>();
    this.#tokens.set(problem, known);
    let tokens = known.get(variant);
    if (!tokens) {
      const question = fillTemplate(this.#templates[variant], { question: problem.question, answer: problem.answer });
      const content = this.#backbone.ask(question, images.length);
      tokens = this.#tokenise({ system: this.#templates.system, turns: [{ role: 'user', content }] }, images);
      known.set(variant, tokens);
    }
    return { tokens, images };
  }

  /** A conversation whose parts name `sources` by index. Throws UserError when a picture cannot be used. */
  async conversation(conversation: Conversation, sources: readonly ImageSource[]): Promise<RenderedPrompt> {
    const images = await this.#decode(sources);
    return { tokens: this.#tokenise(conversation, images), images };
  }

  async example(example: Example): Promise<RawExample> {
    const prompt = await this.prompt(example.problem, example.variant);
    return { ...prompt, response: example.response, ...(example.labels && { labels: example.labels }) };
  }

  /** Ids of an answer, end mark included. */
  response(text: string): Int32Array {
    const end = this.#tokenizer.idOf(this.#backbone.endOfTurn) as number;
    return Int32Array.of(...this.#tokenizer.encode(text), end);
  }

  #decode(sources: readonly ImageSource[]): Promise<Picture[]> {
    return Promise.all(sources.map((source) => this.#pictures.get(source)));
  }

  #tokenise(conversation: Conversation, images: readonly Picture[]): Int32Array {
    const perImage = images.map(({ width, height }) => this.#layout(width, height).tokens);
    return tokenisePrompt(this.#backbone.render(conversation), this.#tokenizer, this.#backbone.pictures, perImage)
      .tokens;
  }
}

/** Replaces {question} and {answer} in one pass: what is put in is not looked at again. */
export function fillTemplate(template: string, values: { readonly question: string; readonly answer: string }): string {
  return template.replace(/\{(question|answer)\}/g, (_, name: 'question' | 'answer') => values[name]);
}
