// The charts of an analysis, each for the page and for a file of its own.

import { UNBIASED } from '../../evaluate/questions.js';
import { type Bars, barChart, lyingBars } from '../../page/charts/bars.js';
import { type Line, lineChart } from '../../page/charts/line.js';
import { count, decimal, percent, points } from '../../page/format.js';
import type { Markup } from '../../page/html.js';
import { curveChart } from '../evaluation/page.js';
import type { Calibration, Choosing, PrmAnalysis, Ranking, Selection } from './analysis.js';

export interface Drawn {
  /** Also the name of its file, without the ending. */
  readonly id: (typeof FIGURES)[number];
  readonly title: string;
  /** What to look for, in a sentence. */
  readonly note: string;
  readonly chart: Markup;
  readonly legend?: readonly { readonly name: string; readonly colour: string }[];
}

/** All figures that there can be. */
export const FIGURES = ['prm-curves', 'prm-rewards', 'prm-calibration', 'prm-labels', 'prm-luck'] as const;

/** The figures that the analysis has numbers for. */
export function drawFigures({ choosing, ranking, calibration, selection }: PrmAnalysis): Drawn[] {
  return [
    choosing && choosing.curves.length > 0 && curves(choosing),
    ranking && rewards(ranking),
    calibration && reliability(calibration),
    calibration && scoresByLabel(calibration),
    selection?.rules.some(({ lucky }) => lucky) && luck(selection),
  ].filter((drawn) => typeof drawn === 'object' && drawn !== null);
}

function curves({ curves: all, n, differences }: Choosing): Drawn {
  const title = 'Accuracy and Pass@N over N samples';
  const added = differences
    .filter(({ second }) => second === 'majority')
    .map(({ first, mean, low, high }) => `${first} ${points(mean)} points (${points(low)} to ${points(high)})`);
  return {
    id: 'prm-curves',
    title,
    note: `What the PRM adds is best-of-N or the weighted vote less the majority${added.length > 0 ? `, at N = ${n}: ${added.join('; ')}` : ''}. Pass@N is what a perfect one would reach.`,
    chart: curveChart(
      'prm-curves',
      all.filter(({ name }) => name !== UNBIASED),
      n,
      title,
    ),
  };
}

function rewards({ bins, correct, other }: Ranking): Drawn {
  const title = 'Rewards of correct and of other responses';
  const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
  const bars: Bars[] = [
    { name: 'correct', colour: 'var(--s1)', values: bins.map((bin) => share(bin.correct, correct)) },
    { name: 'wrong or unreadable', colour: 'var(--s2)', values: bins.map((bin) => share(bin.other, other)) },
  ];
  const chart = barChart({
    id: 'prm-rewards',
    title,
    description: bars.map(({ name, values }) => `${name}: ${values.map(percent).join(', ')}`).join('; '),
    xName: 'reward, from',
    categories: bins.map(({ low }) => String(low)),
    bars,
    share: true,
  });
  return {
    id: 'prm-rewards',
    title,
    note: 'Share of each kind by tenths of the reward; rewards below 0 and from 1 up are in the outer bars.',
    chart,
    legend: bars,
  };
}

function reliability({ scoreBins }: Calibration): Drawn {
  const title = 'Mean label by score, held-out steps';
  const points = scoreBins.flatMap(({ meanScore, meanLabel }) =>
    meanScore === null || meanLabel === null ? [] : [[meanScore, meanLabel] as const],
  );
  const [low, high] = [Math.min(0, points[0]?.[0] ?? 0), Math.max(1, points.at(-1)?.[0] ?? 1)];
  const diagonal = [
    [low, low],
    [high, high],
  ] as const;
  const lines: Line[] = [
    { name: 'PRM', colour: 'var(--s1)', points },
    { name: 'perfect', colour: 'var(--muted)', points: diagonal, dashed: true },
  ];
  const chart = lineChart({
    id: 'prm-calibration',
    title,
    description: scoreBins
      .map(
        (bin) => `score ${decimal(bin.meanScore, 2)}: label ${decimal(bin.meanLabel, 2)} of ${count(bin.steps)} steps`,
      )
      .join('; '),
    xName: 'mean score of a tenth',
    lines,
  });
  return {
    id: 'prm-calibration',
    title,
    note: 'Steps are put together by tenths of their score; on the dashed line a score is the share of right completions that it promises.',
    chart,
    legend: lines,
  };
}

function scoresByLabel({ labelBins }: Calibration): Drawn {
  const title = 'Mean score by label, held-out steps';
  const points = labelBins.map(({ label, meanScore }) => [label, meanScore] as const);
  const chart = lineChart({
    id: 'prm-labels',
    title,
    description: labelBins
      .map((bin) => `label ${decimal(bin.label, 3)}: score ${decimal(bin.meanScore, 2)} of ${count(bin.steps)} steps`)
      .join('; '),
    xName: 'label: share of right completions',
    lines: [{ name: 'PRM', colour: 'var(--s1)', points }],
  });
  return {
    id: 'prm-labels',
    title,
    note: 'The steeper, the better the scores tell steps apart. Even a perfect PRM is flatter than its labels, as these are noisy.',
    chart,
  };
}

function luck({ rules }: Selection): Drawn {
  const title = 'Lucky share of what each rule keeps';
  const known = rules.flatMap(({ rule, lucky, selected }) => (lucky ? [{ rule, lucky, selected }] : []));
  const chart = lyingBars({
    id: 'prm-luck',
    title,
    description: known.map(({ rule, lucky }) => `${rule} ${percent(lucky.mean)}`).join(', '),
    rows: known.map(({ rule, lucky, selected }) => ({
      name: rule,
      value: lucky.mean,
      text: `${percent(lucky.mean)} of ${count(selected)}`,
    })),
  });
  return {
    id: 'prm-luck',
    title,
    note: 'Right answers by a chain with a wrong step, among the responses that the rule keeps of the same samples.',
    chart,
  };
}
