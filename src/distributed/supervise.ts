// Starts the ranks of one machine and outlives them: their output, their signals, their end. Opens no model and no
// addon, so that nothing that brings a rank down can bring this process down with it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { constants, hostname } from 'node:os';
import { createInterface } from 'node:readline';
import { ENDING, TEMPORARY_FAILURE } from '../core/signals.js';

export interface Supervised {
  /** Ranks to start. */
  readonly ranks: number;
  /** Program and its arguments, the same for every rank. */
  readonly command: readonly [string, ...string[]];
  readonly environment: NodeJS.ProcessEnv;
  /** Milliseconds that the other ranks have to leave by themselves once one has failed. Default 5000. */
  readonly grace?: number;
  /** Where lines of ranks other than 0, and what happened to one, are written. Default: standard error. */
  readonly say?: (line: string) => void;
  /** Called with a line, and waited for, where rank 0 could not go on because a rank was lost, itself or another one. */
  readonly onLost?: (line: string) => Promise<void>;
}

/**
 * Runs the ranks to their end; resolves to the exit code of the job. Rank 0 has this process's own input and output; a
 * line of another rank is written behind `[rank N]`. A signal that asks for the end goes
 * to rank 0 alone, which ends the others at a point where nothing is lost. When a rank fails, the others are killed; where
 * it says 75, which is how ranks leave because of another one, they are given `grace` before. The first that failed by
 * itself or was ended by a signal names the job's code.
 */
export async function supervise(given: Supervised): Promise<number> {
  const { ranks, command, environment, grace = 5000, say = toStandardError, onLost } = given;
  // Rank 0 takes over this socket, so that no other program can take the port between its choice and its use.
  const store = net.createServer();
  store.listen(0, '127.0.0.1');
  await once(store, 'listening');
  const { port } = store.address() as net.AddressInfo;
  // Before there are ranks: a signal is heard once all of them are started, and goes to rank 0 then.
  let asked: NodeJS.Signals | undefined;
  const forward = (signal: NodeJS.Signals): void => {
    asked ??= signal;
    children[0]?.kill(signal);
  };
  const forwarded = ENDING.filter((signal) => constants.signals[signal] !== undefined);
  for (const signal of forwarded) process.on(signal, forward);
  const [program, ...args] = command;
  const children = Array.from({ length: ranks }, (_, rank) => {
    const env = {
      ...environment,
      RANK: String(rank),
      LOCAL_RANK: String(rank),
      WORLD_SIZE: String(ranks),
      MASTER_ADDR: '127.0.0.1',
      MASTER_PORT: String(port),
      MSTAR_PARENT: String(process.pid),
      ...(rank === 0 ? { MSTAR_STORE_FD: '3' } : {}),
    };
    // Each has a process group of its own: what a terminal sends to a group reaches the ranks through this process alone.
    const detached = true;
    if (rank === 0)
      return spawn(program, args, { env, detached, stdio: ['inherit', 'inherit', 'inherit', descriptorOf(store)] });
    const child = spawn(program, args, { env, detached, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const output of [child.stdout, child.stderr])
      createInterface({ input: output }).on('line', (line) => say(`[rank ${rank}] ${line}`));
    return child;
  });
  store.close();
  let isOrderly = true;
  const failures: { name: string; code: number | null; signal: NodeJS.Signals | null }[] = [];
  let killer: NodeJS.Timeout | undefined;
  let killed = false;
  await Promise.all(
    children.map(async (child, rank) => {
      const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
      if (rank === 0) isOrderly = signal === null && code !== TEMPORARY_FAILURE;
      if (code === 0 || killed) return;
      failures.push({ name: `rank ${rank} (process ${child.pid} on ${hostname()})`, code, signal });
      const wait = code === TEMPORARY_FAILURE ? grace : 0;
      killer ??= setTimeout(() => {
        killed = true;
        for (const other of children) if (runs(other)) other.kill('SIGKILL');
      }, wait);
    }),
  );
  clearTimeout(killer);
  for (const signal of forwarded) process.off(signal, forward);
  const cause = failures.find(({ code }) => code !== TEMPORARY_FAILURE) ?? failures[0];
  if (asked !== undefined && cause?.signal === asked) return 128 + constants.signals[asked];
  const goesOn = 'the job has ended, and the same command goes on with it';
  const hint = cause?.signal === 'SIGKILL' ? ', as by a system out of memory' : '';
  const ended = cause && `${cause.name} ${cause.signal ? `was ended by ${cause.signal}${hint}` : 'failed'}; ${goesOn}`;
  if (cause?.signal) say(`error: ${ended}`);
  if (ended && !isOrderly && asked === undefined) await onLost?.(ended);
  return cause ? (cause.code ?? TEMPORARY_FAILURE) : 0;
}

/** Node shares a listening socket by its descriptor, which only its inner handle knows. */
function descriptorOf(server: net.Server): number {
  return (server as unknown as { _handle: { fd: number } })._handle.fd;
}

function runs(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function toStandardError(line: string): void {
  process.stderr.write(`${line}\n`);
}
