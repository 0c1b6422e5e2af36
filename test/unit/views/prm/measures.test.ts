// The measures of a PRM on problems small enough to be counted by hand.
import { describe, expect, test } from 'vitest';
import { eligible, select } from '../../../../src/evolve/select.js';
import type { HeldOutResponse } from '../../../../src/record/labels.js';
import { calibrationOf, rankingOf, tenthOf, truthOf } from '../../../../src/views/prm/measures.js';
import { type Relevance, RULES, selectionOf, topsOf } from '../../../../src/views/prm/selection.js';
import { asked } from '../../../fakes/analysed.js';

const options = { seed: 1, resamples: 40 };
const right = (reward: number | null) => ({ verdict: 'correct', reward }) as const;
const wrong = (reward: number | null) => ({ verdict: 'wrong', reward }) as const;

describe('ranking', () => {
  // Pairs won: 1 of 2, then 3.5 of 4, then none to compare.
  const problems = [
    asked('a', right(0.6), wrong(0.7), wrong(0.1)),
    asked('b', right(0.9), right(0.5), wrong(0.5), { verdict: 'unreadable', reward: -0.2 }),
    asked('c', right(1.2)),
  ];

  test('counts pairs of the same problem, ties half', () => {
    const ranking = rankingOf(problems, options);
    expect(ranking).toMatchObject({ problems: 3, correct: 4, other: 4, pairs: 6 });
    expect(ranking?.pairAccuracy?.mean).toBeCloseTo(4.5 / 6, 12);
    expect(ranking?.aucWithin?.mean).toBeCloseTo((1 / 2 + 3.5 / 4) / 2, 12);
  });

  test('takes the area over all responses together from every pair of a correct and another one', () => {
    // 0.6, 0.9, 0.5, 1.2 against 0.7, 0.1, 0.5, -0.2: 3 + 4 + 2.5 + 4 of 16.
    expect(rankingOf(problems, options)?.auc?.mean).toBeCloseTo(13.5 / 16, 12);
  });

  test('puts rewards into tenths, those outside into the outer ones', () => {
    const bins = rankingOf(problems, options)?.bins ?? [];
    expect(bins.map(({ correct }) => correct)).toEqual([0, 0, 0, 0, 0, 1, 1, 0, 0, 2]);
    expect(bins.map(({ other }) => other)).toEqual([1, 1, 0, 0, 0, 1, 0, 1, 0, 0]);
    expect([-1, 0, 0.3, 0.7, 0.9999, 1, 2].map(tenthOf)).toEqual([0, 0, 3, 7, 9, 9, 9]);
  });

  test('is nothing where a response with a text has no reward; one without text needs none', () => {
    expect(rankingOf([asked('a', right(0.5), wrong(null))], options)).toBeNull();
    expect(rankingOf([asked('a', right(0.5), { ...wrong(null), text: ' ' })], options)?.correct).toBe(1);
    expect(rankingOf([], options)).toBeNull();
  });

  test('has no share of pairs where there is no pair', () => {
    expect(rankingOf([asked('a', right(0.5), right(0.6))], options)).toMatchObject({
      pairs: 0,
      pairAccuracy: null,
      auc: null,
      aucWithin: null,
      soundAuc: null,
      isGood: null,
    });
  });

  test('tells right chains from lucky ones among the correct, over all problems, and passes the gate with both areas', () => {
    const lucky = (reward: number) => ({ ...right(reward), lucky: true });
    const good = [
      asked('a', right(0.8), lucky(0.6), wrong(0.1)),
      asked('b', right(0.7), lucky(0.65), lucky(0.9), wrong(0.2)),
    ];
    // Of three lucky ones, 0.8 and 0.7 are above two each.
    expect(rankingOf(good, options)?.soundAuc?.mean).toBeCloseTo(4 / 6, 12);
    expect(rankingOf(good, options)?.isGood).toBe(false);
    expect(rankingOf([asked('a', right(0.8), lucky(0.6), wrong(0.1))], options)?.isGood).toBe(true);
    expect(rankingOf([asked('a', { ...right(0.8), lucky: null }, wrong(0.1))], options)?.isGood).toBeNull();
  });

  test('sets right chains and lucky answers apart against the wrong answers to the same problem', () => {
    const lucky = (reward: number) => ({ ...right(reward), lucky: true });
    const sound = (reward: number) => ({ ...right(reward), lucky: false });
    const told = [
      asked('a', sound(0.9), sound(0.3), lucky(0.2), wrong(0.5), wrong(0.1)),
      asked('b', lucky(0.7), wrong(0.6)),
      asked('c', sound(0.5), lucky(0.1)),
    ];
    // Right chains in problem a alone, 3 of 4 pairs; lucky ones 1 of 2 in a and 1 of 1 in b.
    const ranking = rankingOf(told, options);
    expect(ranking?.soundWithin?.mean).toBeCloseTo(3 / 4, 12);
    expect(ranking?.luckyWithin?.mean).toBeCloseTo(3 / 4, 12);
    const unknown = [asked('a', { ...right(0.8), lucky: null }, wrong(0.1))];
    expect(rankingOf(unknown, options)).toMatchObject({ soundWithin: null, luckyWithin: null });
  });
});

