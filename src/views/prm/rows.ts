// The tables of an analysis.
import { count, decimal, percent, points, ranged } from '../../page/format.js';
import type { Markup } from '../../page/html.js';
import { table } from '../../page/parts.js';
import type { Calibration, Ranking, Selection, Tops, TopsRow, Truth } from './analysis.js';

const area = (value: number): string => decimal(value, 3);

export function rankingTable({ pairAccuracy, auc, aucWithin }: Ranking): Markup {
  return table(
    'Rewards against verdicts, with 95 % intervals',
    ['measure', 'value'],
    [
      ['pairs of the same problem ranked rightly', ranged(pairAccuracy, percent)],
      ['AUC within a problem, mean over problems', ranged(aucWithin, area)],
      ['AUC over all responses together', ranged(auc, area)],
    ],
  );
}

const MEASURES: Readonly<
  Record<string, readonly [name: string, text: (value: number) => string, difference: (value: number) => string]>
> = {
  reward: ['mean reward', area, area],
  steps: ['mean number of steps', (value) => decimal(value, 2), (value) => decimal(value, 2)],
  tokens: ['mean number of tokens', (value) => decimal(value, 1), (value) => decimal(value, 1)],
  lucky: ['lucky, a wrong chain (difference in points)', percent, points],
  relevance: ['relevance, 1 to 5', (value) => decimal(value, 2), (value) => decimal(value, 2)],
};

export function topsTable({ rows }: Tops): Markup {
  const line = ({ measure, problems, top, rest, difference }: TopsRow): string[] => {
    const [name, text, change] = MEASURES[measure] ?? [measure, area, area];
    return [name, ranged(top, text), ranged(rest, text), ranged(difference, change), count(problems)];
  };
  return table(
    'Top 2 by reward against the rest of the correct responses, with 95 % intervals',
    ['of a response', 'top 2', 'rest', 'difference', 'problems'],
    rows.map(line),
  );
}

export function calibrationTable(calibration: Calibration): Markup {
  const { mse, baselineMse, trainingMean, gain, correlation } = calibration;
  const error = (value: number): string => decimal(value, 4);
  return table(
    'Scores against labels on held-out steps, with 95 % intervals',
    ['measure', 'value'],
    [
      ['mean squared error', ranged(mse, error)],
      [
        `error of always saying the mean label of the training, ${decimal(trainingMean, 3)}`,
        ranged(baselineMse, error),
      ],
      ['what the PRM is better by', ranged(gain, error)],
      ['correlation (Pearson)', ranged(correlation, area)],
    ],
  );
}

export function scoreBinTable({ scoreBins }: Calibration): Markup {
  return table(
    'Held-out steps by tenths of the score',
    ['score', 'steps', 'mean score', 'mean label'],
    scoreBins.map(({ low, high, steps, meanScore, meanLabel }) => [
      `${low} to ${high}`,
      count(steps),
      decimal(meanScore, 3),
      decimal(meanLabel, 3),
    ]),
  );
}

export function labelBinTable({ labelBins }: Calibration): Markup {
  return table(
    'Held-out steps by label',
    ['label', 'steps', 'mean score'],
    labelBins.map(({ label, steps, meanScore }) => [
      String(Number(label.toFixed(3))),
      count(steps),
      decimal(meanScore, 3),
    ]),
  );
}

const WHAT = { labels: 'Monte-Carlo labels', scores: 'PRM scores' } as const;

export function truthTable({ rows }: Truth): Markup {
  return table(
    'Labels and scores against the true reasoning, with 95 % intervals',
    ['what', 'on', 'AUC', 'accuracy at 0.5', 'right steps', 'steps', 'problems'],
    rows.map(({ what, on, auc, accuracy, sound, steps, problems }) => [
      WHAT[what],
      on,
      ranged(auc, area),
      ranged(accuracy, percent),
      percent(sound),
      count(steps),
      count(problems),
    ]),
  );
}

/** Kept responses that are counted apart; more are counted together. */
const MOST_KEPT = 4;

export function selectionTable({ rules }: Selection): Markup {
  const keptOf = (kept: readonly number[]): string[] =>
    Array.from({ length: MOST_KEPT + 1 }, (_, i) =>
      count(i < MOST_KEPT ? (kept[i] ?? 0) : kept.slice(i).reduce((sum, problems) => sum + problems, 0)),
    );
  return table(
    'Each rule on the same responses, with 95 % intervals',
    ['rule', 'kept', 'lucky share', 'as many at random', 'difference in points', '0 kept', '1', '2', '3', '4 or more'],
    rules.map(({ rule, selected, lucky, chance, difference, kept }) => [
      rule,
      count(selected),
      ranged(lucky, percent),
      percent(chance?.mean),
      ranged(difference, points),
      ...keptOf(kept),
    ]),
  );
}
