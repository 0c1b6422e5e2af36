// What every phase works on: settings, run folder, the parts of the data, and the models at any of their checkpoints.
// Leaves where these come from to the caller of evolve.
import type { Config } from '../config/schema.js';
import type { ModelHost, OptimizerSettings, Policy, Scorer } from '../core/ports.js';
import type { Splits } from '../data/splits.js';
import type { SampleSettings } from '../rollout/collect.js';
import type { Run } from '../run/folder.js';

export interface Job {
  readonly config: Config;
  readonly run: Run;
  readonly data: Splits;
  readonly models: Models;
}

/** What every pass over problems has in common. */
export function sampleSettings({ seed, run, steps, sampling }: Config): SampleSettings {
  return { seed, chunk: run.chunk, delimiter: steps.delimiter, ...sampling };
}

/** Weights of the policy: `base` is the model that the run was given, the others are checkpoints. */
export type PolicyAt = 'base' | 'warmup' | `iter-${string}`;

export interface ModelPlaces {
  /** Folder of a policy's weights. */
  policy(at: PolicyAt): string;
  /** Folder of the trained PRM. */
  prm(): string;
}

/**
 * Holds at most one policy and one scorer, opened when they are first needed. A run that goes on where a killed one ended
 * asks for the same weights as an undisturbed one and gets the same bits: from memory or from the checkpoint.
 */
export class Models {
  readonly #host: ModelHost;
  readonly #places: ModelPlaces;
  readonly #optimizer: OptimizerSettings;
  #policy: { readonly at: PolicyAt; readonly model: Policy } | undefined;
  #scorer: { readonly at: string; readonly model: Scorer } | undefined;

  /** @param optimizer of the policy over all iterations (P5, continuous) */
  constructor(host: ModelHost, places: ModelPlaces, optimizer: OptimizerSettings) {
    this.#host = host;
    this.#places = places;
    this.#optimizer = optimizer;
  }

  /** The policy with these weights; at an iteration, with the optimizer as it left it, and a fresh one before the first. */
  async policy(at: PolicyAt): Promise<Policy> {
    if (this.#policy?.at === at) return this.#policy.model;
    await this.forgetPolicy();
    const dir = this.#places.policy(at);
    const model = await this.#host.openPolicy(dir);
    this.#policy = { at, model };
    if (at !== 'base') await model.resetOptimizer(this.#optimizer);
    if (at.startsWith('iter-')) await model.restore(dir);
    return model;
  }

  /** Says that the policy in memory has been trained and saved as this checkpoint. */
  advance(at: PolicyAt): void {
    if (this.#policy) this.#policy = { at, model: this.#policy.model };
  }

  /** Frees the policy; the next use opens it from its folder. */
  async forgetPolicy(): Promise<void> {
    const held = this.#policy;
    this.#policy = undefined;
    await held?.model.dispose();
  }

  /** A new PRM on the weights of the warm-up, for training (P8). The policy is freed: both need the memory. */
  async newScorer(): Promise<Scorer> {
    await this.forgetPolicy();
    return this.#openScorer('new', this.#places.policy('warmup'), 'mean');
  }

  /** The trained PRM. */
  scorer(): Promise<Scorer> {
    return this.#openScorer('prm', this.#places.prm(), 'load');
  }

  async forgetScorer(): Promise<void> {
    const held = this.#scorer;
    this.#scorer = undefined;
    await held?.model.dispose();
  }

  async dispose(): Promise<void> {
    await this.forgetPolicy();
    await this.forgetScorer();
  }

  async #openScorer(at: string, dir: string, head: 'mean' | 'load'): Promise<Scorer> {
    if (this.#scorer?.at === at) return this.#scorer.model;
    await this.forgetScorer();
    const model = await this.#host.openScorer(dir, head);
    this.#scorer = { at, model };
    return model;
  }
}
