// A problem as the engine's prompt: filled template, token ids, decoded pictures. Token ids are kept per problem.
import type { Content, Conversation } from '../backbones/backbone.js';
import { UserError } from '../core/errors.js';
import { checkNames } from '../core/schema.js';
import { type Example, IMAGE_MARK, type ImageSource, type Problem, type PromptVariant } from '../core/types.js';
import type { Picture } from '../images/decode.js';
import type { PictureStore } from '../images/store.js';
import { type EncodedSteps, encodeSteps } from '../text/encoded-steps.js';
import { type PictureLayout, tokenisePrompt } from '../text/prompt.js';
import type { NativeModel, RawExample } from './binding.js';
import { guardedNow } from './native.js';
import type { OpenedModel } from './open.js';

/** User texts of the prompt variants; {question} and {answer} are replaced, and the result is data: it holds no special token. */
export interface PromptTemplates {
  /** Instead of the backbone's own system message. */
  readonly system?: string;
  readonly solve: string;
  readonly givenAnswer: string;
}

const EXAMPLE: readonly (keyof Example)[] = ['problem', 'variant', 'response', 'labels', 'weight', 'sampled'];
/** Ids kept over all problems; beyond this they are made anew. */
const MAX_KEPT_TOKENS = 16_000_000;

/** What prompts depend on in an opened model. */
type DescribedPrompts = Pick<OpenedModel, 'backbone' | 'tokenizer'> & {
  readonly native: Pick<NativeModel, 'imageLayout'>;
  readonly numbers: Pick<OpenedModel['numbers'], 'max_positions'>;
};

export class Renderer {
  /** Most tokens of a prompt and its response. */
  readonly positions: number;
  readonly #model: DescribedPrompts;
  readonly #pictures: PictureStore;
  readonly #templates: PromptTemplates;
  #tokens = new WeakMap<Problem, Map<PromptVariant, Int32Array>>();
  #kept = 0;

  constructor(model: DescribedPrompts, pictures: PictureStore, templates: PromptTemplates) {
    this.positions = model.numbers.max_positions;
    this.#model = model;
    this.#pictures = pictures;
    this.#templates = templates;
  }

  /** Throws UserError when a picture cannot be used, or when there is no position left for a response. */
  async prompt(problem: Problem, variant: PromptVariant): Promise<Pick<RawExample, 'tokens' | 'images'>> {
    const prompt = await this.anyPrompt(problem, variant);
    const { length } = prompt.tokens;
    if (length < this.positions) return prompt;
    throw new UserError(
      `prompt of problem ${problem.id}: ${length} tokens, wanted fewer than the ${this.positions} positions of the model`,
    );
  }

