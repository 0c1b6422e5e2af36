// What the engine needs to know about a backbone besides its network: config, chat template, special tokens, parameter
// prefixes. Each other file of this folder but registry.ts describes one backbone.
import type { PictureRules, PromptPart } from '../text/prompt.js';

/** Text and pictures (by index) in order. */
export type Content = readonly ({ readonly text: string } | { readonly image: number })[];

/** What the files of a model folder say about its sizes. */
export interface ConfigFiles {
  readonly dir: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Those of `configFiles`, by name; undefined where the folder has none. */
  readonly side: Readonly<Record<string, unknown>>;
  /** Shape of a weight by its header; undefined where the folder has none of that name, as when a model is about to be created. */
  shapes(name: string): readonly number[] | undefined;
}

/**
 * Flat numbers of a model for the native side: width of the hidden states, layers and rows of the token table of the language
 * model, layers of the vision tower, most tokens of a prompt and its response, and what the network has besides.
 */
export type ModelNumbers = Readonly<
  Record<string, number> & Record<'l_hidden' | 'l_layers' | 'vocab' | 'v_layers' | 'max_positions', number>
>;

/** Ends with a user turn. */
export interface Conversation {
  /** Instead of the template's own system message. */
  readonly system?: string;
  readonly turns: readonly { readonly role: 'user' | 'assistant'; readonly content: Content }[];
}

export interface Backbone extends PictureRules {
  /** File name here and folder name in native/models. */
  readonly name: string;
  /** Whether config.json describes this backbone. */
  accepts(config: Readonly<Record<string, unknown>>): boolean;
  /** JSON files besides config.json that `numbers` reads. */
  readonly configFiles: readonly string[];
  /** Throws UserError naming the file and the field that is not supported. */
  numbers(files: ConfigFiles, idOf: (special: string) => number): ModelNumbers;
  /** Field of config.json that describes the language model; the whole does where there is none, or the file lacks it. */
  readonly languageField?: string;
  /** Parameter-name prefixes of the parts that can be frozen. */
  readonly prefixes: Readonly<Record<'vision' | 'projector' | 'language', readonly string[]>>;
  /** The parameter that files of this family may call so besides: a module that is reached in two ways, or named otherwise by some tools. */
  alias?(name: string, numbers: ModelNumbers): string | undefined;
  /** What the reference's class calls a parameter where published files call it otherwise; PEFT goes by it. `alias` leads back. */
  moduleName?(name: string): string;
  readonly tokenizerFile: 'tokenizer.model' | 'tokenizer.json';
  /** Fields of generation_config.json that only the reference's own sampling heeds: they may say anything. */
  readonly ownSampling?: readonly string[];
  /** What tokenizer_config.json of a new model says besides the special tokens. */
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
  /** Special strings that a folder's tokenizer must have. */
  readonly specials: readonly string[];
  /** Special string that every prompt begins with. */
  readonly begin: string;
  /** Mark of a picture in the message texts of the reference; in data it is plain text. */
  readonly placeholder: string;
  /** Parts of a conversation up to where the answer begins; begin-of-text first. */
  render(conversation: Conversation): PromptPart[];
  /** A question about `images` pictures as the reference writes it when the question does not place them itself. */
  ask(question: string, images: number): Content;
  /** Ends an answer that is trained on. */
  readonly endOfTurn: string;
  /** A sampled answer ends with the first of these. */
  readonly stops: readonly string[];
  /**
   * How the parameters of a new model are drawn: with deviation 0.02 at this real width, larger for narrower layers. Parameters
   * that `table` matches are read by row; those that `residual` matches are added to the residual stream, and made smaller with
   * its depth.
   */
  readonly initial: { readonly width: number; readonly table: RegExp; readonly residual: RegExp };
}
