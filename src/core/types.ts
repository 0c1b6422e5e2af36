// The words of the project as plain data: what a problem, a response, a step, an example is.

/** Where the bytes of a picture come from: a file that was already confined to the image root, or bytes held in memory. */
export type ImageSource = { readonly path: string } | { readonly bytes: Uint8Array; readonly name: string };

/** A picture as programs give it: the path of its file, its encoded bytes (PNG, JPEG, WebP), or either as a `Problem` holds it. */
export type ImageInput = string | Uint8Array | ImageSource;

/** Stands in a question for a picture. */
export const IMAGE_MARK = '<image>';

/** Whether the answer is one of given choices. */
export type QuestionType = 'multi_choice' | 'free_form';
/** What an answer is compared as. */
export type AnswerType = 'text' | 'integer' | 'float' | 'list';

/** One row of a data set, whatever file it was read from. */
export interface Problem {
  /** Unique in its data set; the record index where the file gives no id. */
  readonly id: string;
  /**
   * The user's text as the data set gives it (hint, question, choices). Pictures come first, but where it has one `<image>` mark for each:
   * these then stand where the marks do.
   */
  readonly question: string;
  readonly images: readonly ImageSource[];
  /** Gold answer without its wrapper sentence: a choice letter for multiple choice, else the value. */
  readonly answer: string;
  readonly questionType: QuestionType;
  readonly answerType: AnswerType;
  /** Choice texts in order A, B, C...; empty for free-form questions. */
  readonly choices: readonly string[];
  /** Decimals that count for a float answer. */
  readonly precision?: number;
  readonly unit?: string;
  /** First component of the image path in MathV360K (ChartQA, TabMWP...), or the generator's family. */
  readonly source: string;
  /** What the data set says of the problem besides, by its own names: task, category, domain... */
  readonly tags?: Readonly<Record<string, string>>;
  /** Only generated problems know their true reasoning. */
  readonly truth?: ProblemTruth;
}

/** What the generator of picture problems knows and no real data set does. */
export interface ProblemTruth {
  readonly family: string;
  /** One of the right chains of reasoning, one string per step, the last one states the answer. */
  readonly steps: readonly string[];
  /** Quantities drawn in the picture, by name. */
  readonly scene: Readonly<Record<string, number | string>>;
}

/** How a response ended: by itself, or at the limit of tokens. */
export type Finish = 'stop' | 'length';

/** One sampled answer. Token arrays hold the response only, never the prompt. */
export interface Response {
  readonly tokens: Int32Array;
  /**
   * Natural-log probability of each token, same length as `tokens`: log-softmax of the model's logits, or with `scaledLogprobs`
   * of the logits divided by the sampling temperature.
   */
  readonly logprobs: Float32Array;
  /** Decoded text without special tokens. */
  readonly text: string;
  /** End of each token's text in `text` (UTF-16 index, exclusive), same length as `tokens`; a stop token ends where the text ends. */
  readonly ends: Uint32Array;
  readonly finish: Finish;
}

/** A step of a response: half-open ranges over `text` and over `tokens`. */
export interface StepSpan {
  readonly textStart: number;
  readonly textEnd: number;
  readonly tokenStart: number;
  readonly tokenEnd: number;
}

/** `unreadable` means that no final answer could be found; it counts as not correct and is reported apart. */
export type Verdict = 'correct' | 'wrong' | 'unreadable';

/**
 * A verdict on a response, and what it rests on: the text that was taken as the answer, as it stands and normalised; null
 * where there is none.
 */
export interface Grade {
  readonly verdict: Verdict;
  readonly extracted: string | null;
  readonly normalised: string | null;
  /** One short clause for a reader: why this verdict. */
  readonly reason: string;
  /** The number that a program's own reward function gave, 0..1. */
  readonly score?: number;
}

/**
 * Judges one finished response in place of the grader. A verdict is taken as it is; of a number from 0 to 1, 0.5 and more
 * is `correct`, less is `wrong`. Called with all responses to one problem at once, problem after problem.
 */
export type RewardFunction = (problem: Problem, response: Response) => Reward | Promise<Reward>;
/** What a reward function gives: a verdict, or a number from 0 to 1. */
export type Reward = number | Verdict;

