// A finished experiment as numbers: each row's accuracies with intervals over seeds, its differences from the reference row,
// seed by seed, and its dynamics as curves (P13). Pure functions of summaries.
import { mean, sum } from '../../core/lists.js';
import { precedesIterations } from '../../evolve/phases.js';
import type { Summary } from '../../evolve/summary.js';
import { followedTemperatures, samplesAt } from '../../measure/rollouts.js';
import { type Estimate, estimate, holm, pairedEstimate, pooledDifference, residualOf } from '../../measure/seeds.js';
import type { Measurement } from '../../record/results.js';
import type { Plan } from './plans.js';

/** What is compared, in the order of the columns; shares are 0..1. */
export const MEASURES = {
  test: 'test, greedy',
  outOfDomain: 'out of domain, greedy',
  passAt1: 'test, one sample',
  passAtK: 'test, Pass@K',
  validation: 'validation, greedy',
} as const;
export type MeasureName = keyof typeof MEASURES;

/** A run, as far as tables go. */
export interface Run {
  readonly seed: number;
  readonly row: string;
  readonly summary: Summary;
}

export interface TableRow {
  readonly row: string;
  readonly name: string;
  readonly measures: Readonly<Partial<Record<MeasureName, Estimate>>>;
  /** The row that it is compared with; null for the reference itself and the rows that every run has. */
  readonly against: string | null;
  /** From that row, seed by seed. */
  readonly differences: Readonly<Partial<Record<MeasureName, Difference>>> | null;
  /** Means over seeds of what the iterations took; none for the rows that every run has. */
  readonly work: {
    readonly iterations: number;
    readonly steps: number;
    /** Responses sampled for training. */
    readonly sampled: number;
    /** Responses selected for training. */
    readonly selected: number;
    /** Examples that the optimizer steps saw, each once a pass; null for runs that did not count them. */
    readonly seen: number | null;
    /** Share of wrong chains among the selected; null where the truth is not known. */
    readonly lucky: number | null;
    /** Of all phases from the first iteration on. */
    readonly seconds: number;
  } | null;
}

/** A difference between rows: its own interval over seeds, and what the spread of all rows of the table says of it. */
export interface Difference extends Estimate {
  /** Null with one seed. */
  readonly pooled: { readonly low: number; readonly high: number } | null;
  /** Two-sided, that there is none, by the pooled spread; adjusted by Holm over the rows of the table. */
  readonly p: number | null;
}

export interface ExperimentTable {
  readonly plan: Plan;
  readonly seeds: readonly number[];
  readonly rows: readonly TableRow[];
  /** Standard deviation of a run when its row and its seed are taken out, pooled over the rows; null with one seed. */
  readonly spread: Readonly<Partial<Record<MeasureName, { readonly sd: number; readonly freedom: number } | null>>>;
  /** Mean seconds of the phases that the rows of a seed share. */
  readonly shared: Readonly<Record<string, number>>;
}

/** @param runs of the plan's rows; seeds that do not have all of them are left out */
export function tabulate(plan: Plan, runs: readonly Run[]): ExperimentTable {
  const seeds = [...new Set(runs.map(({ seed }) => seed))].filter((seed) =>
    plan.rows.every(({ row }) => runs.some((run) => run.seed === seed && run.row === row)),
  );
  const of = (row: string): Summary[] =>
    seeds.map((seed) => (runs.find((run) => run.seed === seed && run.row === row) as Run).summary);
  const reference = of(plan.reference);
  const last = new Map(plan.rows.map(({ row }) => [row, estimates(of(row), 'last')]));
  const compared = compare(plan, last);
  const rows: TableRow[] = [
    ...(['base', 'warmup'] as const).map((at): TableRow => {
      const name = at === 'base' ? 'Base model' : 'Warm-up';
      return { row: at, name, measures: estimates(reference, at), against: null, differences: null, work: null };
    }),
    ...plan.rows.map(({ row, name }): TableRow => {
      const measures = last.get(row) as TableRow['measures'];
      const { against = null, differences = null } = compared.rows.get(row) ?? {};
      return { row, name, measures, against, differences, work: workOf(of(row)) };
    }),
  ];
  const { spread } = compared;
  return { plan, seeds, rows, spread, shared: sharedSeconds(plan.rows.flatMap(({ row }) => of(row))) };
}

