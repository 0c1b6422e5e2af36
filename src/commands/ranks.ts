// Runs a verb over several processes: starts them where --processes or --gpus asks for it, or joins those that a launcher
// (torchrun, srun, Kubernetes) has started.
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { Argv } from 'yargs';
import { UserError } from '../core/errors.js';
import { rankFrom } from '../distributed/environment.js';
import type { Ranks } from '../distributed/host.js';
import type { RanksUsage } from '../distributed/usage.js';
import type { HostOptions } from '../engine/host.js';
import type { OpenHost } from '../jobs/options.js';
import { type Told, tell, telling } from './notify.js';

/** Ranks that one machine may be asked to start. */
const MOST = 64;

export interface RankFlags {
  readonly processes: number | undefined;
  readonly gpus: number | undefined;
}

export function rankFlags<T>(yargs: Argv<T>): Argv<T & RankFlags> {
  return yargs
    .option('processes', {
      type: 'number',
      describe: 'sample, label and score in this many processes of this machine; the results are the same',
    })
    .option('gpus', { type: 'number', describe: 'the same with one process for each of this many GPUs' })
    .group(['processes', 'gpus'], 'Several processes:') as never;
}

/** What a verb works with over several processes; nothing where it is alone. */
export interface OverRanks {
  readonly host?: OpenHost;
  readonly ranks?: Ranks;
  readonly usage?: RanksUsage;
}

/** Milliseconds between questions what the ranks do. */
const ASK_EVERY = 2000;

/**
 * Does the work of a verb in this process, or, over several, on rank 0.
 * @param work takes how models are opened, and the ranks: nothing for this process alone
 * @param told of the end of the work, and where ranks are lost; by whichever process outlives that
 */
export async function overRanks(
  { processes, gpus }: RankFlags,
  work: (over: OverRanks) => Promise<void>,
  told: Told = { url: undefined, run: async () => '' },
): Promise<void> {
  const rank = rankFrom(process.env);
  if (processes !== undefined && gpus !== undefined)
    throw new UserError('--gpus: given beside --processes, wanted one of them', 'ERR_SETTING');
  const wanted = countOf(processes, '--processes') ?? countOf(gpus, '--gpus') ?? 1;
  if (!rank && wanted === 1) return telling(told, () => work({}));
  if (!rank) {
    const { supervise } = await import('../distributed/supervise.js');
    // Ranks on one machine share its cores unless they are told otherwise.
    const threads = Math.max(1, Math.floor(availableParallelism() / wanted));
    process.exitCode = await supervise({
      ranks: wanted,
      command: [process.execPath, ...process.execArgv, ...process.argv.slice(1)],
      environment: {
        OMP_NUM_THREADS: String(threads),
        ...process.env,
        MSTAR_SECRET: process.env.MSTAR_SECRET ?? randomBytes(16).toString('hex'),
      },
      onLost: (line) => tell(told, 'needs attention', line),
    });
    return;
  }
  const { fail, isOrderly, join, leave, onFailure } = await import('../distributed/group.js');
  const ranks = await join(rank, process.env);
  if (!ranks) return;
  const [{ spreadHost }, { RanksUsage }, { createHost }] = await Promise.all([
    import('../distributed/host.js'),
    import('../distributed/usage.js'),
    import('../engine/host.js'),
  ]);
  // The process that has started the ranks outlives them and tells it better.
  if (!process.env.MSTAR_PARENT) onFailure((line) => tell(told, 'needs attention', line));
  const usage = new RanksUsage(ranks);
  const open: OpenHost = (options) => {
    if (gpus !== undefined && options.device !== 'cuda')
      throw new UserError('--gpus: given, but the device is cpu; wanted device: cuda, or --processes', 'ERR_SETTING');
    const { own } = usage;
    own.device = options.device;
    const onRollout: HostOptions['onRollout'] = (stats) => {
      own.add(stats);
      options.onRollout?.(stats);
    };
    return spreadHost(createHost({ ...options, onRollout }), options, ranks);
  };
  const asking = setInterval(() => void usage.ask(), ASK_EVERY).unref();
  await telling(told, async () => {
    try {
      await work({ host: open, ranks, usage });
    } catch (error) {
      if (!isOrderly(error)) await fail(ranks, error as Error);
      throw error;
    } finally {
      clearInterval(asking);
      await leave(ranks);
    }
  });
}

/** A line for each rank on what it did; none of a process alone. */
export async function linesOf(usage: RanksUsage | undefined): Promise<string[]> {
  await usage?.ask();
  return usage?.lines() ?? [];
}

function countOf(value: number | undefined, flag: string): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= MOST)) return value;
  throw new UserError(`${flag}: ${value}, wanted a whole number from 1 to ${MOST}`, 'ERR_SETTING');
}
