// Models of rank 0 that have a copy on every rank: a rollout or a scoring call goes whole to the rank that is free
// first, training happens here, and the others take the new weights before they are asked again. The loop sees a host
// like any other.
import type {
  ModelHost,
  OptimizerSettings,
  Policy,
  RolloutHooks,
  RolloutRequest,
  RolloutResult,
  Scorer,
} from '../core/ports.js';
import type { Example, Sampling } from '../core/types.js';
import type { NativeGroup } from '../engine/binding.js';
import type { HostOptions, NativeHost } from '../engine/host.js';
import type { Model } from '../engine/model.js';
import type { NativePolicy } from '../engine/policy.js';
import type { NativeScorer } from '../engine/prm.js';
import type { RankClient } from './control.js';

/** What rank 0 asks of another rank, and with which arguments. */
export interface Verbs {
  start: [options: Omit<HostOptions, 'onRollout'>];
  /** `head` of a scorer; null opens a policy. */
  open: [id: number, dir: string, head: 'mean' | 'load' | null];
  receive: [id: number];
  rollout: [id: number, requests: readonly RolloutRequest[], sampling: Sampling, seed: number];
  logprobs: [id: number, examples: readonly Example[]];
  score: [id: number, examples: readonly Example[], at: readonly Uint32Array[]];
  dispose: [id: number];
  measure: Parameters<NativeGroup['measure']>;
  usage: [];
  leave: [];
}

/** Rank 0's view of the job. */
export interface Ranks {
  readonly group: NativeGroup;
  /** Rank 0 in messages. */
  readonly name: string;
  /** Rank 1 and up, in order. */
  readonly others: readonly RankClient[];
}

/** A host whose models are spread over all ranks. `onRollout` hears of the calls of every rank. */
export async function spreadHost(local: NativeHost, options: HostOptions, ranks: Ranks): Promise<ModelHost> {
  const { onRollout: _, ...shared } = options;
  const { others } = ranks;
  await Promise.all(others.map((other) => ask(other, 'start', [shared])));
  let opened = 0;
  const openCopies = async (dir: string, head: 'mean' | 'load' | null): Promise<number> => {
    const id = opened++;
    await Promise.all(others.map((other) => ask(other, 'open', [id, dir, head])));
    return id;
  };
  return {
    async openPolicy(dir) {
      const [model, id] = await Promise.all([local.openPolicy(dir), openCopies(dir, null)]);
      return new SpreadPolicy(new SpreadModel(id, model, ranks), options.onRollout);
    },
    async openScorer(dir, head) {
      const [model, id] = await Promise.all([local.openScorer(dir, head), openCopies(dir, head)]);
      return new SpreadScorer(new SpreadModel(id, model, ranks));
    },
  };
}

function ask<V extends keyof Verbs>(
  rank: RankClient,
  verb: V,
  args: Verbs[V],
  hooks?: Parameters<RankClient['call']>[1],
): Promise<unknown> {
  return rank.call({ verb, args }, hooks);
}

/** A model of rank 0 and its copies: hands calls to ranks that are free, and keeps the copies' weights alike. */
class SpreadModel<M extends Model> {
  readonly id: number;
  readonly local: M;
  readonly #ranks: Ranks;
  readonly #free: number[];
  readonly #waiting: ((rank: number) => void)[] = [];
  #alike: Promise<unknown> | undefined = Promise.resolve();

  constructor(id: number, local: M, ranks: Ranks) {
    this.id = id;
    this.local = local;
    this.#ranks = ranks;
    this.#free = [...ranks.others.keys()].map((i) => i + 1).concat(0);
  }

  get width(): number {
    return this.#ranks.others.length + 1;
  }

  /** The weights here are others than those of the copies. */
  changed(): void {
    this.#alike = undefined;
  }

