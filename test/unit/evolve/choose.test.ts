import { describe, expect, test } from 'vitest';
import { resolveConfig } from '../../../src/config/load.js';
import type { Finish, Problem, Verdict } from '../../../src/core/types.js';
import type { Splits } from '../../../src/data/splits.js';
import { Choice, needsReward, selectionRule } from '../../../src/evolve/choose.js';
import { answerExamples } from '../../../src/evolve/iteration.js';
import type { RatedResponse, Rollout } from '../../../src/record/rollout.js';

function problem(id: string): Problem {
  return {
    id,
    question: '?',
    images: [],
    answer: '5',
    questionType: 'free_form',
    answerType: 'integer',
    choices: [],
    source: 's',
  };
}

let tokens = 0;
function rated(
  text: string,
  verdict: Verdict,
  reward?: number,
  finish: Finish = 'stop',
  right?: boolean[],
): RatedResponse {
  const response = {
    tokens: Int32Array.of(++tokens),
    logprobs: Float32Array.of(0),
    text,
    ends: Uint32Array.of(text.length),
    finish,
  };
  return { response, grade: { verdict, extracted: null, normalised: null, reason: '' }, steps: [], reward, right };
}

const rollouts = (): Rollout[] => [
  {
    problem: problem('a'),
    responses: [
      rated('one', 'correct', 0.2, 'stop', [true]),
      rated('wrong', 'wrong', 0.9),
      rated('two', 'correct', 0.8, 'stop', [false, true]),
      rated('cut', 'correct', 0.99, 'length', [true]),
      rated('one', 'correct', 0.2, 'stop', [true]),
      rated('three', 'correct', 0.5, 'stop', [true]),
    ],
  },
  { problem: problem('b'), responses: [rated('none', 'unreadable')] },
  { problem: problem('c'), responses: [], error: 'damaged' },
];

test('answers become responses in the words of the settings, whatever signs they hold', () => {
  const config = resolveConfig({
    model: { path: 'm' },
    data: { generate: { count: 2000 } },
    evolve: { method: 'sft' },
  });
  const labelled = [{ ...problem('a'), answer: '$&' }];
  const encodeResponse = (text: string): Int32Array => Int32Array.from(text, (sign) => sign.charCodeAt(0));
  const [example] = answerExamples({ config, data: { labelled } as unknown as Splits }, { encodeResponse });
  expect(String.fromCharCode(...(example?.response ?? []))).toBe('The answer is $&');
  expect(example).toMatchObject({ variant: 'solve', problem: labelled[0] });
});

test('keeps no more than its limit and a spare in memory, whatever number of responses is right', async () => {
  const response = (id: string): Rollout => ({ problem: problem(id), responses: [rated(id, 'correct')] });
  const chosen = async (limit: number | undefined): Promise<Choice> => {
    const choice = new Choice({ rule: 'all' }, 1, 'warmup', 'keep', undefined, limit);
    for (let i = 0; i < 140_000; i += 1000)
      await choice.add(Array.from({ length: 1000 }, (_, j) => response(String(i + j))));
    return choice;
  };
  const capped = await chosen(1000);
  expect(capped.held).toBeLessThan(1000 + 65_536);
  expect(capped.counts).toMatchObject({ problems: 140_000, selected: 1000 });
  // The kept ones are drawn from all that came, early and late alike.
  const ids = capped.examples.map((example) => Number(example.problem.id));
  expect(ids.filter((id) => id < 70_000).length).toBeGreaterThan(400);
  expect(ids.filter((id) => id >= 70_000).length).toBeGreaterThan(400);
});

describe('choosing', () => {
  test('takes the right, finished, different responses of highest reward and counts what it leaves', async () => {
    const choice = new Choice({ rule: 'top', k: 2 }, 1, 'iter-0001', 'drop');
    const some = rollouts();
    await choice.add(some);
    expect([...choice.selected].map(([id, samples]) => [id, [...samples]])).toEqual([['a', [2, 5]]]);
    const chosen = [2, 5].map((sample) => some[0]?.responses[sample]?.response.tokens);
    expect(choice.examples.map(({ response }) => response)).toEqual(chosen);
    expect(choice.examples.every(({ variant }) => variant === 'solve')).toBe(true);
    expect(choice.counts).toEqual({
      problems: 3,
      failed: 1,
      sampled: 7,
      unreadable: 1,
      cutOff: 1,
      correct: 5,
      distinct: 3,
      selected: 2,
      kept: [2, 0, 1],
      luckyDistinct: 1,
      luckySelected: 1,
      // Two of three right responses, one of them lucky.
      luckyByChance: 2 / 3,
    });
  });

  test('expects of a draw its share of lucky responses below a limit and for a program that chooses too, not of a group', async () => {
    const limited = new Choice({ rule: 'all' }, 1, 'warmup', 'keep', undefined, 2);
    const custom = new Choice({ rule: 'all' }, 1, 'iter-0001', 'drop', (_, responses) =>
      responses.slice(0, 1).map(({ sample }) => sample),
    );
    const grouped = new Choice({ rule: 'group', scale: 'none', prm: 0 }, 1, 'iter-0001', 'drop');
    for (const choice of [limited, custom, grouped]) await choice.add(rollouts());
    // One of the four right responses is lucky, and the limit draws two of them.
    expect(limited.counts).toMatchObject({ selected: 2, luckyByChance: 0.5 });
    // One of three different ones, and one more to another problem, which has no right response.
    expect(custom.counts.luckyByChance).toBeCloseTo(1 / 3, 12);
    expect(grouped.counts).not.toHaveProperty('luckyByChance');
  });

  test('takes responses of the same text each where repeats are kept, and still counts the different ones', async () => {
    const choice = new Choice({ rule: 'all' }, 1, 'iter-0001', 'keep');
    await choice.add(rollouts());
    expect([...(choice.selected.get('a') ?? [])]).toEqual([0, 2, 4, 5]);
    expect(choice.counts).toMatchObject({ correct: 5, distinct: 3, selected: 4 });
  });

  test('caps the examples by the seed, keeping their order', async () => {
    const capped = async (seed: number): Promise<string> => {
      const choice = new Choice({ rule: 'all' }, seed, 'warmup', 'drop', undefined, 4);
      for (const id of 'abcdefghij') await choice.add([{ problem: problem(id), responses: [rated('one', 'correct')] }]);
      expect(choice.counts.selected).toBe(4);
      return choice.examples.map((example) => example.problem.id).join('');
    };
    expect(await capped(1)).toBe(await capped(1));
    expect(await capped(1)).toBe([...(await capped(1))].sort().join(''));
    expect(new Set(await Promise.all([1, 2, 3, 4].map(capped))).size).toBeGreaterThan(1);
  });

  test.each([
    ['top', { rule: 'top', k: 2 }, true],
    ['threshold', { rule: 'threshold', threshold: 'search' }, true],
    ['random', { rule: 'random', k: 2 }, false],
    ['all', { rule: 'all' }, false],
  ] as const)('by %s follows the settings and asks for rewards only where it reads them', (rule, wanted, reads) => {
    const config = resolveConfig({
      model: { path: 'm' },
      data: { generate: { count: 2000 } },
      evolve: { select: { rule } },
    });
    expect(selectionRule(config)).toEqual(wanted);
    expect(needsReward(selectionRule(config))).toBe(reads);
  });
});
