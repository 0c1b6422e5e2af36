// The figures of an experiment as SVG files: accuracies and differences of the rows, and curves of the dynamics.
import { rampColour } from '../../page/charts/axes.js';
import { type ForestRow, forestChart } from '../../page/charts/forest.js';
import { type Line, lineChart } from '../../page/charts/line.js';
import { percent, points } from '../../page/format.js';
import type { Markup } from '../../page/html.js';
import { CURVES, type Curve, type CurveName } from './curves.js';
import type { Plan } from './plans.js';
import { type ExperimentTable, MEASURES, type MeasureName } from './tabulate.js';

export interface FigureFile {
  /** What is added to the name of the experiment: `table1` and `-test` make table1-test.svg. */
  readonly suffix: string;
  readonly title: string;
  readonly chart: Markup;
}

/** Greedy accuracies with intervals, and differences from the reference row. */
export function tableFigures({ plan, rows, seeds }: ExperimentTable): FigureFile[] {
  const measures = (['test', 'outOfDomain'] as const).filter((measure) => rows.every((row) => row.measures[measure]));
  return measures.flatMap((measure) => {
    const own = figure(
      plan,
      measure,
      'accuracy',
      `${MEASURES[measure]}, percent`,
      rows.map(({ name, measures: of }): ForestRow => {
        const { mean, low, high, values } = of[measure] as NonNullable<(typeof of)[MeasureName]>;
        return { name, value: mean, low, high, values, text: percent(mean) };
      }),
    );
    const reference = plan.rows.find(({ row }) => row === plan.reference)?.name ?? plan.reference;
    const compared = rows.flatMap(({ name, differences }): ForestRow[] => {
      const difference = differences?.[measure];
      if (!difference) return [];
      const { mean, low, high, values } = difference;
      return [{ name, value: mean, low, high, values, text: points(mean) }];
    });
    if (seeds.length < 2 || compared.length === 0) return [own];
    return [own, figure(plan, measure, 'difference', `${MEASURES[measure]}: points above ${reference}`, compared, 0)];
  });
}

function figure(
  plan: Plan,
  measure: MeasureName,
  kind: 'accuracy' | 'difference',
  xName: string,
  rows: readonly ForestRow[],
  mark?: number,
): FigureFile {
  const suffix = `-${measure === 'outOfDomain' ? 'out-of-domain' : measure}${kind === 'difference' ? '-difference' : ''}`;
  const description = rows.map(({ name, text }) => `${name}: ${text}`).join(', ');
  const chart = forestChart({ id: `${plan.name}${suffix}`, title: plan.title, description, xName, rows, mark });
  return { suffix, title: `${plan.title}: ${xName}`, chart };
}

/** For each measure the curves of the reference row by temperature, and those of all rows at the temperature in use. */
export function curveFigures(plan: Plan, curves: readonly Curve[]): FigureFile[] {
  return (Object.keys(CURVES) as CurveName[]).flatMap((measure): FigureFile[] => {
    const own = curves.filter((curve) => curve.measure === measure);
    const files: FigureFile[] = [];
    for (const { row, name } of plan.rows) {
      const followed = own.filter((curve) => curve.row === row && typeof curve.temperature === 'number');
      const lines = followed.map((curve, i) => lineOf(curve, `T ${curve.temperature}`, rampColour(i, followed.length)));
      if (lines.length > 1) files.push(drawn(plan, `-${row}-${dashed(measure)}`, `${CURVES[measure]}: ${name}`, lines));
    }
    const used = own.filter(({ temperature }) => temperature === 'used' || temperature === null);
    const colours = ['var(--s1)', 'var(--s2)', 'var(--s3)'] as const;
    const lines = used.map((curve, i) =>
      lineOf(
        curve,
        plan.rows.find(({ row }) => row === curve.row)?.name ?? curve.row,
        colours[i % colours.length] ?? 'var(--s1)',
      ),
    );
    const at = measure === 'greedy' ? '' : ' at the temperature in use';
    if (lines.length > 0) files.push(drawn(plan, `-${dashed(measure)}`, `${CURVES[measure]}${at}`, lines));
    return files;
  });
}

function drawn(plan: Plan, suffix: string, title: string, lines: readonly Line[]): FigureFile {
  const text = { id: `${plan.name}${suffix}`, title, description: `${title} by iteration` };
  const chart = lineChart({ ...text, xName: 'iteration', lines, share: true });
  return { suffix, title, chart };
}

function lineOf(curve: Curve, name: string, colour: Line['colour']): Line {
  return { name, colour, points: curve.points.map(({ iteration, value }) => [iteration, value.mean] as const) };
}

function dashed(measure: CurveName): string {
  return measure.replace(/[A-Z\d]/g, (start) => `-${start.toLowerCase()}`);
}
