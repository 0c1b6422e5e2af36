// How well a PRM ranks responses, foretells Monte-Carlo labels and knows right steps (P11), each with its interval.
import { groupBy, mean, sum } from '../../core/lists.js';
import { type BootstrapOptions, bootstrapStatistics, type Interval } from '../../measure/bootstrap.js';
import { groupedAuc, groupedCorrelation, minus, once, ratio, type Scored } from '../../measure/statistics.js';
import type { HeldOutResponse, LabelledResponse } from '../../record/labels.js';
import { soundSoFar } from '../../reward/truth.js';
import { type Calibration, PRM_GATE, type Ranking, type Truth } from './analysis.js';
import type { AskedProblem } from './read.js';

/** Ten bins for scores and rewards. They are raw outputs of the head: what lies outside 0..1 is in the outer bins. */
const TENTHS = Array.from({ length: 10 }, (_, i) => ({ low: i / 10, high: (i + 1) / 10 }));

/** Place of a number among the tenths: an inner edge belongs to the bin above it. */
export function tenthOf(value: number): number {
  const above = TENTHS.findIndex(({ high }) => value < high);
  return above < 0 ? TENTHS.length - 1 : above;
}

/**
 * Whether rewards rank correct responses above others: pairs of the same problem, and the ROC curve over all and within each.
 * Null where not every response with a text has a reward. A response without text has no steps and so no reward.
 */
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
  // The area within a problem is the share of its pairs that are ranked rightly.
  const { area, both } = areasOf(rewarded);
  const won = area.map((value, i) => value * (pairs[i] as number));
  // Rewards of two kinds of responses to each problem, the first kind positive.
  const against = (positive: Kind, negative: Kind): Scored[][] =>
    problems.map((problem) =>
      problem.responses.flatMap((response): Scored[] => {
        const kind = kindOf(response);
        if (response.reward === null || (kind !== positive && kind !== negative)) return [];
        return [{ score: response.reward, positive: kind === positive }];
      }),
    );
  const [pairAccuracy = null, auc = null, aucWithin = null, soundAuc = null, soundWithin = null, luckyWithin = null] =
    bootstrapStatistics(
      problems.length,
      [
        ratio(won, pairs),
        groupedAuc(rewarded),
        ratio(area, both),
        groupedAuc(against('sound', 'lucky')),
        areaWithin(against('sound', 'other')),
        areaWithin(against('lucky', 'other')),
      ],
      options,
    );
  const right = sum(correct);
  return {
    problems: problems.length,
    correct: right,
    other: responses.length - right,
    pairs: sum(pairs),
    pairAccuracy,
    auc,
    aucWithin,
    soundAuc,
    soundWithin,
    luckyWithin,
    isGood: soundWithin && soundAuc && soundWithin.mean >= PRM_GATE.soundWithin && soundAuc.mean >= PRM_GATE.soundAuc,
    bins: TENTHS.map(({ low, high }, i) => {
      const inside = responses.filter(({ score }) => tenthOf(score) === i);
      const rights = inside.filter(({ positive }) => positive).length;
      return { low, high, correct: rights, other: inside.length - rights };
    }),
  };
}

type Kind = 'sound' | 'lucky' | 'other';

/** Correct by a right chain or by luck, or not correct; undefined where the truth is not known. */
function kindOf({ verdict, lucky }: AskedProblem['responses'][number]): Kind | undefined {
  if (verdict !== 'correct') return 'other';
  return lucky === null ? undefined : lucky ? 'lucky' : 'sound';
}

/** The area under the ROC curve within each problem, 0 for those that lack a kind, which `both` has as 0. */
function areasOf(groups: readonly (readonly Scored[])[]): { readonly area: number[]; readonly both: number[] } {
  const both = groups.map((group) => Number(new Set(group.map(({ positive }) => positive)).size === 2));
  const area = groups.map((group, i) => (both[i] === 0 ? 0 : groupedAuc([group])(once(1))));
  return { area, both };
}

function areaWithin(groups: readonly (readonly Scored[])[]): ReturnType<typeof ratio> {
  const { area, both } = areasOf(groups);
  return ratio(area, both);
}

export function allScored(problems: readonly AskedProblem[]): boolean {
  return problems.every(({ responses }) =>
    responses.every(({ reward, text }) => reward !== null || text.trim() === ''),
  );
}

/**
 * Scores against Monte-Carlo labels on responses that the PRM was not trained on: error, correlation, reliability.
 * @param heldOut at least one response
 * @param training steps that were trained on; without any, nothing is known of the baseline
 */
