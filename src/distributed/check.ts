// The acceptance test of the machines of a job: how fast the ranks exchange tensors, and whether each samples, learns
// and takes weights to the bytes of one process.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelHost, OptimizerSettings, Policy, RolloutRequest } from '../core/ports.js';
import type { Example, Problem, Sampling } from '../core/types.js';
import { createHost, type HostOptions } from '../engine/host.js';
import { type Ranks, spreadHost } from './host.js';

export interface Exchange {
  readonly exchange: 'all-to-all' | 'all-gather' | 'broadcast';
  /** What each rank receives in all, its own part included. */
  readonly bytes: number;
  readonly seconds: number;
  /** Bytes that a rank receives from others, in 10^9 per second. */
  readonly gigabytesPerSecond: number;
}

export interface RankCheck {
  readonly name: string;
  /** Rollouts and log-probabilities, before and after an optimizer step, that are not those of one process. */
  readonly differs: readonly string[];
}

export interface RanksChecked {
  readonly exchanges: readonly Exchange[];
  readonly ranks: readonly RankCheck[];
  /** The optimizer step, and the checkpoint after it where one was asked for, are those of one process. */
  readonly trainsAlike: boolean;
  readonly same: boolean;
}

export interface CheckedModel {
  readonly dir: string;
  /** Empty folder for checkpoints of the model, which are compared; none are written when left out. */
  readonly checkpoints?: string;
  readonly problems: readonly Problem[];
}

const SIZES = [2 ** 20, 2 ** 26];
const SAMPLES = 4;
const SAMPLING: Sampling = { temperature: 1, topK: 0, topP: 1, maxTokens: 32 };
const OPTIMIZER: OptimizerSettings = {
  lr: 1e-4,
  warmupSteps: 0,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weightDecay: 0.01,
  clip: 1,
  freeze: [],
};

/** Takes well under a minute where the model is small. Throws as the engine does. */
export async function checkRanks(ranks: Ranks, options: HostOptions, model: CheckedModel): Promise<RanksChecked> {
  const exchanges: Exchange[] = [];
  for (const bytes of SIZES)
    for (const exchange of ['all-to-all', 'all-gather', 'broadcast'] as const)
      exchanges.push(await measure(ranks, exchange, bytes));
  const alone = await experience(createHost(options), 1, model, 'alone');
  const over = await experience(await spreadHost(createHost(options), options, ranks), sizeOf(ranks), model, 'over');
  const [wanted] = alone.ranks;
  const names = [...ranks.others.map(({ name }) => name), ranks.name];
  const found = names.map((name, i): RankCheck => {
    const own = over.ranks[i] as RankPrints;
    return { name, differs: Object.keys(own).filter((what) => own[what] !== wanted?.[what]) };
  });
  const trainsAlike = over.training === alone.training;
  return {
    exchanges,
    // In the order of their numbers.
    ranks: [...found.slice(-1), ...found.slice(0, -1)],
    trainsAlike,
    same: trainsAlike && found.every(({ differs }) => differs.length === 0),
  };
}

/** The second of two exchanges, which all ranks enter. */
async function measure(ranks: Ranks, exchange: Exchange['exchange'], bytes: number): Promise<Exchange> {
  const native = ({ 'all-to-all': 'allToAll', 'all-gather': 'allGather', broadcast: 'broadcast' } as const)[exchange];
  const [seconds] = await Promise.all([
    ranks.group.measure(native, bytes),
    ...ranks.others.map((other) => other.call({ verb: 'measure', args: [native, bytes] })),
  ]);
  const size = sizeOf(ranks);
  const received = exchange === 'broadcast' ? bytes : (bytes * (size - 1)) / size;
  return { exchange, bytes, seconds, gigabytesPerSecond: received / seconds / 1e9 };
}

/** Digests of what a rank computed, by what it was. */
type RankPrints = Readonly<Record<string, string>>;

/** Samples and rates, takes a step, samples and rates again: everything as often as there are ranks, at once. */
async function experience(host: ModelHost, size: number, { dir, problems, checkpoints }: CheckedModel, name: string) {
  const policy = await host.openPolicy(dir);
  try {
    return await live(policy, size, problems, checkpoints === undefined ? undefined : join(checkpoints, name));
  } finally {
    await policy.dispose();
  }
}

/** @param save folder for a checkpoint after the step */
async function live(policy: Policy, size: number, problems: readonly Problem[], save: string | undefined) {
  const requests = problems.map(
    (problem): RolloutRequest => ({ problem, variant: 'solve', n: SAMPLES, key: `check/${problem.id}` }),
  );
  const onEach = <T>(work: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: size }, work));
  const sample = () => onEach(() => policy.rollout(requests, SAMPLING, 1));
  const before = await sample();
  const batch = (before[0] as (typeof before)[number]).responses.flatMap((row, i) =>
    row.map(({ tokens }): Example => ({ problem: problems[i] as Problem, variant: 'solve', response: tokens })),
  );
  const rate = () => onEach(() => policy.logprobs(batch));
  const ratedBefore = await rate();
  await policy.resetOptimizer(OPTIMIZER);
  const training = [digest([JSON.stringify(await policy.trainStep(batch))])];
  const [after, ratedAfter] = [await sample(), await rate()];
  if (save !== undefined) {
    await policy.save(save, { withTrainer: true });
    training.push(await digestOfFolder(save));
  }
  const ofResponses = ({ responses }: (typeof before)[number]) =>
    digest(responses.flat().flatMap(({ tokens, logprobs }) => [tokens, logprobs]));
  return {
    ranks: before.map(
      (rollout, i): RankPrints => ({
        rollout: ofResponses(rollout),
        'log-probabilities': digest(ratedBefore[i] as Float32Array[]),
        'rollout after a step': ofResponses(after[i] as typeof rollout),
        'log-probabilities after a step': digest(ratedAfter[i] as Float32Array[]),
      }),
    ),
    training: training.join(),
  };
}

function digest(parts: readonly (string | NodeJS.ArrayBufferView)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

async function digestOfFolder(dir: string): Promise<string> {
  const names = (await readdir(dir)).sort();
  return digest(await Promise.all(names.map((name) => readFile(join(dir, name)))));
}

function sizeOf({ others }: Ranks): number {
  return others.length + 1;
}
