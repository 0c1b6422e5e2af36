// The process reward model: its labels, its training, and how well its step scores tell right from wrong.

import { type Bars, barChart } from '../../../page/charts/bars.js';
import { lineChart } from '../../../page/charts/line.js';
import { count, decimal, percent, significant } from '../../../page/format.js';
import type { Markup, Part } from '../../../page/html.js';
import { facts, figure, grid, note, type Section, section, table } from '../../../page/parts.js';
import type { LabelResult, PrmResult } from '../../../record/results.js';
import type { LabelCount, Tables } from '../../../record/tables.js';
import { startOrNumber } from '../names.js';
import { fileOf, type RunData } from '../read.js';
import { curveFigures } from './training.js';

export async function prm(run: RunData, tables: Tables): Promise<Section> {
  const { labels, prm: training } = run;
  const file = labels && fileOf(run, 'labels.jsonl');
  const steps = run.steps.get('train-prm') ?? [];
  if (!labels && steps.length === 0) return section('prm', 'PRM', note('There are no step labels yet.'));
  const [loss] = curveFigures('prm', 'PRM', [{ phase: 'train-prm', steps }]);
  return section(
    'prm',
    'PRM',
    note(
      'The process reward model scores every step of a response. It learns from the share of completions from the end of a step that reach the right answer.',
    ),
    labels && labelFacts(labels),
    grid(file && labelFigure(await tables.labelCounts(file)), loss, qualityFigure(run)),
    training &&
      note(
        `Trained on ${count(training.examples)} responses in ${count(training.steps)} optimizer steps: squared error ${significant(training.firstLoss)} in the first tenth, ${significant(training.lastLoss)} in the last.`,
        training.heldOut && ` ${heldOutSentence(training.heldOut)}`,
      ),
  );
}

function heldOutSentence({
  steps,
  responses,
  mse,
  baselineMse,
  correlation,
}: NonNullable<PrmResult['heldOut']>): string {
  const error = `squared error ${significant(mse)}, where always saying the mean label has ${significant(baselineMse)}`;
  return `On ${count(steps)} steps of ${count(responses)} responses kept out of the training: ${error}; correlation with the labels ${decimal(correlation, 2)} (mstar prm tells more).`;
}

function labelFacts(labels: LabelResult): Markup {
  return facts([
    ['problems sampled', count(labels.problems)],
    ['labelled responses', count(labels.pairs - labels.failed)],
    ['right', percent(labels.right / labels.pairs)],
    ['multiple choice', percent(labels.multipleChoice / labels.pairs)],
    ['labelled steps', count(labels.steps)],
    ['mean label', decimal(labels.meanLabel, 2)],
  ]);
}

/** More values than this are put into tenths. */
const MOST_VALUES = 17;

function labelFigure(counts: readonly LabelCount[]): Markup {
  const exact = [...new Set(counts.map(({ label }) => label))].sort((a, b) => a - b);
  const tenths = exact.length > MOST_VALUES;
  const placeOf = (label: number): number => (tenths ? Math.min(9, Math.floor(label * 10)) : exact.indexOf(label));
  const categories = tenths
    ? Array.from({ length: 10 }, (_, i) => `${i / 10}–${(i + 1) / 10}`)
    : exact.map((label) => String(Number(label.toFixed(3))));
  const values = (truth: boolean | null): number[] => {
    const bins = categories.map(() => 0);
    for (const one of counts) if (one.truth === truth) bins[placeOf(one.label)]! += one.count;
    return bins;
  };
  const known = counts.some(({ truth }) => truth !== null);
  const bars: Bars[] = known
    ? [
        { name: 'right step', colour: 'var(--s1)', values: values(true) },
        { name: 'wrong step', colour: 'var(--s2)', values: values(false) },
      ]
    : [{ name: 'steps', colour: 'var(--s1)', values: values(null) }];
  const chart = barChart({
    id: 'prm-labels',
    title: 'Labelled steps by label',
    description: bars
      .map(({ name, values: some }) => `${name}: ${some.map((n, i) => `${n} at ${categories[i]}`).join(', ')}`)
      .join('; '),
    xName: 'label: share of right completions',
    categories,
    bars,
    stacked: true,
  });
  const rows = categories.map((category, i): Part[] => [category, ...bars.map(({ values: some }) => count(some[i]))]);
  return figure({
    title: 'Labels of the training data',
    note:
      known &&
      `By the true reasoning. Mean label of right steps ${mean(counts, true)}, of wrong ones ${mean(counts, false)}.`,
    chart,
    legend: known ? bars : [],
    numbers: table('Labelled steps by label', ['label', ...bars.map(({ name }) => name)], rows),
  });
}

function mean(counts: readonly LabelCount[], truth: boolean): string {
  const own = counts.filter((one) => one.truth === truth);
  const steps = own.reduce((sum, one) => sum + one.count, 0);
  const total = own.reduce((sum, one) => sum + one.label * one.count, 0);
  return decimal(steps === 0 ? null : total / steps, 2);
}

/** Where the truth of steps is known: how well scores separate steps up to which the reasoning is right from the others. */
function qualityFigure({ dynamics, final }: RunData): Part {
  const found = dynamics.flatMap(({ iteration, steps }) => (steps ? [{ name: startOrNumber(iteration), steps }] : []));
  if (found.length === 0) return null;
  const all = final?.steps ? [...found, { name: 'final test', steps: final.steps }] : found;
  const chart = lineChart({
    id: 'prm-quality',
    title: 'Step scores against the true reasoning, by iteration',
    description: found
      .map(({ name, steps }) => `${name}: AUC ${decimal(steps.auc, 3)}, accuracy ${percent(steps.accuracy)}`)
      .join('; '),
    xName: 'iteration',
    categories: found.map(({ name }) => name),
    lines: [
      { name: 'AUC', colour: 'var(--s1)', points: found.map(({ steps }, i) => [i, steps.auc] as const) },
      { name: 'accuracy', colour: 'var(--s3)', points: found.map(({ steps }, i) => [i, steps.accuracy] as const) },
      {
        name: 'right',
        colour: 'var(--s2)',
        dashed: true,
        points: found.map(({ steps }, i) => [i, steps.sound] as const),
      },
    ],
    share: true,
  });
  const rows = all.map(({ name, steps }): Part[] => [
    name,
    decimal(steps.auc, 3),
    percent(steps.accuracy),
    percent(steps.sound),
    count(steps.steps),
  ]);
  return figure({
    title: 'Step scores against the true reasoning',
    note: 'AUC: chance that a right step scores above a wrong one. Accuracy: share of scores on the right side of 0.5. Right: share of steps up to which the reasoning is right.',
    chart,
    numbers: table('Step scores against the true reasoning', ['iteration', 'AUC', 'accuracy', 'right', 'steps'], rows),
  });
}
