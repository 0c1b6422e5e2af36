// What every phase works on: settings, run folder, the parts of the data, and the models at any of their checkpoints.
import type { Config } from '../config/schema.js';
import type { ModelHost, OptimizerSettings, Policy, Scorer, ScorerHead } from '../core/ports.js';
import type { WrittenExample } from '../data/problems.js';
import type { Solution } from '../data/solutions.js';
import type { Splits } from '../data/splits.js';
import type { RatedResponse } from '../record/rollout.js';
import { graderOf } from '../reward/custom.js';
import type { Collection, SampleSettings } from '../rollout/collect.js';
import type { Run } from '../run/folder.js';
import type { Custom } from './custom.js';

export interface Job {
  readonly config: Config;
  readonly run: Run;
  readonly data: Splits;
  readonly models: Models;
  readonly custom?: Custom;
  readonly given?: Given | undefined;
}

/** What the settings give as text in place of sampled responses. */
export interface Given {
  /** Of the warm-up. */
  readonly examples?: readonly WrittenExample[] | undefined;
  /** With labels, for the PRM. */
  readonly solutions?: readonly Solution[] | undefined;
}

/** What is enough to say which phases there will be. */
export type Sizes = Pick<Job, 'config' | 'data' | 'custom' | 'given'>;

/** What every pass over problems has in common. */
export function sampleSettings({
  config,
  custom,
  run: { signal },
}: Pick<Job, 'config' | 'custom' | 'run'>): SampleSettings {
  const { seed, run, steps, sampling } = config;
  const grader = custom?.reward && graderOf(custom.reward, signal);
  return { seed, chunk: run.chunk, delimiter: steps.delimiter, ...sampling, grader };
}

/** Scores by the PRM, of every response unless `wanted` says which. */
export async function rewardOf(
  { config, models }: Pick<Job, 'config' | 'models'>,
  wanted: (response: RatedResponse) => boolean = () => true,
): Promise<NonNullable<Collection['reward']>> {
  return { scorer: await models.scorer(), aggregate: config.prm.aggregate, wanted };
}

/** Only correct responses can be selected (P9), so only they need a score. */
export function isCorrect({ grade }: RatedResponse): boolean {
  return grade.verdict === 'correct';
}

/**
 * Weights of the policy: `base` is the model that the run was given, the others are checkpoints. `completer` is the warm-up
 * trained on: it samples for the PRM's labels and becomes the PRM.
 */
export type PolicyAt = 'base' | 'warmup' | 'completer' | `iter-${string}`;

export interface ModelPlaces {
  /** Folder of a policy's weights. */
  policy(at: PolicyAt): string;
  /** Folder of the PRM that scores, and how it is opened: the run's own, or one made elsewhere. */
  prm(): readonly [dir: string, head: ScorerHead];
}

/**
 * Holds at most one policy and one scorer, opened when they are first needed. A run that goes on where a killed one ended
 * asks for the same weights as an undisturbed one and gets the same bits: from memory or from the checkpoint.
 */
export class Models {
  readonly #host: ModelHost;
  readonly #places: ModelPlaces;
  #optimizer: OptimizerSettings | undefined;
  #policy: { readonly at: PolicyAt; readonly model: Policy; readonly learns: boolean } | undefined;
  #scorer: { readonly at: string; readonly model: Scorer } | undefined;

  constructor(host: ModelHost, places: ModelPlaces) {
    this.#host = host;
    this.#places = places;
  }

  /** Sets the optimizer of the policy over all iterations (P5, continuous); before any iteration is asked for. */
  learnWith(optimizer: OptimizerSettings): void {
    this.#optimizer = optimizer;
  }

  /** The policy with these weights. */
  async policy(at: PolicyAt): Promise<Policy> {
    if (this.#policy?.at === at) return this.#policy.model;
    await this.forgetPolicy();
    const dir = this.#places.policy(at);
    const model = await this.#host.openPolicy(dir);
    // The trainer state holds the exact weights too, where those of the folder are rounded.
    const learns = at.startsWith('iter-');
    this.#policy = { at, model, learns };
    if (learns) {
      await this.#setOptimizer(model);
      await model.restore(dir);
    }
    return model;
  }

  /**
   * As `policy`, with the optimizer as the last iteration left it, or one set anew: before the first, or where `fresh` is given.
   * The scorer is freed: a training needs the memory.
   */
  async learner(at: PolicyAt, fresh?: OptimizerSettings): Promise<Policy> {
    await this.forgetScorer();
    const model = await this.policy(at);
    if (fresh) await model.resetOptimizer(fresh);
    else if (!this.#policy?.learns) await this.#setOptimizer(model);
    this.#policy = { at, model, learns: true };
    return model;
  }

  /** Says that the learner in memory has been trained and saved as this checkpoint. */
  advance(at: PolicyAt): void {
    if (this.#policy) this.#policy = { ...this.#policy, at };
  }

  /** Frees the policy; the next use opens it from its folder. */
  async forgetPolicy(): Promise<void> {
    const held = this.#policy;
    this.#policy = undefined;
    await held?.model.dispose();
  }

  /** A new PRM on the weights of a policy, for training (P8). The policy is freed: both need the memory. */
  async newScorer(at: PolicyAt): Promise<Scorer> {
    await this.forgetPolicy();
    return this.#openScorer('new', [this.#places.policy(at), 'mean']);
  }

  /** The PRM that scores. */
  scorer(): Promise<Scorer> {
    return this.#openScorer('prm', this.#places.prm());
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

  async #setOptimizer(model: Policy): Promise<void> {
    if (!this.#optimizer) throw new Error('the policy was to learn before learnWith');
    await model.resetOptimizer(this.#optimizer);
  }

  async #openScorer(at: string, [dir, head]: ReturnType<ModelPlaces['prm']>): Promise<Scorer> {
    if (this.#scorer?.at === at) return this.#scorer.model;
    await this.forgetScorer();
    const model = await this.#host.openScorer(dir, head);
    this.#scorer = { at, model };
    return model;
  }
}