  /** Runs a call on the rank that is free first: `here` on rank 0, else `verb` on another. */
  async run<V extends keyof Verbs>(
    here: () => Promise<unknown>,
    verb: V,
    args: Verbs[V],
    hooks?: Parameters<RankClient['call']>[1],
  ): Promise<unknown> {
    await this.#synchronise();
    const rank = this.#free.shift() ?? (await new Promise<number>((resolve) => this.#waiting.push(resolve)));
    try {
      return rank === 0 ? await here() : await ask(this.#ranks.others[rank - 1] as RankClient, verb, args, hooks);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(rank);
      else this.#free.push(rank);
      // Rank 0, which has more to do, last; calls that find all ranks free go to them in this order.
      this.#free.sort((a, b) => (a || this.width) - (b || this.width));
    }
  }

  async dispose(): Promise<void> {
    const { others } = this.#ranks;
    await Promise.all([this.local.dispose(), ...others.map((other) => ask(other, 'dispose', [this.id]))]);
  }

  /** Sends the weights to the copies where they differ; one exchange that all ranks enter. */
  #synchronise(): Promise<unknown> {
    this.#alike ??= Promise.all([
      this.local.opened.native.broadcast(this.#ranks.group),
      ...this.#ranks.others.map((other) => ask(other, 'receive', [this.id])),
    ]);
    return this.#alike;
  }
}

abstract class Spread<M extends NativePolicy | NativeScorer> {
  protected readonly spread: SpreadModel<M>;

  constructor(spread: SpreadModel<M>) {
    this.spread = spread;
  }

  get width(): number {
    return this.spread.width;
  }

  resetOptimizer(settings: OptimizerSettings): Promise<void> {
    return this.spread.local.resetOptimizer(settings);
  }

  trainStep(batch: readonly Example[]) {
    this.spread.changed();
    return this.spread.local.trainStep(batch);
  }

  save(dir: string, options?: { withTrainer?: boolean }): Promise<void> {
    return this.spread.local.save(dir, options);
  }

  restore(dir: string): Promise<void> {
    this.spread.changed();
    return this.spread.local.restore(dir);
  }

  dispose(): Promise<void> {
    return this.spread.dispose();
  }
}

class SpreadPolicy extends Spread<NativePolicy> implements Policy {
  readonly #onRollout: HostOptions['onRollout'];

  constructor(spread: SpreadModel<NativePolicy>, onRollout: HostOptions['onRollout']) {
    super(spread);
    this.#onRollout = onRollout;
  }

  get version(): number {
    return this.spread.local.version;
  }

  async rollout(
    requests: readonly RolloutRequest[],
    sampling: Sampling,
    seed: number,
    { onProgress, onResponse, signal }: RolloutHooks = {},
  ): Promise<RolloutResult> {
    const { id, local } = this.spread;
    if (onResponse) return local.rollout(requests, sampling, seed, { onProgress, onResponse, signal });
    const hooks = {
      signal,
      onProgress: (value: unknown) => onProgress?.(...(value as [done: number, total: number, tokens: number])),
    };
    let here = false;
    const atHome = (): Promise<RolloutResult> => {
      here = true;
      return local.rollout(requests, sampling, seed, { onProgress, signal });
    };
    const result = (await this.spread.run(atHome, 'rollout', [id, requests, sampling, seed], hooks)) as RolloutResult;
    if (!here) this.#onRollout?.(result.stats);
    return result;
  }

  logprobs(examples: readonly Example[]): Promise<Float32Array[]> {
    const { id, local } = this.spread;
    return this.spread.run(() => local.logprobs(examples), 'logprobs', [id, examples]) as Promise<Float32Array[]>;
  }

  encodeResponse(text: string): Int32Array {
    return this.spread.local.encodeResponse(text);
  }
}

class SpreadScorer extends Spread<NativeScorer> implements Scorer {
  score(examples: readonly Example[], at: readonly Uint32Array[]): Promise<Float32Array[]> {
    const { id, local } = this.spread;
    return this.spread.run(() => local.score(examples, at), 'score', [id, examples, at]) as Promise<Float32Array[]>;
  }
}
