// What a rank other than 0 does: serves calls about its copies of the models until rank 0 sends it home. It knows no
// recipe, and of the run folder the files of checkpoints that it is told to write.

import type { NativeGroup } from '../engine/binding.js';
import { createHost, type NativeHost } from '../engine/host.js';
import { Model } from '../engine/model.js';
import { guarded } from '../engine/native.js';
import { NativePolicy } from '../engine/policy.js';
import { NativeScorer } from '../engine/prm.js';
import { type Answerer, serveRank, type Trust } from './control.js';
import type { Verbs } from './host.js';
import { OwnUsage } from './usage.js';

/** A rank as it makes itself known. */
export interface Self {
  readonly rank: number;
  /** For messages: number, process and machine. */
  readonly name: string;
  /** Where it can be reached, without the port. */
  readonly address: string;
}

/** Serves until rank 0 says `leave`. How this rank is reached is told in the group's store. */
export async function follow(group: NativeGroup, { rank, name, address }: Self, trust: Trust): Promise<void> {
  const models = new Map<number, NativePolicy | NativeScorer>();
  const usage = new OwnUsage();
  /** By the number of the model: takes the step whose batch is prepared. */
  const steps = new Map<number, () => Promise<unknown>>();
  let host: NativeHost | undefined;
  let goHome: () => void = () => {};
  const home = new Promise<void>((resolve) => {
    goHome = resolve;
  });
  const model = (id: number): Model => of(models.get(id), Model);
  const policy = (id: number): NativePolicy => of(models.get(id), NativePolicy);
  const verbs: { [V in keyof Verbs]: (args: Verbs[V], ...more: Rest) => unknown } = {
    start: ([options]) => {
      usage.device = options.device;
      host = createHost({ ...options, onRollout: usage.add });
    },
    open: async ([id, dir, head]) => {
      const { openPolicy, openScorer } = host as NativeHost;
      models.set(id, await (head === null ? openPolicy(dir) : openScorer(dir, head)));
    },
    rollout: ([id, requests, sampling, seed], progress, signal) =>
      policy(id).rollout(requests, sampling, seed, { signal, onProgress: (...counts) => progress(counts) }),
    logprobs: ([id, examples, temperature]) => policy(id).logprobs(examples, temperature),
    score: ([id, examples, at]) => of(models.get(id), NativeScorer).score(examples, at),
    reset: ([id, settings]) => model(id).resetOptimizer(settings, group),
    prepare: async ([id, batch, objective]) => {
      steps.set(id, await model(id).prepareStep(batch, objective ?? undefined));
    },
    step: async ([id]) => {
      const step = steps.get(id) as () => Promise<unknown>;
      steps.delete(id);
      await step();
    },
    save: ([id, files]) => guarded(() => model(id).opened.native.save(files)),
    restore: ([id, dir]) => model(id).restore(dir),
    dispose: async ([id]) => {
      const model = models.get(id);
      models.delete(id);
      await model?.dispose();
    },
    measure: (args) => group.measure(...args),
    usage: () => usage.read(group),
    leave: () => goHome(),
  };
  const server = await serveRank(address, trust, async ({ verb, args }, progress, signal) => {
    const answer = verbs[verb as keyof Verbs] as ((args: unknown, ...more: Rest) => unknown) | undefined;
    if (!answer) throw new Error(`${verb}: no verb of a rank; do all ranks run one version of mstar?`);
    return answer(args, progress, signal);
  });
  await group.set(`rank/${rank}`, JSON.stringify({ name, at: `${address}:${server.port}` }));
  await home;
  await server.end();
}

type Rest = [progress: Parameters<Answerer>[1], signal: AbortSignal];

function of<M>(model: unknown, kind: abstract new (...args: never[]) => M): M {
  if (model instanceof kind) return model;
  throw new Error(`no ${kind.name} is open under this number`);
}