/** Logits divided by a temperature below it, but for 0, are no float32 any more. */
export const LEAST_TEMPERATURE = 1e-30;

/** How tokens are drawn. `temperature` 0 is greedy; `topK` 0 and `topP` 1 are off. */
export interface Sampling {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  /** A response ends before where the positions of its model do. */
  readonly maxTokens: number;
  /** Whether log-probabilities of responses are those at `temperature`, which tokens are drawn from where `topK` and `topP` are off. */
  readonly scaledLogprobs?: boolean | undefined;
}

/** How a response was sampled and what came of it: what a training step with a policy objective needs beside its tokens. */
export interface Sampled {
  /** How much better the response is than others to its question; 0 leaves its tokens as they are. */
  readonly advantage: number;
  /** Natural-log probability of each token where it was drawn: of a rollout with `scaledLogprobs`. */
  readonly logprobs: Float32Array;
  /** The same by a reference policy: `logprobs(examples, temperature)` of it. Wanted where `kl` is not 0. */
  readonly reference?: Float32Array;
}

/**
 * The clipped objective of GRPO (DeepSeekMath, Shao et al. 2024) and its relatives, for responses with `sampled`. With r the
 * probability of a token now over that when it was sampled, and A the advantage of its response, the loss of the token is
 * -min(r A, clamp(r, 1 - clipLow, 1 + clipHigh) A), and with a reference kl (exp(d) - d - 1) more, where d is the reference's
 * log-probability less the present one.
 */
export interface PolicyObjective {
  /** That the responses were sampled at; all log-probabilities are of logits divided by it. */
  readonly temperature: number;
  readonly clipLow: number;
  readonly clipHigh: number;
  /** Weight of the divergence from the reference; 0: none. */
  readonly kl: number;
  /**
   * How losses of tokens are added up: `response`: means over each response, and their mean, as GRPO; `token`: the mean over all
   * tokens of the batch, as DAPO; `constant`: sums over each response divided by `length`, and their mean, as Dr. GRPO.
   */
  readonly aggregation: 'response' | 'token' | 'constant';
  /** Tokens, for `constant`. */
  readonly length: number;
}

/** Prompt and response, ready for a loss. */
export interface Example {
  readonly problem: Problem;
  readonly variant: PromptVariant;
  readonly response: Int32Array;
  /** One value per response token, for the step objective only. */
  readonly labels?: Float32Array;
  /** In a training step, what the losses of its tokens are multiplied by: 1 when left out; negative to make it less likely. */
  readonly weight?: number;
  /** For a policy objective only. */
  readonly sampled?: Sampled;
}

/** `solve`: the question alone. `givenAnswer`: the answer is shown while sampling (warm-up, P3); never used in a loss. */
export type PromptVariant = 'solve' | 'givenAnswer';

/** What one optimizer step did. */
export interface StepReport {
  readonly loss: number;
  /** L2 norm over all trained parameters before clipping. */
  readonly gradNorm: number;
  readonly lr: number;
  /** Response tokens in the loss. */
  readonly tokens: number;
  /** Optimizer steps taken so far, this one included. */
  readonly version: number;
  /** Of a policy objective: share of tokens whose ratio was clipped. */
  readonly clipShare?: number;
  /** Of a policy objective: mean estimate of the divergence from the reference, over tokens; 0 without one. */
  readonly kl?: number;
  /**
   * Of a policy objective: absolute differences between the log-probabilities of tokens now and when they were sampled. Where no
   * step was taken in between they are the mismatch of sampling and training: 0 in float32 on a CPU, but with an adapter or where the
   * model turns its keys by the length of the sequence; else of the size of rounding.
   */
  readonly mismatchMean?: number;
  readonly mismatchMax?: number;
}

/** Counters of a rollout call; issue of truth for "the prompt is prefilled once". */
export interface RolloutStats {
  readonly visionEncodes: number;
  readonly prefillTokens: number;
  readonly decodeTokens: number;
  /** Prompts whose keys and values were kept from an earlier call of the same weights. */
  readonly cachedPrompts: number;
  /** Tokens of rows that gave up their memory and were computed again. */
  readonly recomputedTokens: number;
  /** Most memory that keys and values held at once; 0 on a device that does not count it. */
  readonly kvBytes: number;
  readonly seconds: number;
}
