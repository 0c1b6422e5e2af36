// Models of rank 0 that have a copy on every rank: a rollout or a scoring call goes whole to the rank that is free
// first, and all ranks take a training step together, after which they have the same weights. The loop sees a host like
// any other.
import { UserError } from '../core/errors.js';
import type {
  ModelHost,
  OptimizerSettings,
  Policy,
  RolloutHooks,
  RolloutRequest,
  RolloutResult,
  Scorer,
  ScorerHead,
} from '../core/ports.js';
import type { Example, PolicyObjective, Sampling, StepReport } from '../core/types.js';
import type { NativeGroup, NativeModel } from '../engine/binding.js';
import type { HostOptions, NativeHost } from '../engine/host.js';
import type { Model, SaveOptions } from '../engine/model.js';
import { guarded } from '../engine/native.js';
import type { NativePolicy } from '../engine/policy.js';
import type { NativeScorer } from '../engine/prm.js';
import type { RankClient } from './control.js';
import { fail } from './group.js';

/** What rank 0 asks of another rank, and with which arguments. */
export interface Verbs {
  start: [options: Omit<HostOptions, 'onRollout'>];
  /** `head` of a scorer; null opens a policy. */
  open: [id: number, dir: string, head: ScorerHead | null];
  rollout: [id: number, requests: readonly RolloutRequest[], sampling: Sampling, seed: number];
  logprobs: [id: number, examples: readonly Example[], temperature: number];
  score: [id: number, examples: readonly Example[], at: readonly Uint32Array[]];
  reset: [id: number, settings: OptimizerSettings];
  /** Renders a batch, so that whoever cannot says so before anyone waits for it in the step. */
  prepare: [id: number, batch: readonly Example[], objective: PolicyObjective | null];
  step: [id: number];
  /** Writes this rank's share of the files, and gives the others its parts of theirs. */
  save: [id: number, files: Parameters<NativeModel['save']>[0]];
  restore: [id: number, dir: string];
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
  const inTurn = queue();
  const openCopies = async (dir: string, head: ScorerHead | null): Promise<number> => {
    const id = opened++;
    await Promise.all(others.map((other) => ask(other, 'open', [id, dir, head])));
    return id;
  };
  return {
    async openPolicy(dir) {
      const [model, id] = await Promise.all([local.openPolicy(dir), openCopies(dir, null)]);
      return new SpreadPolicy(new SpreadModel(id, model, ranks, inTurn), options.onRollout);
    },
    async openScorer(dir, head) {
      const [model, id] = await Promise.all([local.openScorer(dir, head), openCopies(dir, head)]);
      return new SpreadScorer(new SpreadModel(id, model, ranks, inTurn));
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

type InTurn = <T>(call: () => Promise<T>) => Promise<T>;

/** Makes calls one after the other. */
function queue(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (call) => {
    const next = last.then(call);
    last = next.catch(() => {});
    return next;
  };
}

/** The result of rank 0 once all have one. Throws the failure of the first rank that failed, rank 0 before all. */
async function settled<T>(here: Promise<T>, others: readonly Promise<unknown>[]): Promise<T> {
  const failures = (await Promise.allSettled([here, ...others])).map((one) => one.status === 'rejected' && one.reason);
  const rank = failures.findIndex((failure) => failure !== false);
  const failure = failures[rank];
  if (rank > 0 && failure instanceof UserError) throw new UserError(`rank ${rank}: ${failure.message}`, failure.code);
  if (rank >= 0) throw failure;
  return here;
}

/** A model of rank 0 and its copies: hands calls to ranks that are free, and makes with all those that need all. */
class SpreadModel<M extends Model> {
  readonly id: number;
  readonly local: M;
  readonly #ranks: Ranks;
  readonly #inTurn: InTurn;
  readonly #free: number[];
  readonly #waiting: ((rank: number) => void)[] = [];

  constructor(id: number, local: M, ranks: Ranks, inTurn: InTurn) {
    this.id = id;
    this.local = local;
    this.#ranks = ranks;
    this.#inTurn = inTurn;
    this.#free = [...ranks.others.keys()].map((i) => i + 1).concat(0);
  }

  get width(): number {
    return this.#ranks.others.length + 1;
  }

  get group(): NativeGroup {
    return this.#ranks.group;
  }

  /** Runs a call on the rank that is free first: `here` on rank 0, else `verb` on another. */
  async run<V extends keyof Verbs>(
    here: () => Promise<unknown>,
    verb: V,
    args: Verbs[V],
    hooks?: Parameters<RankClient['call']>[1],
  ): Promise<unknown> {
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

  /** Makes a call on every rank; its result is that of rank 0. */
  everywhere<T, V extends keyof Verbs>(here: () => Promise<T>, verb: V, args: Verbs[V]): Promise<T> {
    return settled(here(), this.#ask(verb, args));
  }

  /**
   * As `everywhere`, for a call in which the ranks wait for each other: two of them come in one order on all ranks. The
   * first failure, whatever it is of, ends the job at once: the other ranks may never come back, not even to be sent home.
   */
  together<T, V extends keyof Verbs>(here: () => Promise<T>, verb: V, args: Verbs[V]): Promise<T> {
    const { group, others } = this.#ranks;
    const ending = <R>(name: string, call: Promise<R>): Promise<R> =>
      call.catch((error: Error) => fail({ group, name }, error));
    return this.#inTurn(async () => {
      const own = ending(this.#ranks.name, (async () => here())());
      const asked = this.#ask(verb, args).map((call, i) => ending((others[i] as RankClient).name, call));
      return (await Promise.all([own, ...asked]))[0];
    });
  }

  #ask<V extends keyof Verbs>(verb: V, args: Verbs[V]): Promise<unknown>[] {
    return this.#ranks.others.map((other) => ask(other, verb, args));
  }
}

abstract class Spread<M extends NativePolicy | NativeScorer> {
  protected readonly spread: SpreadModel<M>;
  #learns = false;

  constructor(spread: SpreadModel<M>) {
    this.spread = spread;
  }

  get width(): number {
    return this.spread.width;
  }

  get tokenizer(): string {
    return this.spread.local.tokenizer;
  }

  encodeSteps(...given: Parameters<Model['encodeSteps']>): ReturnType<Model['encodeSteps']> {
    return this.spread.local.encodeSteps(...given);
  }

  async resetOptimizer(settings: OptimizerSettings): Promise<void> {
    const { id, local, group } = this.spread;
    await this.spread.everywhere(() => local.resetOptimizer(settings, group), 'reset', [id, settings]);
    this.#learns = true;
  }

  async trainStep(batch: readonly Example[], objective?: PolicyObjective): Promise<StepReport> {
    const { id, local } = this.spread;
    const here = () => local.prepareStep(batch, objective);
    const step = await this.spread.everywhere(here, 'prepare', [id, batch, objective ?? null]);
    return this.spread.together(step, 'step', [id]);
  }

  save(dir: string, { withTrainer = false }: { withTrainer?: boolean } = {}): Promise<void> {
    const { id, local } = this.spread;
    if (!this.#learns) return local.save(dir, { withTrainer });
    // The others are asked once the folder is there: who waits for a rank that could not make one would wait forever.
    const write: NonNullable<SaveOptions['write']> = (native, files) =>
      this.spread.together(() => guarded(() => native.save(files)), 'save', [id, files]);
    return local.save(dir, { withTrainer, write });
  }

  restore(dir: string): Promise<void> {
    const { id, local } = this.spread;
    return this.spread.everywhere(() => local.restore(dir), 'restore', [id, dir]);
  }

  dispose(): Promise<void> {
    const { id, local } = this.spread;
    return this.spread.everywhere(() => local.dispose(), 'dispose', [id]);
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

  logprobs(examples: readonly Example[], temperature = 1): Promise<Float32Array[]> {
    const { id, local } = this.spread;
    const here = () => local.logprobs(examples, temperature);
    return this.spread.run(here, 'logprobs', [id, examples, temperature]) as Promise<Float32Array[]>;
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
