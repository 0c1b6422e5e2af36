// Where this process stands in a job of several: read from the variables that launchers set. One process is a rank.
import { UserError } from '../core/errors.js';

/** The place of one process among those of a job. */
export interface Rank {
  readonly rank: number;
  /** Ranks in all. */
  readonly size: number;
  /** Among the ranks of this machine: the GPU it takes. */
  readonly localRank: number;
  /** Where rank 0 can be reached. */
  readonly host: string;
  readonly port: number;
  /** The launcher holds the store at `host:port`, as torchrun's agent does. */
  readonly storeIsElsewhere: boolean;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** What a launcher calls each of the values; `host` and `port` are read already. */
interface Named {
  readonly rank: string;
  readonly size: string;
  readonly localRank: string;
  readonly host: string;
  readonly port: number;
}

/**
 * The rank that the environment names, or undefined where no launcher started this process. Understood, in this order:
 * torchrun and our own supervisor (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT); Slurm's srun (SLURM_PROCID,
 * SLURM_NTASKS, SLURM_LOCALID, and the first host of SLURM_STEP_NODELIST where MASTER_ADDR is not set); an indexed
 * Kubernetes job (JOB_COMPLETION_INDEX beside WORLD_SIZE and MASTER_ADDR).
 * Throws UserError naming the variable that is missing or makes no sense.
 */
export function rankFrom(variables: Variables): Rank | undefined {
  const named = namesIn(variables);
  if (!named) return undefined;
  const size = whole(variables, named.size, 1, 65536);
  return {
    rank: whole(variables, named.rank, 0, size - 1),
    size,
    localRank: variables[named.localRank] === undefined ? 0 : whole(variables, named.localRank, 0, size - 1),
    host: named.host,
    port: named.port,
    storeIsElsewhere: variables.TORCHELASTIC_USE_AGENT_STORE === 'True',
  };
}

function namesIn(variables: Variables): Named | undefined {
  const port = (otherwise: () => number) =>
    variables.MASTER_PORT === undefined ? otherwise() : whole(variables, 'MASTER_PORT', 1, 65535);
  if (variables.RANK !== undefined) {
    const host = required(variables, 'MASTER_ADDR');
    return { rank: 'RANK', size: 'WORLD_SIZE', localRank: 'LOCAL_RANK', host, port: port(() => 29500) };
  }
  // A shell inside an allocation has SLURM_PROCID too: only a step of several tasks is a job of ranks.
  if (variables.SLURM_PROCID !== undefined && Number(variables.SLURM_NTASKS ?? 1) > 1) {
    const nodes = variables.SLURM_STEP_NODELIST ?? variables.SLURM_JOB_NODELIST;
    const host = variables.MASTER_ADDR ?? hosts(nodes ?? required(variables, 'SLURM_STEP_NODELIST'))[0]!;
    // All steps of one job agree on this port, and two jobs on one machine rarely share it.
    const own = () => 20000 + (whole(variables, 'SLURM_JOB_ID', 0, Number.MAX_SAFE_INTEGER) % 20000);
    return { rank: 'SLURM_PROCID', size: 'SLURM_NTASKS', localRank: 'SLURM_LOCALID', host, port: port(own) };
  }
  if (variables.JOB_COMPLETION_INDEX !== undefined && Number(variables.WORLD_SIZE ?? 1) > 1) {
    const host = required(variables, 'MASTER_ADDR');
    return { rank: 'JOB_COMPLETION_INDEX', size: 'WORLD_SIZE', localRank: 'LOCAL_RANK', host, port: port(() => 29500) };
  }
  return undefined;
}

function required(variables: Variables, name: string): string {
  const value = variables[name];
  if (value) return value;
  throw new UserError(`${name}: not set, though a launcher has set other variables of a job of several processes`);
}

function whole(variables: Variables, name: string, least: number, most: number): number {
  const value = required(variables, name);
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= least && number <= most) return number;
  throw new UserError(`${name}: a whole number from ${least} to ${most} is wanted, not ${JSON.stringify(value)}`);
}

/**
 * The hosts of a Slurm host list in order: `n[01-03,7]x,gpu-a` is n01x, n02x, n03x, n7x, gpu-a. Several brackets in one
 * name multiply. Throws UserError for a list that leaves a bracket open or counts downwards.
 */
export function hosts(list: string): string[] {
  const names = list.match(/(?:[^,[\]]|\[[^[\]]*\])+/g) ?? [];
  if (names.length === 0 || names.join(',') !== list) throw unreadable(list);
  return names.flatMap((name) => expanded(name, list));
}

function expanded(name: string, list: string): string[] {
  const [, before, ranges, after] = /^([^[]*)\[([^\]]*)\](.*)$/.exec(name) ?? [];
  if (ranges === undefined) return [name];
  return ranges
    .split(',')
    .flatMap((range) => numbers(range, list))
    .flatMap((number) => expanded(after!, list).map((rest) => `${before}${number}${rest}`));
}

function numbers(range: string, list: string): string[] {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
  if (first === undefined || Number(last) < Number(first)) throw unreadable(list);
  const count = Number(last) - Number(first) + 1;
  return Array.from({ length: count }, (_, i) => String(Number(first) + i).padStart(first.length, '0'));
}

function unreadable(list: string): UserError {
  return new UserError(
    `${JSON.stringify(list)} is no list of hosts such as n[01-03,7]: set MASTER_ADDR to rank 0's host`,
  );
}