type At = 'base' | 'warmup' | 'last';
const NAMES = Object.keys(MEASURES) as MeasureName[];

function estimates(summaries: readonly Summary[], at: At): TableRow['measures'] {
  const entries = NAMES.flatMap((name) => {
    const values = summaries.map((summary) => accuracyOf(summary, name, at));
    return values.length > 0 && values.every((value) => value !== undefined) ? [[name, estimate(values)] as const] : [];
  });
  return Object.fromEntries(entries);
}

/** What the last checkpoint came to, 0..1. */
export function measureOf(summary: Summary, name: MeasureName): number | undefined {
  return accuracyOf(summary, name, 'last');
}

function accuracyOf({ test, outOfDomain, final, dynamics }: Summary, name: MeasureName, at: At): number | undefined {
  const pick = (by: Summary['test']): number | undefined =>
    (at === 'last' ? Object.values(by).at(-1) : by[at])?.accuracy;
  if (name === 'test') return pick(test);
  if (name === 'outOfDomain') return pick(outOfDomain);
  if (at !== 'last') return name === 'validation' && at === 'warmup' ? dynamics[0]?.greedy.accuracy : undefined;
  if (name === 'validation') return dynamics.at(-1)?.greedy.accuracy;
  return name === 'passAt1' ? final?.samples.passAt1 : final?.samples.passAtK;
}

/** Every row against the one that it is to be compared with. */
function compare(
  plan: Plan,
  last: ReadonlyMap<string, TableRow['measures']>,
): {
  readonly rows: Map<string, Pick<TableRow, 'against' | 'differences'>>;
  readonly spread: ExperimentTable['spread'];
} {
  const pairs = plan.rows.flatMap(({ row, against = plan.reference }) => (row === against ? [] : [{ row, against }]));
  const found = new Map(pairs.map(({ row }) => [row, {} as Partial<Record<MeasureName, Difference>>]));
  const spread: Partial<Record<MeasureName, ReturnType<typeof residualOf>>> = {};
  for (const name of NAMES) {
    const residual = residualOf(
      [...last.values()].flatMap((measures) => (measures[name] ? [measures[name].values] : [])),
    );
    const own = pairs.flatMap(({ row, against }) => {
      const [a, b] = [last.get(row)?.[name], last.get(against)?.[name]];
      if (!a || !b) return [];
      const paired = pairedEstimate(a.values, b.values);
      return [{ row, paired, pooled: residual && pooledDifference(paired.mean, a.values.length, residual) }];
    });
    if (own.length > 0) spread[name] = residual;
    const ps = holm(own.flatMap(({ pooled }) => (pooled ? [pooled.p(0)] : [])));
    for (const [i, { row, paired, pooled }] of own.entries())
      (found.get(row) as Partial<Record<MeasureName, Difference>>)[name] = {
        ...paired,
        pooled: pooled && { low: pooled.low, high: pooled.high },
        p: ps[i] ?? null,
      };
  }
  const rows = new Map(pairs.map(({ row, against }) => [row, { against, differences: found.get(row) ?? null }]));
  return { rows, spread };
}

function workOf(summaries: readonly Summary[]): TableRow['work'] {
  const over = (of: (summary: Summary) => number): number => mean(summaries.map(of));
  const all = (summary: Summary, of: (one: Summary['iterations'][number]) => number): number =>
    sum(summary.iterations.map(of));
  const selected = (summary: Summary): number => all(summary, ({ choice }) => choice.selected);
  const truth = summaries.some(({ iterations }) => iterations.some(({ lucky }) => lucky !== null));
  const counted = summaries.every(({ iterations }) => iterations.every(({ training }) => training.seen !== undefined));
  return {
    iterations: over(({ iterations }) => iterations.length),
    steps: over((summary) => all(summary, ({ training }) => training.steps)),
    sampled: over((summary) => all(summary, ({ choice }) => choice.sampled)),
    selected: over(selected),
    seen: counted ? over((summary) => all(summary, ({ training }) => training.seen ?? 0)) : null,
    lucky: truth ? over((one) => all(one, ({ choice }) => choice.luckySelected) / Math.max(1, selected(one))) : null,
    seconds: over(({ phases }) =>
      sum(Object.entries(phases).map(([name, { seconds }]) => (precedesIterations(name) ? 0 : seconds))),
    ),
  };
}

