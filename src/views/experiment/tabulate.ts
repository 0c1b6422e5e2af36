// A finished experiment as numbers: each row's accuracies with intervals over seeds, and its differences from the
// reference row, seed by seed. Pure functions of summaries.
import { precedesIterations } from '../../evolve/phases.js';
import type { Summary } from '../../evolve/summary.js';
import { type Estimate, estimate, pairedEstimate } from '../../measure/seeds.js';
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
  /** Against the reference row, seed by seed; none for the reference itself and the rows that every run has. */
  readonly differences: Readonly<Partial<Record<MeasureName, Estimate>>> | null;
  readonly work: Work | null;
}

/** Means over seeds of what the iterations took. */
export interface Work {
  readonly iterations: number;
  readonly steps: number;
  /** Responses sampled for training. */
  readonly sampled: number;
  /** Examples trained on, each once an epoch. */
  readonly selected: number;
  /** Share of wrong chains among what was trained on; null where the truth is not known. */
  readonly lucky: number | null;
  /** Of all phases from the first iteration on. */
  readonly seconds: number;
}

export interface ExperimentTable {
  readonly plan: Plan;
  readonly seeds: readonly number[];
  readonly rows: readonly TableRow[];
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
  const compared = estimates(reference, 'last');
  const rows: TableRow[] = [
    ...(['base', 'warmup'] as const).map((at): TableRow => {
      const name = at === 'base' ? 'Base model' : 'Warm-up';
      return { row: at, name, measures: estimates(reference, at), differences: null, work: null };
    }),
    ...plan.rows.map(({ row, name }): TableRow => {
      const summaries = of(row);
      const measures = estimates(summaries, 'last');
      const differences = row === plan.reference ? null : differencesOf(measures, compared);
      return { row, name, measures, differences, work: workOf(summaries) };
    }),
  ];
  return { plan, seeds, rows, shared: sharedSeconds(reference) };
}

type At = 'base' | 'warmup' | 'last';

function estimates(summaries: readonly Summary[], at: At): TableRow['measures'] {
  const entries = (Object.keys(MEASURES) as MeasureName[]).flatMap((name) => {
    const values = summaries.map((summary) => measured(summary, name, at));
    return values.length > 0 && values.every((value) => value !== undefined) ? [[name, estimate(values)] as const] : [];
  });
  return Object.fromEntries(entries);
}

function measured({ test, outOfDomain, final, dynamics }: Summary, name: MeasureName, at: At): number | undefined {
  const pick = (by: Summary['test']): number | undefined =>
    (at === 'last' ? Object.values(by).at(-1) : by[at])?.accuracy;
  if (name === 'test') return pick(test);
  if (name === 'outOfDomain') return pick(outOfDomain);
  if (at !== 'last') return name === 'validation' && at === 'warmup' ? dynamics[0]?.greedy.accuracy : undefined;
  if (name === 'validation') return dynamics.at(-1)?.greedy.accuracy;
  return name === 'passAt1' ? final?.samples.passAt1 : final?.samples.passAtK;
}

function differencesOf(own: TableRow['measures'], reference: TableRow['measures']): TableRow['measures'] {
  const entries = (Object.keys(MEASURES) as MeasureName[]).flatMap((name) => {
    const [a, b] = [own[name], reference[name]];
    return a && b ? [[name, pairedEstimate(a.values, b.values)] as const] : [];
  });
  return Object.fromEntries(entries);
}

function workOf(summaries: readonly Summary[]): Work {
  const mean = (of: (summary: Summary) => number): number =>
    summaries.reduce((sum, summary) => sum + of(summary), 0) / summaries.length;
  const sum = (summary: Summary, of: (one: Summary['iterations'][number]) => number): number =>
    summary.iterations.reduce((total, one) => total + of(one), 0);
  const selected = (summary: Summary): number => sum(summary, ({ choice }) => choice.selected);
  const truth = summaries.some(({ iterations }) => iterations.some(({ lucky }) => lucky !== null));
  return {
    iterations: mean(({ iterations }) => iterations.length),
    steps: mean((summary) => sum(summary, ({ training }) => training.steps)),
    sampled: mean((summary) => sum(summary, ({ choice }) => choice.sampled)),
    selected: mean(selected),
    lucky: truth ? mean((one) => sum(one, ({ choice }) => choice.luckySelected) / Math.max(1, selected(one))) : null,
    seconds: mean(({ phases }) => secondsOf(phases, (name) => !precedesIterations(name))),
  };
}

function secondsOf(phases: Summary['phases'], wanted: (phase: string) => boolean): number {
  return Object.entries(phases).reduce((sum, [phase, { seconds }]) => sum + (wanted(phase) ? seconds : 0), 0);
}

function sharedSeconds(summaries: readonly Summary[]): Record<string, number> {
  const names = [...new Set(summaries.flatMap(({ phases }) => Object.keys(phases)))].filter(precedesIterations);
  return Object.fromEntries(
    names.map((name) => [
      name,
      summaries.reduce((sum, { phases }) => sum + (phases[name]?.seconds ?? 0), 0) / summaries.length,
    ]),
  );
}
