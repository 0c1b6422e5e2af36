// The queue of chunks over many ranks in a clock of its own: what an iteration loses while some ranks have nothing to do.
// The spread policy and the units of a phase are the program's own; how long a chunk takes is drawn.
import { describe, expect, it } from 'vitest';
import { callsAtOnce, type Policy, type RolloutResult } from '../../../src/core/ports.js';
import type { RankClient } from '../../../src/distributed/control.js';
import { spreadHost } from '../../../src/distributed/host.js';
import type { HostOptions, NativeHost } from '../../../src/engine/host.js';
import type { Run } from '../../../src/run/folder.js';
import { Phase } from '../../../src/run/phase.js';

/** Seconds that pass when all that runs waits for them. */
class Clock {
  now = 0;
  readonly #sleepers: { readonly at: number; wake(): void }[] = [];

  sleep(seconds: number): Promise<void> {
    return new Promise((wake) => {
      this.#sleepers.push({ at: this.now + seconds, wake });
    });
  }

  async run<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    for (;;) {
      await new Promise((resume) => setImmediate(resume));
      if (isDone) return done;
      this.#sleepers.sort((a, b) => a.at - b.at);
      const next = this.#sleepers.shift();
      if (!next) throw new Error('all wait, and nobody for the clock');
      this.now = next.at;
      next.wake();
    }
  }
}

/** A phase that keeps its units nowhere. */
class UnkeptPhase extends Phase {
  override async unit<T>(_: string, make: () => Promise<T>) {
    return { value: await make(), found: false };
  }
}

/**
 * Samples chunks of drawn lengths.
 * @param pace seconds that each rank takes for a second of work
 * @returns the share of the ranks' time in which they had no work, each at its pace
 */
async function lost(pace: readonly number[], chunks: number): Promise<number> {
  const clock = new Clock();
  // Log-normal, as lengths of responses are: deviation 0.4 of the mean.
  const seconds = Array.from({ length: chunks }, (_, i) => Math.exp(0.385 * normal(i)));
  let work = 0;
  const rollout = async (rank: number, [request]: readonly { readonly n: number }[]): Promise<RolloutResult> => {
    const own = seconds[(request as { n: number }).n] as number;
    work += own;
    await clock.sleep(own * (pace[rank] as number));
    return { responses: [], stats: {} } as unknown as RolloutResult;
  };
  const others = pace.slice(1).map(
    (_, i): RankClient => ({
      name: `rank ${i + 1}`,
      call: async ({ verb, args }) => (verb === 'rollout' ? rollout(i + 1, args[1] as { n: number }[]) : undefined),
      close() {},
    }),
  );
  const local = { rollout: (requests: { n: number }[]) => rollout(0, requests) };
  const host = await spreadHost(
    { openPolicy: async () => local } as unknown as NativeHost,
    {} as HostOptions,
    { others } as unknown as Parameters<typeof spreadHost>[2],
  );
  const policy: Policy = await host.openPolicy('');
  const phase = new UnkeptPhase({ dir: '', signal: new AbortController().signal } as Run, 'iteration', '');
  const numbers = [...seconds.keys()];
  const sample = async () => {
    const cut = { name: 'rollout', size: 1, atOnce: callsAtOnce(policy) };
    let next = 0;
    for await (const { items } of phase.units(numbers, cut, ([n]) => policy.rollout([{ n }] as never, {} as never, 0)))
      expect(items).toEqual([next++]);
    expect(next).toBe(chunks);
  };
  await clock.run(sample());
  // What all ranks together would do in the time.
  return 1 - work / (clock.now * pace.reduce((sum, one) => sum + 1 / one, 0));
}

/** A number of the normal distribution that belongs to `i`. */
function normal(i: number): number {
  const uniform = (salt: number): number => {
    const x = Math.sin(i * 12.9898 + salt * 78.233) * 43758.5453;
    return Math.min(1 - 1e-9, Math.max(1e-9, x - Math.floor(x)));
  };
  return Math.sqrt(-2 * Math.log(uniform(1))) * Math.cos(2 * Math.PI * uniform(2));
}

describe('an iteration of 45,000 problems', () => {
  const equal = (ranks: number): number[] => Array(ranks).fill(1);
  it.each([
    { ranks: '8 ranks', chunk: 64, pace: equal(8) },
    { ranks: '8 ranks, one at half the pace', chunk: 64, pace: [...equal(7), 2] },
    { ranks: '8 ranks, the first at a quarter of the pace', chunk: 64, pace: [4, ...equal(7)] },
    { ranks: '64 ranks', chunk: 16, pace: equal(64) },
    { ranks: '64 ranks, one at half the pace', chunk: 16, pace: [...equal(63), 2] },
  ])('over $ranks in chunks of $chunk loses less than 5 % of their time', async ({ chunk, pace }) => {
    expect(await lost(pace, Math.ceil(45_000 / chunk))).toBeLessThan(0.05);
  });

  it('loses more where a rank gets a dozen chunks, which is why docs/several-processes.md asks for smaller ones', async () => {
    expect(await lost(equal(64), Math.ceil(45_000 / 64))).toBeGreaterThan(0.1);
  });
});
