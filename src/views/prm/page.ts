// The document of an analysis: of each part a heading, what to know of it in sentences, its figures, its tables. Each figure
// is also a file beside the document.
import { sum } from '../../core/lists.js';
import { UNBIASED } from '../../evaluate/tabulate.js';
import { type Bars, barChart, lyingBars } from '../../page/charts/bars.js';
import { type Line, lineChart } from '../../page/charts/line.js';
import type { Document } from '../../page/document.js';
import { count, decimal, percent, plural, points, ranged } from '../../page/format.js';
import { html, type Part } from '../../page/html.js';
import { type Column, type Figure, figure, fold, grid, note, type Section, section, table } from '../../page/parts.js';
import { curveChart, curveTable, differenceTable } from '../evaluation/page.js';
import type { Calibration, Choosing, PrmAnalysis, Ranking, Selection, Tops, Truth } from './analysis.js';

/** All figures that there can be. */
export const FIGURES = ['prm-curves', 'prm-rewards', 'prm-calibration', 'prm-labels', 'prm-luck'] as const;
type Drawn = Figure & { readonly id: (typeof FIGURES)[number] };

/** Puts figures, of those that there are, beside each other. */
type Show = (...wanted: Drawn['id'][]) => Part;

/** @param name of the run @param figures those that `drawFigures` made of the analysis */
export function describeAnalysis(name: string, analysis: PrmAnalysis, figures: readonly Drawn[]): Document {
  const { choosing, ranking, tops, calibration, truth, selection } = analysis;
  const show: Show = (...wanted) => {
    const own = figures.filter(({ id }) => wanted.includes(id));
    return own.length > 0 && grid(...own.map((one) => figure({ ...one, file: `${one.id}.svg` })));
  };
  const sections = [
    aboutSection(analysis),
    choosing && choosingSection(choosing, analysis.table, show),
    ranking && rankingSection(ranking, show),
    tops && topsSection(tops),
    calibration && calibrationSection(calibration, show),
    truth && truthSection(truth),
    selection && selectionSection(selection, show),
  ];
  return { kind: 'mstar prm', title: `PRM of ${name}`, sections: sections.filter((one) => one !== null) };
}

/** The figures that the analysis has numbers for. */
export function drawFigures({ choosing, ranking, calibration, selection }: PrmAnalysis): Drawn[] {
  return [
    choosing && choosing.curves.length > 0 && curvesFigure(choosing),
    ranking && rewardsFigure(ranking),
    calibration && reliabilityFigure(calibration),
    calibration && labelsFigure(calibration),
    selection?.rules.some(({ lucky }) => lucky) && luckFigure(selection),
  ].filter((drawn) => typeof drawn === 'object' && drawn !== null);
}

function aboutSection({ bootstrap: { level, resamples, seed }, missing }: PrmAnalysis): Section {
  return section(
    'about',
    'About',
    note(
      `Intervals: ${Math.round(level * 100)} %, percentile bootstrap over problems, ${resamples} resamples, seed ${seed}.`,
    ),
    missing.length > 0 && html`<p>Not here:</p><ul>${missing.map((line) => html`<li>${line}</li>`)}</ul>`,
  );
}

function choosingSection(choosing: Choosing, of: string, show: Show): Section {
  const { problems, n, temperature, failed, scores, curves } = choosing;
  const lost = failed > 0 ? `, of which ${count(failed)} could not be sampled` : '';
  return section(
    ['choosing', 'Choosing'],
    'Choosing among samples',
    note(
      `${plural(problems, 'problem')} of ${of}${lost}, ${plural(n, 'response')} each at temperature ${temperature}. `,
      `Pass@1, the accuracy of one response: ${ranged(scores[0]?.accuracy)}.`,
    ),
    show('prm-curves'),
    choosing.differences.length > 0 && differenceTable(choosing),
    curves.length > 0 && fold('All numbers of N', curveTable(curves)),
  );
}

function curvesFigure({ curves, n, differences }: Choosing): Drawn {
  const added = differences
    .filter(({ second }) => second === 'majority')
    .map(({ first, mean, low, high }) => `${first} ${points(mean)} points (${points(low)} to ${points(high)})`);
  return {
    id: 'prm-curves',
    title: 'Accuracy and Pass@N over N samples',
    note: `What the PRM adds is best-of-N or the weighted vote less the majority${added.length > 0 ? `, at N = ${n}: ${added.join('; ')}` : ''}. Pass@N is what a perfect one would reach.`,
    chart: curveChart(curves.filter(({ name }) => name !== UNBIASED)),
  };
}

const area = (value: number): string => decimal(value, 3);

