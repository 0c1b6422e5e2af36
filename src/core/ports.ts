// The contracts through which the loop sees the engine: a policy that samples and learns, a scorer that rates steps.
// Implemented by src/engine over the native addon and by test/fakes without it; evolve, label and evaluate import only these.
import type {
  Example,
  PolicyObjective,
  Problem,
  PromptVariant,
  Response,
  RolloutStats,
  Sampling,
  StepReport,
} from './types.js';

/** One question to sample from. */
export interface RolloutRequest {
  readonly problem: Problem;
  readonly variant: PromptVariant;
  /** Continue this response (tokens of it so far) instead of starting a new one: a Monte-Carlo completion. */
  readonly prefix?: Int32Array;
  /** Samples to draw. */
  readonly n: number;
  /** Names the draw together with the run's seed: same seed and key, same tokens, whatever else is in the batch. */
  readonly key: string;
}

/** What a rollout call is told to do while it goes on. */
export interface RolloutHooks {
  /** Called as each response finishes, in no fixed order. */
  onResponse?(request: number, sample: number, response: Response): void;
  /** Called a few times a second with the responses done and tokens decoded so far in this call. */
  onProgress?(done: number, total: number, tokens: number): void;
  readonly signal?: AbortSignal;
}

/** What a rollout call gives: R requests with n responses each. */
export interface RolloutResult {
  /** [request][sample]; with a prefix, `tokens` and `text` hold the continuation only. */
  readonly responses: Response[][];
  readonly stats: RolloutStats;
}

/** Learning rate that rises linearly over the first `warmupSteps` optimizer steps and is constant then (P4), or falls linearly to 0 over the last `decaySteps` of `totalSteps`. */
export interface OptimizerSettings {
  readonly lr: number;
  readonly warmupSteps: number;
  readonly decaySteps?: number;
  readonly totalSteps?: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weightDecay: number;
  /** L2 norm that gradients are clipped to; 0 is off. */
  readonly clip: number;
  /** In which numbers the moments of matrices are kept; `float32` when left out. */
  readonly moments?: 'float32' | '8bit';
  /** Parts that do not learn. */
  readonly freeze: readonly ('vision' | 'projector' | 'language')[];
}

/** What a policy and a scorer learn by, and how they read text. */
export interface Learner {
  /** Names the tokenizer and the end mark of a response: token ids mean the same to models of one name. */
  readonly tokenizer: string;
  /**
   * Token ids of a response to a problem that is given as text.
   * @param ends of its steps in the text, UTF-16, exclusive; the last is the length of the text
   * @param stops whether it ends by itself: the stop token is then its last one
   * @returns its ids, and the tokens up to the end of each step
   * @throws UserError where it does not fit the positions of the model, or a picture of the problem cannot be used
   */
  encodeSteps(
    problem: Problem,
    text: string,
    ends: readonly number[],
    stops: boolean,
  ): Promise<{ readonly tokens: Int32Array; readonly ends: Uint32Array }>;
  /** Starts a fresh optimizer (zero moments, step 0). Call once per P5's "fresh", or once per run for "continuous". */
  resetOptimizer(settings: OptimizerSettings): Promise<void>;
  /**
   * One optimizer step. A policy's is on the sum of `weight` times cross entropy over all response tokens of the batch, divided by
   * their number: the mean cross entropy where no example has a weight. A scorer's is on the mean squared error between the score
   * of every response token and its label, weighted as a policy's.
   * @param objective of a policy: what to lower instead; all examples are `sampled` then
   */
  trainStep(batch: readonly Example[], objective?: PolicyObjective): Promise<StepReport>;
  /** Writes a checkpoint folder in Hugging Face form into `dir` (must not exist): weights, config, tokenizer; and trainer state when `withTrainer`. */
  save(dir: string, options?: { withTrainer?: boolean }): Promise<void>;
  /** Continues from a folder that `save(dir, { withTrainer: true })` wrote: weights, moments, schedule position, bit for bit. */
  restore(dir: string): Promise<void>;
  /** Releases the memory of the model, after the calls under way; every later call fails with EngineError `ERR_DISPOSED`. */
  dispose(): Promise<void>;
}

export interface Policy extends Learner {
  /** Rollout calls that it works on at once; 1 when left out. Further calls wait. */
  readonly width?: number;
  /** Optimizer steps taken since the weights were loaded or the optimizer was reset. */
  readonly version: number;
  /**
   * Samples responses to R requests.
   * @param seed of the run: with the key of a request and the number of a sample it names every draw
   * @returns `responses[r][i]`, sample i of request r
   * @throws Stopped once the signal is aborted, UserError on a picture that cannot be used, EngineError
   */
  rollout(
    requests: readonly RolloutRequest[],
    sampling: Sampling,
    seed: number,
    hooks?: RolloutHooks,
  ): Promise<RolloutResult>;
  /** Log-probability of every response token, teacher forced, of the logits divided by `temperature` (1 when left out). */
  logprobs(examples: readonly Example[], temperature?: number): Promise<Float32Array[]>;
  /** Token ids that a response of this text would have, the stop token included: for training on given text. */
  encodeResponse(text: string): Int32Array;
}

/** Calls to have under way so that no rank of a policy waits for the next one: none to spare where it works on one at a time. */
export function callsAtOnce({ width = 1 }: Policy): number {
  return 2 * width - 1;
}

/** A process reward model: the same backbone with a scalar head (P8). */
export interface Scorer extends Learner {
  /** Score at the given response-token indices of each example (raw scalar, no sigmoid). */
  score(examples: readonly Example[], at: readonly Uint32Array[]): Promise<Float32Array[]>;
}

/**
 * `mean` makes a new scalar head from the mean token embedding; `load` reads the one in the folder; `given` does so where the
 * folder was made elsewhere and may be of another backbone: no adapter of the run is for it.
 */
export type ScorerHead = 'mean' | 'load' | 'given';

/** Opens models; the loop gets one of these and never sees the engine. */
export interface ModelHost {
  /** Opens a model folder in Hugging Face form. Throws UserError where it cannot be used, EngineError where memory runs out. */
  openPolicy(dir: string): Promise<Policy>;
  /** The same for a process reward model, whose scalar head comes from where `head` says. */
  openScorer(dir: string, head: ScorerHead): Promise<Scorer>;
}
