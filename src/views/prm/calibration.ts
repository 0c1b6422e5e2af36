// Scores of a PRM against Monte-Carlo labels on responses that it was not trained on: error, correlation, reliability.
import { type BootstrapOptions, bootstrapStatistics, type Interval } from '../../measure/bootstrap.js';
import { groupedCorrelation, minus, ratio } from '../../measure/statistics.js';
import type { HeldOutResponse } from '../../record/held-out.js';
import type { Calibration, LabelBin, ScoreBin } from './analysis.js';
import { labelBinner, TENTHS, tenthOf } from './bins.js';

interface Labelled {
  readonly label: number;
}

interface ScoredLabel extends Labelled {
  readonly score: number;
}

/**
 * @param heldOut at least one response
 * @param training steps that were trained on; without any, nothing is known of the baseline
 */
export function calibrationOf(
  heldOut: readonly HeldOutResponse[],
  training: readonly Labelled[],
  options: BootstrapOptions,
): Calibration {
  const groups = byProblem(heldOut);
  const steps = groups.flat();
  const counts = groups.map((group) => group.length);
  const trainingMean = mean(training.map(({ label }) => label));
  const mse = ratio(
    groups.map((group) => sum(group.map(({ score, label }) => (score - label) ** 2))),
    counts,
  );
  const baseline = ratio(
    groups.map((group) => sum(group.map(({ label }) => ((trainingMean ?? Number.NaN) - label) ** 2))),
    counts,
  );
  const correlation = groupedCorrelation(groups.map((group) => group.map(({ score, label }) => [score, label])));
  const [error, baselineMse, gain, r] = bootstrapStatistics(
    groups.length,
    [mse, baseline, minus(baseline, mse), correlation],
    options,
  ) as [Interval, Interval | null, Interval | null, Interval | null];
  return {
    problems: groups.length,
    responses: heldOut.length,
    steps: steps.length,
    mse: error,
    trainingMean,
    baselineMse,
    gain,
    correlation: r,
    scoreBins: scoreBins(steps),
    labelBins: labelBins(steps),
  };
}

/** Steps of each problem, in the order in which the problems come. */
function byProblem(heldOut: readonly HeldOutResponse[]): ScoredLabel[][] {
  const groups = new Map<string, ScoredLabel[]>();
  for (const { problem, steps } of heldOut) groups.set(problem, [...(groups.get(problem) ?? []), ...steps]);
  return [...groups.values()];
}

function scoreBins(steps: readonly ScoredLabel[]): ScoreBin[] {
  return TENTHS.map(([low, high], i) => {
    const inside = steps.filter(({ score }) => tenthOf(score) === i);
    const meanScore = mean(inside.map(({ score }) => score));
    return { low, high, steps: inside.length, meanScore, meanLabel: mean(inside.map(({ label }) => label)) };
  });
}

function labelBins(steps: readonly ScoredLabel[]): LabelBin[] {
  const binOf = labelBinner(steps.map(({ label }) => label));
  const bins = new Map<number, number[]>();
  for (const { label, score } of steps) {
    const bin = binOf(label);
    const scores = bins.get(bin);
    if (scores) scores.push(score);
    else bins.set(bin, [score]);
  }
  return [...bins]
    .sort(([a], [b]) => a - b)
    .map(([label, scores]) => ({ label, steps: scores.length, meanScore: mean(scores) as number }));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : sum(values) / values.length;
}
