// The line of counters at the end of a job.
import { expect, test } from 'vitest';
import { Computed } from '../../../src/commands/computed.js';

const call = {
  visionEncodes: 2,
  prefillTokens: 1200,
  decodeTokens: 64,
  cachedPrompts: 0,
  recomputedTokens: 0,
  kvBytes: 3 * 2 ** 20,
  seconds: 1,
};

test('calls are added up, the most memory is kept', () => {
  const computed = new Computed();
  computed.add(call);
  computed.add({
    ...call,
    visionEncodes: 0,
    prefillTokens: 10,
    cachedPrompts: 4,
    recomputedTokens: 7,
    kvBytes: 2 ** 20,
  });
  expect(computed.line()).toEqual([
    'computed: 2 pictures encoded, 1,210 tokens prefilled, 128 decoded, 4 prompts kept from earlier calls, 7 tokens computed again for want of memory, keys and values at most 3 MiB',
  ]);
});

test('a job that sampled nothing says nothing', () => {
  expect(new Computed().line()).toEqual([]);
});