export function calibrationOf(
  heldOut: readonly HeldOutResponse[],
  training: readonly { readonly label: number }[],
  options: BootstrapOptions,
): Calibration {
  const byProblem = [...groupBy(heldOut, ({ problem }) => problem).values()];
  const groups = byProblem.map((responses) => responses.flatMap(({ steps }) => steps));
  const steps = groups.flat();
  const counts = groups.map((group) => group.length);
  const usual = mean(training.map(({ label }) => label));
  const errorOf = (say: (step: { readonly score: number }) => number) =>
    ratio(
      groups.map((group) => sum(group.map((step) => (say(step) - step.label) ** 2))),
      counts,
    );
  const [error, baseline] = [errorOf(({ score }) => score), errorOf(() => usual)];
  const correlation = groupedCorrelation(groups.map((group) => group.map(({ score, label }) => [score, label])));
  const [mse, baselineMse, gain, r] = bootstrapStatistics(
    groups.length,
    [error, baseline, minus(baseline, error), correlation],
    options,
  ) as [Interval, Interval | null, Interval | null, Interval | null];
  // More labels than this are put into tenths, named by their middle.
  const many = new Set(steps.map(({ label }) => label)).size > 17;
  const byLabel = groupBy(steps, ({ label }) => (many ? (tenthOf(label) + 0.5) / 10 : label));
  return {
    problems: groups.length,
    responses: heldOut.length,
    steps: steps.length,
    mse,
    trainingMean: training.length === 0 ? null : usual,
    baselineMse,
    gain,
    correlation: r,
    scoreBins: TENTHS.map(({ low, high }, i) => {
      const inside = steps.filter(({ score }) => tenthOf(score) === i);
      const meanOf = (key: 'score' | 'label') => (inside.length === 0 ? null : mean(inside.map((step) => step[key])));
      return { low, high, steps: inside.length, meanScore: meanOf('score'), meanLabel: meanOf('label') };
    }),
    labelBins: [...byLabel]
      .sort(([a], [b]) => a - b)
      .map(([label, some]) => ({ label, steps: some.length, meanScore: mean(some.map(({ score }) => score)) })),
  };
}

export interface TruthSources {
  readonly heldOut: readonly HeldOutResponse[];
  readonly labelled: readonly LabelledResponse[];
  readonly sampled: readonly AskedProblem[];
  /** Name of the table that `sampled` is from. */
  readonly table: string;
}

/** Labels and scores against the true reasoning that generated problems come with. Null where the truth of no step is known. */
export function truthOf({ heldOut, labelled, sampled, table }: TruthSources, options: BootstrapOptions): Truth | null {
  const asked = sampled.flatMap(({ problem, responses }) => responses.map(({ steps }) => ({ problem, steps })));
  const labels = groupsOf(heldOut, ({ label }) => label);
  const scores = groupsOf(heldOut, ({ score }) => score);
  const all = groupsOf(labelled, ({ label }) => label);
  const rows = [
    rowOf('labels', 'held-out steps', labels, options),
    rowOf('scores', 'held-out steps', scores, options),
    rowOf('labels', 'all labelled steps', all, options),
    rowOf(
      'scores',
      `steps of ${table}`,
      groupsOf(asked, ({ score }) => score),
      options,
    ),
  ].filter((row) => row !== null);
  if (rows.length === 0) return null;
  const [difference = null] = bootstrapStatistics(
    Math.max(1, labels.length),
    [minus(groupedAuc(labels), groupedAuc(scores))],
    options,
  );
  return { rows, difference };
}

function rowOf(
  what: 'labels' | 'scores',
  on: string,
  groups: readonly (readonly Scored[])[],
  options: BootstrapOptions,
): Truth['rows'][number] | null {
  const steps = groups.flat();
  if (steps.length === 0) return null;
  const hits = groups.map((group) => group.filter(({ score, positive }) => score >= 0.5 === positive).length);
  const share = ratio(
    hits,
    groups.map((group) => group.length),
  );
  const [auc, accuracy] = bootstrapStatistics(groups.length, [groupedAuc(groups), share], options) as [
    Interval | null,
    Interval,
  ];
  const sound = mean(steps.map(({ positive }) => Number(positive)));
  return { what, on, problems: groups.length, steps: steps.length, sound, auc, accuracy };
}

/** Values of the steps of each problem, positive where the reasoning is right up to there; of responses whose steps are all known. */
function groupsOf<Step extends { readonly right?: boolean | null }>(
  responses: readonly { readonly problem: string; readonly steps: readonly Step[] }[],
  take: (step: Step) => number | null,
): Scored[][] {
  const known = responses.flatMap(({ problem, steps }) => {
    const right = steps.flatMap((step) => step.right ?? []);
    const values = steps.flatMap((step) => take(step) ?? []);
    return right.length === steps.length && values.length === steps.length ? [{ problem, right, values }] : [];
  });
  const byProblem = [...groupBy(known, ({ problem }) => problem).values()];
  const groups = byProblem.map((some) =>
    some.flatMap(({ right, values }) =>
      soundSoFar(right).map((positive, i) => ({ score: values[i] as number, positive })),
    ),
  );
  return groups.filter((group) => group.length > 0);
}
