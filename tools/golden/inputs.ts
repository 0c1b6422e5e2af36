// What a golden folder asks to be checked, in words that are the same for every layout of its files.
// layouts/ makes these from the files; the checks beside this file hold the engine against them.
import type { Backbone, Conversation } from '#src/backbones/backbone.js';
import type { ModelFolder } from '#src/checkpoint/folder.js';
import type { Picture } from '#src/images/decode.js';
import type { PictureLayout, PictureRules } from '#src/text/prompt.js';
import type { Numbers } from './numbers.js';

/** A file `layouts/<backbone>.ts` exports one of these as `layout`. */
export interface FixtureLayout {
  /** Reads every file of the folder but the model's. Throws UserError naming the file that cannot be read. */
  read(folder: ModelFolder, backbone: Backbone): Promise<GoldenFolder>;
}

/** In the order of the checks. */
export interface GoldenFolder {
  /** `begin`: special string that the reference's tokenizer puts in front; none where it is absent. */
  readonly tokenizer?: { readonly place: string; readonly begin?: string; readonly lines: readonly TokenizerLine[] };
  readonly cases: readonly CaseInput[];
  readonly extras: readonly ExtraInput[];
  readonly sft?: SftInput;
  readonly prm?: PrmInput;
}

/** Text as the reference's tokenizer takes it, special strings recognised. */
export interface TokenizerLine {
  readonly text: string;
  /** The begin mark included. */
  readonly ids: readonly number[];
  /** Text of the ids without special tokens. */
  readonly decoded?: string;
}

/** What is decided before the network: text, ids, cuts of pictures. */
export interface PromptInput {
  readonly place: string;
  readonly conversation: Conversation;
  readonly pictures: readonly Picture[];
  /** `picture`: how the wanted text writes a picture, where it is not with all its tokens. */
  readonly text: { readonly wanted: string; readonly picture?: PictureRules['picture'] };
  /** With the backbone's own id at every image token. */
  readonly ids: readonly number[];
  /** Half-open ranges of image tokens. */
  readonly spans: readonly (readonly [number, number])[];
  readonly cuts: readonly CutInput[];
}

/** Numbers that follow from the sizes of the pictures: those of each picture, one after the other. */
export interface CutInput {
  readonly stage: string;
  of(layout: PictureLayout): readonly number[];
  readonly wanted: readonly number[];
}

/** Prompts that are checked one by one and then rated and continued in one batch. */
export interface CaseInput {
  readonly place: string;
  readonly prompts: readonly CasePrompt[];
}

export interface CasePrompt extends PromptInput {
  /** In the order of computation, so that the first line that fails names the stage at fault. */
  readonly stages: readonly StageInput[];
  /** Empty where there is none. */
  readonly response: readonly number[];
  readonly logprobs?: ArrayLike<number>;
  /** Most probable tokens one after the other, stop tokens included; empty where there are none. */
  readonly greedy: readonly number[];
}

/** Numbers of the network at one place. */
export interface StageInput {
  readonly stage: string;
  /** Names under which the engine gives what is needed. */
  readonly from: readonly string[];
  /** The part that the fixture stores; absent: all of the only tensor. */
  pick?(...found: Numbers[]): Numbers;
  readonly wanted: Numbers;
  /** Largest difference; 0 asks for equality. */
  readonly tolerance: number;
  /** What a known mistake would give, and how to call it. */
  readonly mistake?: { readonly gives: Numbers; readonly note: string };
}

export interface WantedNumber {
  readonly wanted: number;
  readonly tolerance: number;
}

/** L2 norms by tensor name. */
export interface NormsInput {
  readonly stage: string;
  readonly wanted: Readonly<Record<string, number>>;
  /** Relative to the wanted norm, or to `floor` if that is larger. */
  readonly tolerance: number;
  readonly floor?: number;
  /** A wanted norm below this is rounding noise: the found one only has to be small as well. */
  readonly noiseBelow?: number;
  /** Tensors that are not compared. */
  readonly noisy?: readonly string[];
  /** Tensors of which only a part is noise. */
  readonly loose?: { readonly names: readonly string[]; readonly tolerance: number };
}

export interface OptimizerInput {
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weightDecay: number;
  /** 0: none. */
  readonly clip: number;
}

/** One AdamW step on one example, every parameter trained. */
export interface SftInput {
  readonly prompt: PromptInput;
  readonly response: readonly number[];
  /** The answer without its end mark, where the fixture has it as text. */
  readonly responseText?: string;
  readonly optimizer: OptimizerInput;
  readonly loss: WantedNumber;
  readonly newLoss: WantedNumber;
  readonly gradients: NormsInput;
  readonly updates: NormsInput;
  /** Thirds of packed biases, by names like `<tensor>[q]`. */
  readonly gradientParts?: NormsInput;
  readonly updateParts?: NormsInput;
  /** Every parameter without a gradient, where the fixture lists them. */
  readonly withoutGradient?: readonly string[];
}

/** A new reward head made from the mean token embedding, its scores and the gradients of the step objective. */
export interface PrmInput {
  readonly prompt: PromptInput;
  readonly response: readonly number[];
  /** One per response token. */
  readonly labels: readonly number[];
  /** By parameter name. */
  readonly head: readonly (readonly [string, Numbers])[];
  readonly scores: readonly number[];
  readonly loss: WantedNumber;
  readonly gradients: NormsInput;
  /** Parameter-name prefixes that do not learn. */
  readonly frozen: readonly string[];
  /** Every other parameter without a gradient, where the fixture lists them. */
  readonly withoutGradient?: readonly string[];
}

/** How a model differs from the one of the folder. */
export interface ModelChange {
  /** Values by file name and dotted key. */
  readonly json: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** New weights; what it leaves undefined stays as it is where the shape does, and is zero elsewhere. */
  weights?(name: string, shape: readonly number[]): Float32Array | undefined;
}

/** Checks of a changed model. */
export interface ExtraInput {
  readonly place: string;
  readonly change: ModelChange;
  /** Grids by picture size; 1 x 1: not cut. */
  readonly grids?: {
    readonly stage: string;
    readonly rows: readonly { width: number; height: number; cols: number; rows: number }[];
    /** Sizes that no picture may have. */
    readonly refused?: readonly { width: number; height: number }[];
  };
  readonly examples: readonly ExampleInput[];
}

export interface ExampleInput {
  /** Absent: the begin mark and the tokens of the pictures. */
  readonly ids?: readonly number[];
  /** Made when they are needed: they may be large. */
  pictures(): readonly Picture[];
  readonly stages: readonly StageInput[];
}
