// The dynamics of the runs of an experiment as curves: means over seeds by iteration (P13). Pure functions of
// summaries.

import type { Summary } from '../../evolve/summary.js';
import { type Estimate, estimate, pairedEstimate } from '../../measure/seeds.js';
import type { Measurement } from '../../record/results.js';
import type { Plan } from './plans.js';
import type { Run } from './tabulate.js';

export const CURVES = {
  greedy: 'Greedy accuracy',
  passAtK: 'Pass@K',
  gap: 'Pass@K − greedy',
  rewardPassAt2: 'Reward-Pass@2',
} as const;
export type CurveName = keyof typeof CURVES;

export interface CurvePoint {
  /** Iteration; 0 is the warm-up. */
  readonly iteration: number;
  /** Over the seeds that came so far. */
  readonly value: Estimate;
}

export interface Curve {
  readonly row: string;
  readonly measure: CurveName;
  /** `used`: the one that the iteration before was sampled with, at the start the first one is; null for greedy. */
  readonly temperature: number | 'used' | null;
  readonly points: readonly CurvePoint[];
}

/** A change from the first to the last measurement. */
export interface Change {
  readonly row: string;
  readonly measure: CurveName;
  readonly temperature: number | 'used' | null;
  readonly change: Estimate;
  /** Minus that of the reference row, seed by seed; null for the reference. */
  readonly difference: Estimate | null;
}

/** One curve per row, measure and temperature that all its runs followed. */
export function curvesOf(plan: Plan, runs: readonly Run[]): Curve[] {
  return plan.rows.flatMap(({ row }) => {
    const summaries = runs.filter((run) => run.row === row).map(({ summary }) => summary);
    return places(summaries).flatMap(([measure, temperature]): Curve[] => {
      const length = Math.min(...summaries.map(({ dynamics }) => dynamics.length));
      const points = Array.from({ length }, (_, at): CurvePoint => {
        const measurements = summaries.map(({ dynamics }) => dynamics[at] as Measurement);
        const values = summaries.map((summary, i) =>
          measured(summary, measurements[i] as Measurement, measure, temperature),
        );
        return {
          iteration: (measurements[0] as Measurement).iteration,
          value: estimate(values.map((value) => value ?? 0)),
        };
      });
      return points.length > 1 ? [{ row, measure, temperature, points }] : [];
    });
  });
}

/** What each curve did from its start to its end, each run to its own end. */
export function changesOf(plan: Plan, runs: readonly Run[]): Change[] {
  const summaries = (row: string): Summary[] =>
    runs
      .filter((run) => run.row === row)
      .sort((a, b) => a.seed - b.seed)
      .map(({ summary }) => summary);
  const change = (summary: Summary, measure: CurveName, temperature: Curve['temperature']): number => {
    const value = (at: number): number =>
      measured(summary, summary.dynamics.at(at) as Measurement, measure, temperature) ?? 0;
    return value(-1) - value(0);
  };
  return plan.rows.flatMap(({ row }) =>
    places(summaries(row)).map(([measure, temperature]): Change => {
      const own = summaries(row).map((summary) => change(summary, measure, temperature));
      const reference = summaries(plan.reference).map((summary) => change(summary, measure, temperature));
      return {
        row,
        measure,
        temperature,
        change: estimate(own),
        difference: row === plan.reference ? null : pairedEstimate(own, reference),
      };
    }),
  );
}

/** Measures with the temperatures that every measurement of every run has. */
function places(summaries: readonly Summary[]): [CurveName, Curve['temperature']][] {
  const followed = (temperature: number): boolean =>
    summaries.every(({ dynamics }) =>
      dynamics.every(({ samples }) => samples.some((sample) => sample.temperature === temperature)),
    );
  const temperatures = (summaries[0]?.dynamics[0]?.samples ?? [])
    .map(({ temperature }) => temperature)
    .filter(followed);
  const sampled = ['passAtK', 'gap', 'rewardPassAt2'] as const;
  return [
    ['greedy', null],
    ...sampled.flatMap((measure) =>
      ([...temperatures, 'used'] as const).map((temperature): [CurveName, Curve['temperature']] => [
        measure,
        temperature,
      ]),
    ),
  ];
}

function measured(
  summary: Summary,
  measurement: Measurement,
  measure: CurveName,
  temperature: Curve['temperature'],
): number | null {
  if (measure === 'greedy') return measurement.greedy.accuracy;
  const wanted = temperature === 'used' ? usedAt(summary, measurement) : temperature;
  return measurement.samples.find((sample) => sample.temperature === wanted)?.[measure] ?? null;
}

/** The temperature that the iteration before was sampled with, or for the start the first one is. */
function usedAt({ iterations }: Summary, { iteration }: Measurement): number {
  return (iterations[Math.max(0, iteration - 1)] ?? iterations.at(-1))?.temperature ?? 1;
}
