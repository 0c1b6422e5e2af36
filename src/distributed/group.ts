// Joins the ranks of a job: the group that carries tensors, the watch that ends the job when a rank is lost, and the
// connections over which rank 0 asks the others.
import { createHash } from 'node:crypto';
import os from 'node:os';
import { UserError } from '../core/errors.js';
import { ENDING } from '../core/signals.js';
import { addon } from '../engine/binding.js';
import { guarded } from '../engine/native.js';
import { connectRank, type Trust } from './control.js';
import type { Rank } from './environment.js';
import { follow } from './follow.js';
import type { Ranks } from './host.js';

const BEAT = 1000;

/**
 * Joins the job. On rank 0 resolves to the ranks; on another it serves rank 0 until the job ends and resolves to
 * undefined. Throws UserError where ranks on several machines share no secret.
 */
export async function join(rank: Rank, variables: NodeJS.ProcessEnv): Promise<Ranks | undefined> {
  const trust = trustOf(rank, variables);
  const address = isLoopback(rank.host) ? '127.0.0.1' : ownAddress(variables);
  const limits = {
    silence: milliseconds(variables, 'MSTAR_SILENCE', 10),
    stall: milliseconds(variables, 'MSTAR_STALL', 20),
  };
  // Before the addon is loaded: each rank sees the one GPU that is its own.
  const visible = variables.CUDA_VISIBLE_DEVICES?.split(',');
  if (visible?.length !== 1) variables.CUDA_VISIBLE_DEVICES = visible?.[rank.localRank] ?? String(rank.localRank);
  const waiting = setTimeout(
    () =>
      process.stderr.write(
        `rank ${rank.rank} waits for the others at ${rank.host}:${rank.port}, two minutes at most\n`,
      ),
    10_000,
  );
  const parent = Number(variables.MSTAR_PARENT);
  if (parent && !addon().dieWithParent(parent)) throw new UserError('the process that started this rank has ended');
  const group = await guarded(() =>
    addon().joinGroup({
      ...rank,
      address,
      prefix: createHash('sha256').update(trust.secret).digest('hex'),
      listenFd: Number(variables.MSTAR_STORE_FD ?? -1),
    }),
  );
  clearTimeout(waiting);
  group.watch({ beat: BEAT, silence: limits.silence, stall: limits.stall });
  setInterval(() => group.tick(), BEAT).unref();
  if (rank.rank > 0) {
    // Rank 0 decides when the job stops; schedulers signal all ranks.
    for (const signal of ENDING) if (os.constants.signals[signal] !== undefined) process.on(signal, () => {});
    await follow(group, rank.rank, address, trust);
    await group.leave();
    return undefined;
  }
  const addresses = await Promise.all(Array.from({ length: rank.size - 1 }, (_, i) => group.get(`rank/${i + 1}`)));
  return { group, others: addresses.map((at, i) => connectRank(i + 1, at, trust)) };
}

/** Sends the other ranks home and leaves. */
export async function leave({ group, others }: Ranks): Promise<void> {
  await Promise.all(others.map((other) => other.call({ verb: 'leave', args: [] })));
  for (const other of others) other.close();
  await group.leave();
}

function trustOf({ host, rank }: Rank, { MSTAR_SECRET: secret }: NodeJS.ProcessEnv): Trust {
  if (secret) return { secret };
  if (isLoopback(host)) return { secret: 'one machine' };
  throw new UserError(
    `MSTAR_SECRET: not set on rank ${rank}, wanted the same text on all ranks of a job on several machines`,
  );
}

function milliseconds(variables: NodeJS.ProcessEnv, name: string, otherwise: number): number {
  const seconds = Number(variables[name] ?? otherwise);
  if (seconds >= 1 && seconds <= 86_400) return Math.round(seconds * 1000);
  throw new UserError(`${name}: ${variables[name]}, wanted seconds from 1 to 86400`, 'ERR_SETTING');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/** The address of this machine for its peers: MSTAR_ADDRESS, else what its name stands for. */
function ownAddress({ MSTAR_ADDRESS }: NodeJS.ProcessEnv): string {
  return MSTAR_ADDRESS ?? os.hostname();
}