function sharedSeconds(summaries: readonly Summary[]): Record<string, number> {
  const names = [...new Set(summaries.flatMap(({ phases }) => Object.keys(phases)))].filter(precedesIterations);
  return Object.fromEntries(
    names.map((name) => [name, mean(summaries.flatMap(({ phases }) => phases[name]?.seconds ?? []))]),
  );
}

export const CURVES = {
  greedy: 'Greedy accuracy',
  passAtK: 'Pass@K',
  gap: 'Pass@K − greedy',
  rewardPassAt2: 'Reward-Pass@2',
} as const;
export type CurveName = keyof typeof CURVES;

/** What a curve or a change is of. */
interface Followed {
  readonly row: string;
  readonly measure: CurveName;
  /** `used`: the one that the iteration before was sampled with, at the start the first one is; null for greedy. */
  readonly temperature: number | 'used' | null;
}

/** Means over the seeds that came so far, by iteration; 0 is the warm-up. */
export interface Curve extends Followed {
  readonly points: readonly { readonly iteration: number; readonly value: Estimate }[];
}

/** A change from the first to the last measurement. */
export interface Change extends Followed {
  readonly change: Estimate;
  /** Minus that of the reference row, seed by seed; null for the reference. */
  readonly difference: Estimate | null;
}

/** One curve per row, measure and temperature that all its runs followed. */
export function curvesOf(plan: Plan, runs: readonly Run[]): Curve[] {
  return plan.rows.flatMap(({ row }) => {
    const summaries = summariesOf(runs, row);
    const length = Math.min(...summaries.map(({ dynamics }) => dynamics.length));
    if (length < 2) return [];
    return followedBy(row, summaries).map((followed): Curve => {
      const points = Array.from({ length }, (_, at) => ({
        iteration: summaries[0]?.dynamics[at]?.iteration ?? at,
        value: estimate(summaries.map((summary) => measured(summary, at, followed))),
      }));
      return { ...followed, points };
    });
  });
}

/** What each curve did from its start to its end, each run to its own end. */
export function changesOf(plan: Plan, runs: readonly Run[]): Change[] {
  return plan.rows.flatMap(({ row }) =>
    followedBy(row, summariesOf(runs, row)).map((followed): Change => {
      const changes = (of: string): number[] =>
        summariesOf(runs, of).map((one) => measured(one, -1, followed) - measured(one, 0, followed));
      const difference = row === plan.reference ? null : pairedEstimate(changes(row), changes(plan.reference));
      return { ...followed, change: estimate(changes(row)), difference };
    }),
  );
}

/** By ascending seed. */
function summariesOf(runs: readonly Run[], row: string): Summary[] {
  const own = runs.filter((run) => run.row === row).sort((a, b) => a.seed - b.seed);
  return own.map(({ summary }) => summary);
}

const NAMES_SAMPLED = ['passAtK', 'gap', 'rewardPassAt2'] as const;

/** Measures with the temperatures that every measurement of every run has. */
function followedBy(row: string, summaries: readonly Summary[]): Followed[] {
  const temperatures = [...followedTemperatures(summaries.flatMap(({ dynamics }) => dynamics)), 'used'] as const;
  const measurements = summaries.flatMap(({ dynamics }) => dynamics.flatMap(({ samples }) => samples));
  // Without a PRM there is no such measure.
  const isScored = measurements.every(({ rewardPassAt2 }) => rewardPassAt2 !== null);
  const sampled = (isScored ? NAMES_SAMPLED : NAMES_SAMPLED.slice(0, -1)).flatMap((measure) =>
    temperatures.map((temperature) => ({ row, measure, temperature })),
  );
  return [{ row, measure: 'greedy', temperature: null }, ...sampled];
}

/** @param at place among the measurements, from the end where it is negative */
function measured({ dynamics, iterations }: Summary, at: number, { measure, temperature }: Followed): number {
  const measurement = dynamics.at(at) as Measurement;
  if (measure === 'greedy') return measurement.greedy.accuracy;
  const before = iterations[Math.max(0, measurement.iteration - 1)] ?? iterations.at(-1);
  const wanted = temperature === 'used' ? (before?.temperature ?? 1) : temperature;
  return samplesAt(measurement, wanted)?.[measure] ?? 0;
}
