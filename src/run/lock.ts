// One process owns a run folder. A claim file names its process by id and start time, so that it dies with the process.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { listNames } from './durable.js';

const CLAIM = /^lock-(.+)-(\d+)-(\w+)$/;

/** Ownership of a folder until `release`, or until this process ends. */
export interface Lock {
  release(): Promise<void>;
}

/**
 * Claims a folder that exists. The claim is written first and the others are looked at after, so of two processes that
 * start at once at most one stays; claims of processes that are gone are removed.
 * @param what messages call the folder
 * @throws UserError naming the process that owns it
 */
export async function lockFolder(dir: string, what = 'run folder'): Promise<Lock> {
  const own = `lock-${hostOfThis()}-${process.pid}-${startTime(process.pid) ?? '0'}`;
  const claim = join(dir, own);
  const handle = await open(claim, 'wx').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST')
      throw new UserError(`${dir}: ${what}: in use by this process already, wanted a free folder`, 'ERR_RUN');
    throw error;
  });
  await handle.close();
  try {
    for (const { name, host, pid, lives } of await claimsOf(dir)) {
      if (name === own) continue;
      if (lives === undefined) {
        const hint = `if it is gone, delete ${join(dir, name)}`;
        throw new UserError(
          `${dir}: ${what}: in use by process ${pid} on ${host}, wanted a free folder (${hint})`,
          'ERR_RUN',
        );
      }
      if (lives) {
        throw new UserError(`${dir}: ${what}: in use by process ${pid}, wanted a free folder`, 'ERR_RUN');
      }
      await rm(join(dir, name), { force: true });
    }
  } catch (error) {
    await rm(claim, { force: true });
    throw error;
  }
  return { release: () => rm(claim, { force: true }) };
}

/** A process that has claimed a folder. */
export interface Owner {
  readonly host: string;
  readonly pid: string;
  /** Undefined of a process of another machine, which cannot be looked at from here. */
  readonly lives: boolean | undefined;
}

/** Who has claimed a folder, those that are gone included. Only looks. */
export async function ownersOf(dir: string): Promise<Owner[]> {
  return (await claimsOf(dir)).map(({ host, pid, lives }) => ({ host, pid, lives }));
}

async function claimsOf(dir: string): Promise<(Owner & { readonly name: string })[]> {
  return (await listNames(dir)).flatMap((name) => {
    const [, host, pid, start] = CLAIM.exec(name) ?? [];
    if (host === undefined || pid === undefined) return [];
    return [{ name, host, pid, lives: host === hostOfThis() ? startTime(Number(pid)) === start : undefined }];
  });
}

function hostOfThis(): string {
  return hostname().replace(/[^\w.]/g, '_');
}

/** Tells a lock claim from other files of a run folder. */
export function isClaim(name: string): boolean {
  return CLAIM.test(name);
}

/** When a process started, in a form that only compares; undefined where it does not run. Ids are reused, this is not. */
function startTime(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      // A zombie still has an id but holds nothing any more.
      return fields[0] === 'Z' ? undefined : fields[19];
    } catch {
      return undefined;
    }
  }
  try {
    const started = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' });
    return started.replace(/\W/g, '') || undefined;
  } catch {
    return undefined;
  }
}
