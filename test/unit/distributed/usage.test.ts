import { expect, it } from 'vitest';
import type { RolloutStats } from '../../../src/core/types.js';
import type { RankClient } from '../../../src/distributed/control.js';
import type { Ranks } from '../../../src/distributed/host.js';
import { RanksUsage, type Usage } from '../../../src/distributed/usage.js';

const answers: Usage[] = [
  { tokens: 3000, busySeconds: 5, residentBytes: 2 ** 30, gpuFreeBytes: 3 * 2 ** 30 },
  // A moment in which a rank is in an exchange that has not ended yet.
  { tokens: 0, busySeconds: -1, residentBytes: 2 ** 29 },
];

function usageOf() {
  const clock = { seconds: 100 };
  const others = answers.map(
    (answer, i): RankClient => ({ name: `rank ${i + 1} (there)`, call: async () => answer, close() {} }),
  );
  const group = { usage: () => ({ busySeconds: 9 }) };
  const usage = new RanksUsage({ group, name: 'rank 0 (here)', others } as unknown as Ranks, () => clock.seconds);
  return { usage, clock };
}

it('what ranks do is told by rank: tokens by the second, the share of waiting, memory', async () => {
  const { usage, clock } = usageOf();
  usage.own.add({ decodeTokens: 400 } as RolloutStats);
  usage.own.add({ decodeTokens: 600 } as RolloutStats);
  clock.seconds = 110;
  await usage.ask();
  const [own, first, second] = usage.lines();
  expect(own).toMatch(
    /^rank 0 \(here\): 1,000 tokens decoded \(100\/s\), 10 % of the time waiting, \d+\.\d\d GiB resident$/,
  );
  expect(first).toBe(
    'rank 1 (there): 3,000 tokens decoded (300/s), 50 % of the time waiting, 1.00 GiB resident, 3.0 GiB free on its GPU',
  );
  expect(second).toContain('rank 2 (there): 0 tokens decoded (0/s), 100 % of the time waiting, 0.50 GiB');
});

it('a line of progress has the least and the most of all ranks, and nothing before they were asked', async () => {
  const { usage, clock } = usageOf();
  expect(usage.note()).toBeUndefined();
  clock.seconds = 110;
  await usage.ask();
  expect(usage.note()).toMatch(/^3 ranks: 0 to 300 tokens\/s, 10 to 100 % waiting, \d\.\d to \d\.\d GiB$/);
});
