// Whether rewards rank correct responses above others: pairs of the same problem, and the ROC curve over all and
// within each.
import { type BootstrapOptions, bootstrapStatistics } from '../../measure/bootstrap.js';
import { auc } from '../../measure/metrics.js';
import { groupedAuc, ratio, type Scored } from '../../measure/statistics.js';
import type { Ranking, RewardBin } from './analysis.js';
import { TENTHS, tenthOf } from './bins.js';
import type { AskedProblem } from './read.js';

/** Null where not every response with a text has a reward. A response without text has no steps and so no reward. */
export function rankingOf(problems: readonly AskedProblem[], options: BootstrapOptions): Ranking | null {
  const rewarded = problems.map(({ responses }) =>
    responses.flatMap(({ reward, verdict }): Scored[] =>
      reward === null ? [] : [{ score: reward, positive: verdict === 'correct' }],
    ),
  );
  const responses = rewarded.flat();
  if (responses.length === 0 || !allScored(problems)) return null;
  const correct = rewarded.map((group) => group.filter(({ positive }) => positive).length);
  const pairs = rewarded.map((group, i) => (correct[i] as number) * (group.length - (correct[i] as number)));
  const areas = rewarded.map((group) =>
    auc(
      group.map(({ score }) => score),
      group.map(({ positive }) => positive),
    ),
  );
  const both = pairs.map((count) => Number(count > 0));
  // The area within a problem is the share of its pairs that are ranked rightly.
  const area = areas.map((value) => (Number.isNaN(value) ? 0 : value));
  const won = area.map((value, i) => value * (pairs[i] as number));
  const [pairAccuracy, pooled, within] = bootstrapStatistics(
    problems.length,
    [ratio(won, pairs), groupedAuc(rewarded), ratio(area, both)],
    options,
  );
  const right = sum(correct);
  return {
    problems: problems.length,
    correct: right,
    other: responses.length - right,
    pairs: sum(pairs),
    pairAccuracy: pairAccuracy ?? null,
    auc: pooled ?? null,
    aucWithin: within ?? null,
    bins: binsOf(responses),
  };
}

export function allScored(problems: readonly AskedProblem[]): boolean {
  return problems.every(({ responses }) =>
    responses.every(({ reward, text }) => reward !== null || text.trim() === ''),
  );
}

function binsOf(responses: readonly Scored[]): RewardBin[] {
  return TENTHS.map(([low, high], i) => {
    const inside = responses.filter(({ score }) => tenthOf(score) === i);
    const correct = inside.filter(({ positive }) => positive).length;
    return { low, high, correct, other: inside.length - correct };
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