function rankingSection(
  { correct, other, pairs, pairAccuracy, auc, aucWithin, soundAuc, soundWithin, luckyWithin }: Ranking,
  show: Show,
): Section {
  return section(
    ['ranking', 'Ranking'],
    'Rewards of correct and other responses',
    note(
      `${count(correct)} correct responses and ${count(other)} others (wrong or unreadable), in ${count(pairs)} pairs of the same problem. `,
      'AUC: chance that a correct response has a higher reward than another one, ties counted half.',
    ),
    show('prm-rewards'),
    table(
      'Rewards against verdicts, with 95 % intervals',
      [
        ['pairs of the same problem ranked rightly', ranged(pairAccuracy)],
        ['AUC within a problem, mean over problems', ranged(aucWithin, area)],
        ...(soundWithin
          ? [['AUC within a problem, right chains against wrong answers', ranged(soundWithin, area)] as const]
          : []),
        ...(luckyWithin
          ? [['AUC within a problem, lucky answers against wrong ones', ranged(luckyWithin, area)] as const]
          : []),
        ['AUC over all responses together', ranged(auc, area)],
        ...(soundAuc ? [['AUC of right chains against lucky ones', ranged(soundAuc, area)] as const] : []),
      ],
      MEASURED,
    ),
  );
}

const MEASURED: Column<readonly string[]>[] = [
  ['measure', ([measure]) => measure],
  ['value', ([, value]) => value],
];

function rewardsFigure({ bins, correct, other }: Ranking): Drawn {
  const bars: Bars[] = [
    { name: 'correct', colour: 'var(--s1)', values: bins.map((bin) => bin.correct / Math.max(1, correct)) },
    { name: 'wrong or unreadable', colour: 'var(--s2)', values: bins.map((bin) => bin.other / Math.max(1, other)) },
  ];
  const categories = bins.map(({ low }) => String(low));
  return {
    id: 'prm-rewards',
    title: 'Rewards of correct and of other responses',
    note: 'Share of each kind by tenths of the reward; rewards below 0 and from 1 up are in the outer bars.',
    chart: barChart({ xName: 'reward, from', categories, bars, share: true }),
  };
}

type Shown = (value: number) => string;
const PROPERTIES: Readonly<Record<string, readonly [name: string, text: Shown, difference: Shown]>> = {
  reward: ['mean reward', area, area],
  steps: ['mean number of steps', (value) => decimal(value, 2), (value) => decimal(value, 2)],
  tokens: ['mean number of tokens', (value) => decimal(value, 1), (value) => decimal(value, 1)],
  lucky: ['lucky, a wrong chain (difference in points)', percent, points],
  relevance: ['relevance, 1 to 5', (value) => decimal(value, 2), (value) => decimal(value, 2)],
};

function topsSection({ problems, top, rest, relevance, rows }: Tops): Section {
  const about = ({ measure }: Tops['rows'][number]) => PROPERTIES[measure] ?? [measure, area, area];
  return section(
    ['tops', 'Top 2'],
    'Top 2 by reward against the rest of the correct',
    note(
      `${plural(problems, 'problem')} with more than two distinct correct responses: ${count(top)} on top, ${count(rest)} others. Every problem counts once, and the difference is taken problem by problem.`,
      relevance &&
        ` Relevance: ${relevance.model} rated ${count(relevance.asked)} responses; ${plural(relevance.unreadable, 'rating')} could not be read.`,
    ),
    table('Top 2 by reward against the rest of the correct responses, with 95 % intervals', rows, [
      ['of a response', (row) => about(row)[0]],
      ['top 2', (row) => ranged(row.top, about(row)[1])],
      ['rest', (row) => ranged(row.rest, about(row)[1])],
      ['difference', (row) => ranged(row.difference, about(row)[2])],
      ['problems', (row) => count(row.problems)],
    ]),
  );
}

function calibrationSection(calibration: Calibration, show: Show): Section {
  const { problems, responses, steps, mse, baselineMse, trainingMean, gain, correlation } = calibration;
  const error: Shown = (value) => decimal(value, 4);
  return section(
    ['calibration', 'Calibration'],
    'Scores against labels that the PRM has not seen',
    note(
      `${plural(steps, 'step')} of ${plural(responses, 'response')} to ${plural(problems, 'problem')} that were kept out of the training of the PRM.`,
    ),
    show('prm-calibration', 'prm-labels'),
    table(
      'Scores against labels on held-out steps, with 95 % intervals',
      [
        ['mean squared error', ranged(mse, error)],
        [
          `error of always saying the mean label of the training, ${decimal(trainingMean, 3)}`,
          ranged(baselineMse, error),
        ],
        ['what the PRM is better by', ranged(gain, error)],
        ['correlation (Pearson)', ranged(correlation, area)],
      ],
      MEASURED,
    ),
    fold(
      'By tenths of the score',
      table('Held-out steps by tenths of the score', calibration.scoreBins, [
        ['score', ({ low, high }) => `${low} to ${high}`],
        ['steps', (bin) => count(bin.steps)],
        ['mean score', ({ meanScore }) => decimal(meanScore, 3)],
        ['mean label', ({ meanLabel }) => decimal(meanLabel, 3)],
      ]),
    ),
    fold(
      'By label',
      table('Held-out steps by label', calibration.labelBins, [
        ['label', ({ label }) => String(Number(label.toFixed(3)))],
        ['steps', (bin) => count(bin.steps)],
        ['mean score', ({ meanScore }) => decimal(meanScore, 3)],
      ]),
    ),
  );
}