  /** As `prompt`, however long. */
  async anyPrompt(problem: Problem, variant: PromptVariant): Promise<Pick<RawExample, 'tokens' | 'images'>> {
    const images = await this.#decoded(problem.images);
    let tokens = this.#tokens.get(problem)?.get(variant);
    if (!tokens) {
      const { backbone } = this.#model;
      const question = fillTemplate(this.#templates[variant], problem);
      const content = placed(question, images.length) ?? backbone.ask(question, images.length);
      tokens = this.#tokenised({ turns: [{ role: 'user', content }] }, images, `prompt of problem ${problem.id}`);
      this.#keep(problem, variant, tokens);
    }
    return { tokens, images };
  }

  /**
   * A conversation as a prompt, however long.
   * @param sources pictures, by the index that its turns use
   * @throws UserError when a picture cannot be used
   */
  async conversation(
    conversation: Conversation,
    sources: readonly ImageSource[],
  ): Promise<Pick<RawExample, 'tokens' | 'images'>> {
    const images = await this.#decoded(sources);
    return { tokens: this.#tokenised(conversation, images, 'messages'), images };
  }

  #decoded(sources: readonly ImageSource[]): Promise<Picture[]> {
    return Promise.all(sources.map((source) => this.#pictures.get(source)));
  }

  #tokenised({ system, turns }: Conversation, images: readonly Picture[], name: string): Int32Array {
    const { backbone, tokenizer, native } = this.#model;
    const layouts = images.map((image) => layoutOf(native, image, name));
    const parts = backbone.render({ system: system ?? this.#templates.system, turns });
    return tokenisePrompt(parts, tokenizer, backbone, layouts).tokens;
  }

  async example(example: Example): Promise<RawExample> {
    checkNames(example, EXAMPLE, 'example');
    const { response, labels, weight, sampled } = example;
    const prompt = await this.prompt(example.problem, example.variant);
    this.#checkRoom(example.problem, prompt.tokens.length + response.length);
    const refuse = (field: string, found: number, wanted: string): never => {
      const of = `${field} of an example of problem ${example.problem.id}`;
      throw new UserError(`${of}: ${found}, wanted ${wanted}`, 'ERR_SETTING');
    };
    if (weight !== undefined && !Number.isFinite(weight)) refuse('weight', weight, 'a finite number');
    if (sampled && !Number.isFinite(sampled.advantage)) refuse('advantage', sampled.advantage, 'a finite number');
    for (const name of ['logprobs', 'reference'] as const) {
      const found = sampled?.[name]?.length ?? response.length;
      if (found !== response.length) refuse(`sampled.${name}`, found, `one for each of its ${response.length} tokens`);
    }
    return {
      ...prompt,
      response,
      ...(labels && { labels }),
      ...(weight !== undefined && { weight }),
      ...(sampled && { sampled }),
    };
  }

  /** Tokens of the steps of an answer, as `encodeSteps`, to whatever it answers. */
  encoded(text: string, ends: readonly number[], stops: boolean): EncodedSteps {
    return encodeSteps(this.#model.tokenizer, text, ends, stops ? this.#stop : undefined);
  }

  /** Ids of an answer, end mark included. */
  response(text: string): Int32Array {
    return this.encoded(text, [], true).tokens;
  }

  /** The same with the tokens up to the end of each step, of an answer that fits behind its prompt. Throws UserError. */
  async steps(problem: Problem, text: string, ends: readonly number[], stops: boolean): Promise<EncodedSteps> {
    const encoded = this.encoded(text, ends, stops);
    const prompt = await this.prompt(problem, 'solve');
    this.#checkRoom(problem, prompt.tokens.length + encoded.tokens.length);
    return encoded;
  }

  get #stop(): number {
    return this.#model.tokenizer.idOf(this.#model.backbone.endOfTurn) as number;
  }

  /** Throws UserError where a prompt and its response have no room together. */
  #checkRoom(problem: Problem, length: number): void {
    if (length <= this.positions) return;
    throw new UserError(
      `response to problem ${problem.id}: ${length} tokens with its prompt, wanted at most the ${this.positions} positions of the model`,
    );
  }

  #keep(problem: Problem, variant: PromptVariant, tokens: Int32Array): void {
    this.#kept += tokens.length;
    if (this.#kept > MAX_KEPT_TOKENS) {
      this.#tokens = new WeakMap();
      this.#kept = tokens.length;
    }
    const variants = this.#tokens.get(problem) ?? new Map<PromptVariant, Int32Array>();
    this.#tokens.set(problem, variants.set(variant, tokens));
  }
}

/** Throws UserError where the model cannot take a picture of this shape. */
function layoutOf(native: Pick<NativeModel, 'imageLayout'>, { width, height }: Picture, name: string): PictureLayout {
  try {
    return guardedNow(() => native.imageLayout(width, height));
  } catch (error) {
    const { message } = error as Error;
    throw message.startsWith('picture of') ? new UserError(`${name}: ${message}`) : error;
  }
}

/** The text with the pictures where its marks stand; undefined where it has not one mark for each picture, in which case they come first. */
function placed(text: string, images: number): Content | undefined {
  const texts = text.split(IMAGE_MARK);
  if (images === 0 || texts.length !== images + 1) return undefined;
  return texts.flatMap((part, image) => (image === 0 ? [{ text: part }] : [{ image: image - 1 }, { text: part }]));
}

/** Replaces {question} and {answer} in one pass: what is put in is not looked at again. */
export function fillTemplate(template: string, values: { readonly question: string; readonly answer: string }): string {
  return template.replace(/\{(question|answer)\}/g, (_, name: 'question' | 'answer') => values[name]);
}