describe('the top two against the rest of the correct', () => {
  const steps = (count: number) => Array.from({ length: count }, () => ({ score: 0.5, right: true }));
  const problems = [
    asked(
      'a',
      { reward: 0.2, steps: steps(6), tokens: 60, lucky: true },
      { reward: 0.9, steps: steps(2), tokens: 20 },
      { reward: 0.8, steps: steps(4), tokens: 40, lucky: true },
      // A repeat, a wrong one and one that was cut off take no part.
      { reward: 0.99, steps: steps(9), text: ' text  0 ' },
      { reward: 0.95, verdict: 'wrong' },
      { reward: 0.97, finish: 'length' },
    ),
    asked('b', { reward: 0.5 }, { reward: 0.5 }, { reward: 0.5, tokens: 16 }, { reward: 0.1, tokens: 30 }),
    asked('c', { reward: 0.5 }, { reward: 0.4 }),
  ];

  test('compares means of each problem; problems without a rest are left out, ties go to the lower sample', async () => {
    const tops = await topsOf(problems, options);
    expect(tops).toMatchObject({ problems: 2, top: 4, rest: 3, relevance: null });
    const row = (measure: string) => {
      const found = tops?.rows.find((one) => one.measure === measure);
      return [found?.problems, found?.top.mean, found?.rest.mean, found?.difference.mean];
    };
    expect(row('steps')).toEqual([2, (3 + 2) / 2, (6 + 2) / 2, -1.5]);
    expect(row('tokens')).toEqual([2, (30 + 10) / 2, (60 + 23) / 2, -21.5]);
    expect(row('lucky')).toEqual([2, 0.25, 0.5, -0.25]);
    expect(tops?.rows.map(({ measure }) => measure)).toEqual(['reward', 'steps', 'tokens', 'lucky']);
  });

  test('rates each response of both sides; those whose rating cannot be read do not count', async () => {
    const seen: string[] = [];
    const relevance: Relevance = {
      model: 'm',
      counts: { asked: 7, unreadable: 2 },
      rate: async (question, text) => {
        seen.push(`${question}: ${text}`);
        // Both top responses of b are unreadable, so b has no relevance.
        if (question === 'question b' && (text === 'text 0' || text === 'text 1')) return null;
        return text === 'text 1' ? 5 : 2;
      },
    };
    const tops = await topsOf(problems, options, relevance);
    expect(seen).toHaveLength(7);
    expect(seen).toContain('question a: text 0');
    expect(tops?.relevance).toEqual({ model: 'm', asked: 7, unreadable: 2 });
    const row = tops?.rows.find(({ measure }) => measure === 'relevance');
    expect(row).toMatchObject({ problems: 1, top: { mean: 3.5 }, rest: { mean: 2 }, difference: { mean: 1.5 } });
  });

  test('says nothing of luck where the truth is not known, and is nothing without rewards', async () => {
    const unknown = [asked('a', { lucky: null }, { lucky: null }, { lucky: null })];
    expect((await topsOf(unknown, options))?.rows.map(({ measure }) => measure)).toEqual(['reward', 'steps', 'tokens']);
    expect(await topsOf([asked('a', { reward: null }, { reward: 1 }, { reward: 0 })], options)).toBeNull();
    expect(await topsOf([problems[2] as (typeof problems)[0]], options)).toBeNull();
  });
});

const held = (problem: string, sample: number, steps: HeldOutResponse['steps']): HeldOutResponse => ({
  problem,
  sample,
  verdict: 'wrong',
  steps,
});