function reliabilityFigure({ scoreBins }: Calibration): Drawn {
  const means = scoreBins.flatMap(({ meanScore, meanLabel }) =>
    meanScore === null || meanLabel === null ? [] : [[meanScore, meanLabel] as const],
  );
  const [low, high] = [Math.min(0, means[0]?.[0] ?? 0), Math.max(1, means.at(-1)?.[0] ?? 1)];
  const diagonal: Line['points'] = [
    [low, low],
    [high, high],
  ];
  const lines: Line[] = [
    { name: 'PRM', colour: 'var(--s1)', points: means },
    { name: 'perfect', colour: 'var(--muted)', points: diagonal, dashed: true },
  ];
  return {
    id: 'prm-calibration',
    title: 'Mean label by score, held-out steps',
    note: 'Steps are put together by tenths of their score; on the dashed line a score is the share of right completions that it promises.',
    chart: lineChart({ xName: 'mean score of a tenth', lines }),
  };
}

function labelsFigure({ labelBins }: Calibration): Drawn {
  const means = labelBins.map(({ label, meanScore }) => [label, meanScore] as const);
  const lines: Line[] = [{ name: 'PRM', colour: 'var(--s1)', points: means }];
  return {
    id: 'prm-labels',
    title: 'Mean score by label, held-out steps',
    note: 'The steeper, the better the scores tell steps apart. Even a perfect PRM is flatter than its labels, as these are noisy.',
    chart: lineChart({ xName: 'label: share of right completions', lines }),
  };
}

function truthSection({ rows, difference }: Truth): Section {
  return section(
    ['truth', 'Truth'],
    'Against the true reasoning',
    note(
      'A step counts as right if it and all steps before it are right. The label of a last step is the verdict on the answer, so a lucky response has one label that is wrong by this measure.',
      difference && ` AUC of the labels minus AUC of the scores on the held-out steps: ${ranged(difference, area)}.`,
    ),
    table('Labels and scores against the true reasoning, with 95 % intervals', rows, [
      ['what', ({ what }) => (what === 'labels' ? 'Monte-Carlo labels' : 'PRM scores')],
      ['on', ({ on }) => on],
      ['AUC', ({ auc }) => ranged(auc, area)],
      ['accuracy at 0.5', ({ accuracy }) => ranged(accuracy)],
      ['right steps', ({ sound }) => percent(sound)],
      ['steps', ({ steps }) => count(steps)],
      ['problems', ({ problems }) => count(problems)],
    ]),
  );
}

function selectionSection(selection: Selection, show: Show): Section {
  const { responses, problems, temperature, rules } = selection;
  type Rule = (typeof rules)[number];
  return section(
    ['selection', 'Selection'],
    'Luck before and after selection',
    note(
      `Every rule applied to the same ${plural(responses, 'response')} of ${selection.table}, ${plural(problems, 'problem')} at temperature ${temperature}; "all" is what the others choose from. `,
      'As many at random: what share to expect if of each problem as many of its correct responses were drawn as the rule keeps. The difference is what the rewards do.',
    ),
    show('prm-luck'),
    table('Each rule on the same responses, with 95 % intervals', rules, [
      ['rule', ({ rule }) => rule],
      ['kept', ({ selected }) => count(selected)],
      ['lucky share', ({ lucky }) => ranged(lucky)],
      ['as many at random', ({ chance }) => percent(chance?.mean)],
      ['difference in points', ({ difference }) => ranged(difference, points)],
      ...['0 kept', '1', '2', '3'].map((head, n): Column<Rule> => [head, ({ kept }) => count(kept[n] ?? 0)]),
      ['4 or more', ({ kept }) => count(sum(kept.slice(4)))],
    ]),
  );
}

function luckFigure({ rules }: Selection): Drawn {
  const known = rules.flatMap(({ rule, lucky, selected }) =>
    lucky ? [{ name: rule, value: lucky.mean, text: `${percent(lucky.mean)} of ${count(selected)}` }] : [],
  );
  return {
    id: 'prm-luck',
    title: 'Lucky share of what each rule keeps',
    note: 'Right answers by a chain with a wrong step, among the responses that the rule keeps of the same samples.',
    chart: lyingBars(known),
  };
}
