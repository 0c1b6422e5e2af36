// Monte-Carlo labels and PRM scores against the true reasoning that generated problems come with, step by step.
import { type BootstrapOptions, bootstrapStatistics, type Interval } from '../../measure/bootstrap.js';
import { groupedAuc, minus, ratio, type Scored, type Statistic } from '../../measure/statistics.js';
import type { HeldOutResponse } from '../../record/held-out.js';
import type { LabelledResponse } from '../../record/labels.js';
import { soundSoFar } from '../../reward/truth.js';
import type { Truth, TruthRow } from './analysis.js';
import type { AskedProblem } from './read.js';

/** Values of the steps of each problem, positive where the reasoning is right up to there. */
type Groups = readonly (readonly Scored[])[];

export interface TruthSources {
  readonly heldOut: readonly HeldOutResponse[];
  readonly labelled: readonly LabelledResponse[];
  readonly sampled: readonly AskedProblem[];
  /** Name of the table that `sampled` is from. */
  readonly table: string;
}

/** Null where the truth of no step is known. */
export function truthOf({ heldOut, labelled, sampled, table }: TruthSources, options: BootstrapOptions): Truth | null {
  const labels = groupsOf(heldOut, ({ label }) => label);
  const scores = groupsOf(heldOut, ({ score }) => score);
  const rows = [
    rowOf('labels', 'held-out steps', labels, options),
    rowOf('scores', 'held-out steps', scores, options),
    rowOf(
      'labels',
      'all labelled steps',
      groupsOf(labelled, ({ label }) => label),
      options,
    ),
    rowOf('scores', `steps of ${table}`, sampled.map(scoredSteps), options),
  ].filter((row) => row !== null);
  if (rows.length === 0) return null;
  const [difference = null] = bootstrapStatistics(
    Math.max(1, labels.length),
    [minus(groupedAuc(labels), groupedAuc(scores))],
    options,
  );
  return { rows, difference };
}

function rowOf(what: TruthRow['what'], on: string, all: Groups, options: BootstrapOptions): TruthRow | null {
  const groups = all.filter((group) => group.length > 0);
  const steps = groups.flat();
  if (steps.length === 0) return null;
  const hits = groups.map((group) => group.filter(({ score, positive }) => score >= 0.5 === positive).length);
  const accuracy: Statistic = ratio(
    hits,
    groups.map((group) => group.length),
  );
  const [area, right] = bootstrapStatistics(groups.length, [groupedAuc(groups), accuracy], options) as [
    Interval | null,
    Interval,
  ];
  const sound = steps.filter(({ positive }) => positive).length / steps.length;
  return { what, on, problems: groups.length, steps: steps.length, sound, auc: area, accuracy: right };
}

interface Told {
  readonly problem: string;
  readonly steps: readonly { readonly right?: boolean }[];
}

/** Responses whose steps are known, by problem. */
function groupsOf<T extends Told>(responses: readonly T[], take: (step: T['steps'][number]) => number): Groups {
  const groups = new Map<string, Scored[]>();
  for (const { problem, steps } of responses) {
    const right = steps.flatMap((step) => step.right ?? []);
    if (right.length !== steps.length) continue;
    const sound = soundSoFar(right);
    const values = steps.map((step, i) => ({ score: take(step), positive: sound[i] as boolean }));
    groups.set(problem, [...(groups.get(problem) ?? []), ...values]);
  }
  return [...groups.values()];
}

function scoredSteps({ responses }: AskedProblem): Scored[] {
  return responses.flatMap(({ steps }) => {
    const right = steps.flatMap((step) => step.right ?? []);
    const scores = steps.flatMap(({ score }) => score ?? []);
    if (right.length !== steps.length || scores.length !== steps.length) return [];
    return soundSoFar(right).map((positive, i) => ({ score: scores[i] as number, positive }));
  });
}