describe('calibration', () => {
  const heldOut = [
    held('a', 0, [
      { end: 1, label: 0.5, score: 0.75 },
      { end: 2, label: 1, score: 0.5 },
    ]),
    held('b', 0, [{ end: 1, label: 0, score: -0.5 }]),
    held('a', 1, [{ end: 1, label: 0.5, score: 0.5 }]),
  ];
  const training = [{ label: 0.25 }, { label: 0.75 }, { label: 0.5 }];

  test('is the mean squared error over steps, beside that of the mean label of the training', () => {
    const calibration = calibrationOf(heldOut, training, options);
    expect(calibration).toMatchObject({ problems: 2, responses: 3, steps: 4, trainingMean: 0.5 });
    expect(calibration.mse.mean).toBeCloseTo((0.25 ** 2 + 0.5 ** 2 + 0.5 ** 2) / 4, 12);
    expect(calibration.baselineMse?.mean).toBeCloseTo((0.5 ** 2 + 0.5 ** 2) / 4, 12);
    expect(calibration.gain?.mean).toBeCloseTo((0.5 - 0.5625) / 4, 12);
    // Deviations of the scores: 7/16, 3/16, -13/16, 3/16; of the labels: 0, 1/2, -1/2, 0.
    expect(calibration.correlation?.mean).toBeCloseTo(0.5 / Math.sqrt((236 / 256) * 0.5), 12);
  });

  test('puts steps together by score and by label', () => {
    const { scoreBins, labelBins } = calibrationOf(heldOut, training, options);
    expect(scoreBins.filter(({ steps }) => steps > 0)).toEqual([
      { low: 0, high: 0.1, steps: 1, meanScore: -0.5, meanLabel: 0 },
      { low: 0.5, high: 0.6, steps: 2, meanScore: 0.5, meanLabel: 0.75 },
      { low: 0.7, high: 0.8, steps: 1, meanScore: 0.75, meanLabel: 0.5 },
    ]);
    expect(scoreBins).toHaveLength(10);
    expect(labelBins).toEqual([
      { label: 0, steps: 1, meanScore: -0.5 },
      { label: 0.5, steps: 2, meanScore: 0.625 },
      { label: 1, steps: 1, meanScore: 0.5 },
    ]);
  });

  test('has tenths where there are many labels, and no baseline without labels.jsonl', () => {
    const steps = Array.from({ length: 20 }, (_, i) => ({ end: i + 1, label: i / 20, score: 0 }));
    const { labelBins, baselineMse, gain, correlation } = calibrationOf([held('a', 0, steps)], [], options);
    expect(labelBins.map(({ label, steps: count }) => [label, count])).toEqual(
      Array.from({ length: 10 }, (_, i) => [(i + 0.5) / 10, 2]),
    );
    expect([baselineMse, gain, correlation]).toEqual([null, null, null]);
  });
});

describe('against the true reasoning', () => {
  const heldOut = [
    held('a', 0, [
      { end: 1, label: 1, score: 0.9, right: true },
      { end: 2, label: 0.25, score: 0.6, right: false },
      // Right by itself, but after a wrong step: not sound.
      { end: 3, label: 0, score: 0.95, right: true },
    ]),
    held('b', 0, [{ end: 1, label: 0.125, score: 0.7, right: true }]),
    held('c', 0, [{ end: 1, label: 0.5, score: 0.5 }]),
  ];
  const truth = truthOf({ heldOut, labelled: [], sampled: [], table: 't' }, options);

  test('a step is positive up to the first wrong one; responses without truth do not count', () => {
    expect(truth?.rows.map(({ what, on }) => `${what} ${on}`)).toEqual([
      'labels held-out steps',
      'scores held-out steps',
    ]);
    for (const row of truth?.rows ?? []) expect(row).toMatchObject({ problems: 2, steps: 4, sound: 0.5 });
  });

  test('labels and scores are compared on the same steps', () => {
    const [labels, scores] = truth?.rows ?? [];
    // Sound: labels 1 and 0.125 against 0.25 and 0; scores 0.9 and 0.7 against 0.6 and 0.95.
    expect(labels?.auc?.mean).toBeCloseTo(3 / 4, 12);
    expect(scores?.auc?.mean).toBeCloseTo(2 / 4, 12);
    expect(truth?.difference?.mean).toBeCloseTo(1 / 4, 12);
    expect([labels?.accuracy.mean, scores?.accuracy.mean]).toEqual([3 / 4, 2 / 4]);
  });

  test('scores of sampled steps and labels of all labelled ones have rows of their own', () => {
    const sampled = [
      asked(
        'x',
        {
          steps: [
            { score: 0.4, right: true },
            { score: 0.3, right: false },
          ],
        },
        { steps: [{ score: null, right: true }] },
      ),
    ];
    const labelled = [
      {
        problem: 'x',
        sample: 0,
        verdict: 'wrong' as const,
        text: '',
        tokens: [1],
        steps: [{ end: 1, label: 1, right: true }],
      },
    ];
    const found = truthOf({ heldOut: [], labelled, sampled, table: 'dynamics-0000' }, options);
    expect(found?.rows).toMatchObject([
      { what: 'labels', on: 'all labelled steps', steps: 1, auc: null, accuracy: { mean: 1 } },
      { what: 'scores', on: 'steps of dynamics-0000', steps: 2, auc: { mean: 1 }, accuracy: { mean: 0.5 } },
    ]);
    expect(found?.difference).toBeNull();
    expect(
      truthOf(
        { heldOut: [], labelled: [], sampled: [asked('y', { steps: [{ score: 1, right: null }] })], table: 't' },
        options,
      ),
    ).toBeNull();
  });
});

