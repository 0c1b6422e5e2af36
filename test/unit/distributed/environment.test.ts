import { describe, expect, it } from 'vitest';
import { hosts, rankFrom } from '../../../src/distributed/environment.js';

const torchrun = { RANK: '5', WORLD_SIZE: '16', LOCAL_RANK: '1', MASTER_ADDR: 'node-a', MASTER_PORT: '29400' };
const slurm = {
  SLURM_PROCID: '3',
  SLURM_NTASKS: '8',
  SLURM_LOCALID: '3',
  SLURM_JOB_ID: '4123456',
  SLURM_STEP_NODELIST: 'n[01-03,7]',
};

describe('the rank of a process', () => {
  it('is none where no launcher started it', () => {
    expect(rankFrom({ PATH: '/bin' })).toBeUndefined();
  });

  it('is what torchrun says, and the store is its agent’s where the agent holds one', () => {
    const rank = { rank: 5, size: 16, localRank: 1, host: 'node-a', port: 29400 };
    expect(rankFrom(torchrun)).toEqual({ ...rank, storeIsElsewhere: false });
    expect(rankFrom({ ...torchrun, TORCHELASTIC_USE_AGENT_STORE: 'True' })).toEqual({
      ...rank,
      storeIsElsewhere: true,
    });
  });

  it('is what srun says, rank 0 on the first host of the list and the port made from the job', () => {
    expect(rankFrom(slurm)).toMatchObject({ rank: 3, size: 8, localRank: 3, host: 'n01', port: 23456 });
  });

  it('is none in the shell of an allocation, which is one task', () => {
    expect(rankFrom({ ...slurm, SLURM_PROCID: '0', SLURM_NTASKS: '1' })).toBeUndefined();
  });

  it('is the index of an indexed Kubernetes job', () => {
    const variables = { JOB_COMPLETION_INDEX: '2', WORLD_SIZE: '4', MASTER_ADDR: 'job-0.job' };
    expect(rankFrom(variables)).toMatchObject({ rank: 2, size: 4, localRank: 0, host: 'job-0.job', port: 29500 });
  });

  it.each([
    [{ ...torchrun, MASTER_ADDR: undefined }, 'MASTER_ADDR'],
    [{ ...torchrun, RANK: '16' }, 'RANK: a whole number from 0 to 15'],
    [{ ...torchrun, WORLD_SIZE: 'two' }, 'WORLD_SIZE: a whole number'],
    [{ ...torchrun, MASTER_PORT: '0' }, 'MASTER_PORT'],
    [{ ...slurm, SLURM_JOB_ID: undefined }, 'SLURM_JOB_ID'],
    [{ ...slurm, SLURM_STEP_NODELIST: 'n[01-' }, 'list of hosts'],
  ])('is refused with the variable that is at fault: %o', (variables, message) => {
    expect(() => rankFrom(variables)).toThrow(message);
  });
});

describe('a host list of Slurm', () => {
  it.each([
    ['n1', ['n1']],
    ['n[01-03,7]', ['n01', 'n02', 'n03', 'n7']],
    ['a[9-11],b', ['a9', 'a10', 'a11', 'b']],
    ['r[1-2]n[1-2]-ib', ['r1n1-ib', 'r1n2-ib', 'r2n1-ib', 'r2n2-ib']],
    ['gpu-a.cluster,gpu-b.cluster', ['gpu-a.cluster', 'gpu-b.cluster']],
  ])('%s is read', (list, expected) => {
    expect(hosts(list)).toEqual(expected);
  });

  it.each(['', 'n[', 'n[3-1]', 'n[a-b]', 'n]1[', 'a,,b', 'n[1,]'])('%o is refused', (list) => {
    expect(() => hosts(list)).toThrow('list of hosts');
  });
});
