// Joins the ranks of a job: the group that carries tensors, the watch that ends the job when a rank is lost, and the
// connections over which rank 0 asks the others.
import { createHash } from 'node:crypto';
import os from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { EngineError, UserError } from '../core/errors.js';
import { isLoopback } from '../core/loopback.js';
import { ENDING } from '../core/signals.js';
import { addon, type NativeGroup } from '../engine/binding.js';
import { guarded } from '../engine/native.js';
import { connectRank, type RankClient, type Trust } from './control.js';
import type { Rank } from './environment.js';
import { follow } from './follow.js';
import type { Ranks } from './host.js';

const BEAT = 1000;

/**
 * Joins the job. On rank 0 resolves to the ranks; on another it serves rank 0 until the job ends and resolves to
 * undefined. Throws UserError where ranks on several machines share no secret, EngineError where one does not come.
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
      // torchrun starts ranks again over the store of the attempt before.
      job: `mstar/${variables.TORCHELASTIC_RUN_ID ?? ''}/${variables.TORCHELASTIC_RESTART_COUNT ?? 0}`,
      proof: createHash('sha256').update(trust.secret).digest('hex'),
      listenFd: Number(variables.MSTAR_STORE_FD ?? -1),
    }),
  ).catch(({ message }: EngineError) => {
    throw message.startsWith('MSTAR_SECRET:') ? new UserError(message) : new EngineError('ERR_RANK', message);
  });
  clearTimeout(waiting);
  group.watch({ beat: BEAT, silence: limits.silence, stall: limits.stall });
  setInterval(() => group.tick(), BEAT).unref();
  const name = `rank ${rank.rank} (process ${process.pid} on ${os.hostname()})`;
  process.on('uncaughtException', ({ message }) => group.fail(`${name}: ${message}`));
  if (rank.rank > 0) {
    // Rank 0 decides when the job stops; schedulers signal all ranks.
    for (const signal of ENDING) if (os.constants.signals[signal] !== undefined) process.on(signal, () => {});
    await follow(group, { rank: rank.rank, name, address }, trust);
    await group.leave();
    return undefined;
  }
  const told = await Promise.all(Array.from({ length: rank.size - 1 }, (_, i) => group.get(`rank/${i + 1}`)));
  const others = told.map((text) => {
    const other = JSON.parse(text) as { readonly name: string; readonly at: string };
    return vital(group, connectRank(other.name, other.at, trust));
  });
  return { group, name, others };
}

/** Calls whose failure ends the job, unless the user's input is at fault: what else a rank cannot do nobody can do for it. */
function vital(group: NativeGroup, client: RankClient): RankClient {
  return {
    ...client,
    call: (call, hooks) =>
      client.call(call, hooks).catch(async (error: unknown) => {
        if (isOrderly(error)) throw error;
        return fail({ group, name: client.name }, error as Error);
      }),
  };
}

let tellFailure: (line: string) => Promise<void> = async () => {};

/** Has `listener` told, and waited for, before a failure ends all ranks. */
export function onFailure(listener: typeof tellFailure): void {
  tellFailure = listener;
}

/** Ends all ranks because the one of this name cannot go on; does not come back. */
export async function fail({ group, name }: Pick<Ranks, 'group' | 'name'>, error: Error): Promise<never> {
  const isLost = (error as { code?: unknown }).code === 'ERR_RANK';
  // Who has started the rank, or watches it, knows better how it ended, says it, and ends this process meanwhile.
  const line = isLost ? error.message : `${name}: ${error.message}`;
  await Promise.all([tellFailure(line), isLost && pause(2 * BEAT)]);
  return group.fail(line);
}

/** Whether a job ends with this as a job of one process does. Where an engine failed, its ranks may be in any state. */
export function isOrderly(error: unknown): boolean {
  return !(error instanceof EngineError) && (error as { code?: unknown }).code !== 'ERR_MEMORY';
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

/** The address of this machine for its peers: MSTAR_ADDRESS, else what its name stands for. */
function ownAddress({ MSTAR_ADDRESS }: NodeJS.ProcessEnv): string {
  return MSTAR_ADDRESS ?? os.hostname();
}
