import { describe, expect, test } from 'vitest';
import type { Policy, RolloutRequest } from '../../../src/core/ports.js';
import type { Problem } from '../../../src/core/types.js';
import { countCompletions, labelPairs } from '../../../src/label/label.js';
import { rate } from '../../../src/rollout/generate.js';
import { decode, respond } from '../../fakes/chains.js';

const problem: Problem = {
  id: 'q',
  question: '?',
  images: [],
  answer: '5',
  questionType: 'free_form',
  answerType: 'integer',
  choices: [],
  source: 's',
};
const plan = { n: 4, sampling: { temperature: 1, topK: 0, topP: 1, maxTokens: 100 }, seed: 1, purpose: 'label' };
const watch = { signal: new AbortController().signal, meter: { expect() {}, advance() {}, skip() {} } };

/** Completes to the right answer in 3 of 4 samples from the first step, in 1 of 4 from later ones. */
function policy(): { policy: Policy; requests: RolloutRequest[] } {
  const seen: RolloutRequest[] = [];
  const rollout = async (requests: readonly RolloutRequest[]) => {
    seen.push(...requests);
    const responses = requests.map(({ prefix, n }) => {
      const right = decode(prefix as Int32Array).split('\n').length === 2 ? 3 : 1;
      return Array.from({ length: n }, (_, i) =>
        respond(i < right ? 'The answer is 5.' : 'The answer is 6.', 100, 0.5),
      );
    });
    return {
      responses,
      stats: {
        visionEncodes: 0,
        prefillTokens: 0,
        decodeTokens: 0,
        cachedPrompts: 0,
        recomputedTokens: 0,
        kvBytes: 0,
        seconds: 0,
      },
    };
  };
  return { policy: { rollout } as unknown as Policy, requests: seen };
}

describe('Monte-Carlo labels', () => {
  const text = '2 + 3 = 5.\nso it is 5.\nThe answer is 5.';

  test('are the right share of completions from each step end, and the grade for the end of a finished response', async () => {
    const { policy: fake, requests } = policy();
    const pair = { problem, sample: 7, rated: rate(problem, respond(text, 100, 0.5), '\n') };
    expect(await labelPairs(fake, [pair], plan, watch)).toEqual([{ labels: [0.75, 0.25, 1], tokens: 2 * 4 * 17 }]);
    expect(requests.map(({ prefix, key, n }) => [decode(prefix as Int32Array), key, n])).toEqual([
      ['2 + 3 = 5.\n', 'label/q/7/0', 4],
      ['2 + 3 = 5.\nso it is 5.\n', 'label/q/7/1', 4],
    ]);
    expect(countCompletions(pair, 4)).toBe(8);
  });

  test('of a response that was cut off are sampled from its end too', async () => {
    const { policy: fake } = policy();
    const pair = { problem, sample: 0, rated: rate(problem, respond(text, 15, 0.5), '\n') };
    expect((await labelPairs(fake, [pair], plan, watch))[0]?.labels).toEqual([0.75, 0.75]);
  });
});
