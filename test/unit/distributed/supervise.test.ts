import { describe, expect, it } from 'vitest';
import { supervise } from '../../../src/distributed/supervise.js';

/** Runs `script` as every rank; R in it is the rank. */
async function run(ranks: number, script: string, grace = 300) {
  const lines: string[] = [];
  const code = await supervise({
    ranks,
    command: [process.execPath, '-e', `const R = Number(process.env.RANK); ${script}`],
    environment: process.env,
    grace,
    say: (line) => lines.push(line),
  });
  return { code, lines };
}

describe('the supervisor of one machine', () => {
  it('ends with 0 when every rank does, and marks the lines of ranks other than 0', async () => {
    const { code, lines } = await run(3, `if (R) console.log('hello from', R, 'of', process.env.WORLD_SIZE)`);
    expect(code).toBe(0);
    expect(lines.sort()).toEqual(['[rank 1] hello from 1 of 3', '[rank 2] hello from 2 of 3']);
  });

  it('gives all ranks one address, and rank 0 a socket that already listens at it', async () => {
    const { code } = await run(
      2,
      `const net = require('node:net');
       if (R === 0) net.createServer((s) => s.end('rank 0', () => process.exit(0))).listen({ fd: Number(process.env.MSTAR_STORE_FD) });
       else net.connect(Number(process.env.MASTER_PORT), '127.0.0.1').on('data', (d) => process.exit(String(d) === 'rank 0' ? 0 : 9));`,
      10_000,
    );
    expect(code).toBe(0);
  });

  it('kills ranks that do not leave when one has failed, and reports the one that failed', async () => {
    const { code } = await run(3, `if (R === 2) process.exit(3); setTimeout(() => {}, 600000)`);
    expect(code).toBe(3);
  });

  it('takes the code of the rank that failed by itself over the 75 of those that left because of it', async () => {
    const { code } = await run(3, `setTimeout(() => process.exit(R === 1 ? 4 : 75), R === 1 ? 200 : 0)`, 10_000);
    expect(code).toBe(4);
  });

  it('names a rank that a signal ended, and says 75: start it again', async () => {
    const { code, lines } = await run(
      2,
      `if (R === 1) process.kill(process.pid, 'SIGKILL'); else process.exit(75)`,
      10_000,
    );
    expect(code).toBe(75);
    expect(lines).toEqual([
      expect.stringMatching(/^error: rank 1 \(process \d+ on \S+\) was ended by SIGKILL.*the same command goes on/),
    ]);
  });

  it('waits for no other rank once one was ended by a signal, as nothing is to come from the others', async () => {
    const { code, lines } = await run(
      3,
      `if (R === 2) process.kill(process.pid, 'SIGKILL'); else setTimeout(() => {}, 600000)`,
      600_000,
    );
    expect(code).toBe(75);
    expect(lines).toHaveLength(1);
  });

  it('kills a stopped rank too', async () => {
    const { code } = await run(2, `if (R === 1) process.kill(process.pid, 'SIGSTOP'); else process.exit(75)`);
    expect(code).toBe(75);
  });
});
