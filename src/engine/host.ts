// Opens policies and process reward models for the loop, and single models for programs.
import type { ModelHost, ScorerHead } from '../core/ports.js';
import type { RolloutStats } from '../core/types.js';
import { PictureStore } from '../images/store.js';
import { type ComputeOptions, openModel } from './open.js';
import { NativePolicy } from './policy.js';
import { NativeScorer } from './prm.js';

import { type PromptTemplates, Renderer } from './renderer.js';

/** Where models compute, how their prompts are written, which pictures are decoded. */
export interface HostOptions extends ComputeOptions {
  /** Largest picture that is decoded, in pixels. */
  readonly maxImagePixels: number;
  readonly prompt: PromptTemplates;
  /** Told what each rollout call computed. */
  readonly onRollout?: ((stats: RolloutStats) => void) | undefined;
}

const PICTURE_CACHE_BYTES = 256 * 2 ** 20;

/** The host of the loop; its models do more than the ports ask for. */
export interface NativeHost extends ModelHost {
  /** Opens a model folder in Hugging Face form. Throws UserError where it cannot be used, EngineError where memory runs out. */
  openPolicy(dir: string): Promise<NativePolicy>;
  /** The same for a process reward model, whose scalar head comes from where `head` says. */
  openScorer(dir: string, head: ScorerHead): Promise<NativeScorer>;
}

/** Models opened by one host share decoded pictures. */
export function createHost(options: HostOptions): NativeHost {
  const pictures = new PictureStore({ maxPixels: options.maxImagePixels, cacheBytes: PICTURE_CACHE_BYTES });
  return {
    async openPolicy(dir) {
      const opened = await openModel(dir, options, 'none');
      return new NativePolicy(opened, new Renderer(opened, pictures, options.prompt), options.onRollout);
    },
    async openScorer(dir, head) {
      const given = { ...options, adapter: undefined };
      const opened = await (head === 'given' ? openModel(dir, given, 'load') : openModel(dir, options, head));
      return new NativeScorer(opened, new Renderer(opened, pictures, options.prompt));
    },
  };
}

/** The same for one model; float32 on the CPU where nothing is said. */
export interface LoadOptions extends Partial<Omit<HostOptions, 'prompt'>> {
  /** Prompt texts that differ from the defaults: the backbone's own system text and the question as it is. */
  readonly prompt?: Partial<PromptTemplates>;
}

/** Opens one model folder in Hugging Face form; programs may name `mstar:tiny`, the embedded one. Release it with `dispose()` or `await using`. Throws UserError, EngineError. */
export function loadModel(dir: string, options: LoadOptions = {}): Promise<NativePolicy> {
  return createHost({
    device: 'cpu',
    dtype: 'float32',
    threads: 0,
    tokenBudget: 16_384,
    maxImagePixels: 50_000_000,
    ...options,
    prompt: { solve: '{question}', givenAnswer: '{question}\nThe right answer is {answer}.', ...options.prompt },
  }).openPolicy(dir);
}