describe('selection rules on the same responses', () => {
  const problems = [
    asked(
      'a',
      { reward: 0.95, lucky: false },
      { reward: 0.35, lucky: true },
      { reward: 0.55, lucky: true },
      { verdict: 'wrong', reward: null },
    ),
    asked('b', { reward: 0.6, lucky: true }),
    asked('c', { verdict: 'wrong', reward: null }),
    asked('d', { reward: 0.2, lucky: false, finish: 'length' }),
  ];
  const draw = { table: 'iter-0001', seed: 7, repeats: 'drop' } as const;

  test('count what they keep of each problem and how much of it is lucky', async () => {
    const selection = await selectionOf(problems, draw, options);
    expect(selection).toMatchObject({ table: 'iter-0001', temperature: 1, problems: 4, responses: 7 });
    const row = (name: string) => {
      const found = selection?.rules.find(({ rule }) => rule === name);
      return [found?.selected, found?.kept, found?.lucky?.mean, found?.chance?.mean];
    };
    expect(row('all')).toEqual([4, [2, 1, 0, 1], 3 / 4, 3 / 4]);
    // One of the three of a at random is lucky with chance 2/3.
    expect(row('top 1')).toEqual([2, [2, 2], 1 / 2, (2 / 3 + 1) / 2]);
    expect(row('top 2')).toEqual([3, [2, 1, 1], 2 / 3, (4 / 3 + 1) / 3]);
    expect(row('top 4')).toEqual(row('all'));
    expect(row('threshold 0.4')).toEqual([3, [2, 1, 1], 2 / 3, (4 / 3 + 1) / 3]);
    expect(row('threshold 0.6')).toEqual([2, [2, 2], 1 / 2, (2 / 3 + 1) / 2]);
    expect(row('threshold 0.9')).toEqual([1, [3, 1], 0, 2 / 3]);
  });

  test('are those of the loop, with the draws of the run', async () => {
    const selection = await selectionOf(problems, draw, options);
    for (const [r, { rule }] of RULES.entries()) {
      const counts = problems.map(({ problem, responses }) => {
        const candidates = responses
          .filter(({ finish }) => finish === 'stop')
          .map(({ sample, text, verdict, reward }) => ({ sample, text, verdict, reward: reward ?? 0 }));
        const samples = select(eligible(candidates, 'drop'), rule, { seed: 7, key: `iter-0001/${problem}` });
        return [samples.length, samples.filter((sample) => responses[sample]?.lucky).length] as const;
      });
      const kept = counts.reduce((sum, [count]) => sum + count, 0);
      const lucky = counts.reduce((sum, [, count]) => sum + count, 0);
      expect(selection?.rules[r]?.selected).toBe(kept);
      expect(selection?.rules[r]?.lucky?.mean).toBeCloseTo(lucky / kept, 12);
    }
  });

  test('have no lucky share where the truth is not known, and are nothing without rewards', async () => {
    const unknown = await selectionOf([asked('a', { lucky: null })], draw, options);
    expect(unknown?.rules.map(({ lucky }) => lucky)).toEqual(RULES.map(() => null));
    expect(unknown?.rules[0]?.selected).toBe(1);
    expect(await selectionOf([...problems, asked('e', { reward: null })], draw, options)).toBeNull();
    expect(await selectionOf([asked('c', { verdict: 'wrong', reward: null })], draw, options)).toBeNull();
  });
});
