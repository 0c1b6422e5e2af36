// The files of an experiment: NAME.json with every number, NAME.md and NAME.html to read, NAME-*.svg as figures.
import { join } from 'node:path';
import { titleOf } from '../../evolve/phases.js';
import type { Estimate } from '../../measure/seeds.js';
import { rampColour } from '../../page/charts/axes.js';
import { type ForestRow, forestChart } from '../../page/charts/interval.js';
import { type Line, lineChart } from '../../page/charts/line.js';
import type { Document } from '../../page/document.js';
import { count, decimal, duration, percent, points, ranged } from '../../page/format.js';
import { html, type Part } from '../../page/html.js';
import { type Column, type Figure, figure, grid, note, section, table } from '../../page/parts.js';
import { writeDocument } from '../write.js';
import { FEWEST_SEEDS } from './findings.js';
import type { Plan } from './plans.js';
import {
  type Change,
  CURVES,
  type Curve,
  type CurveName,
  changesOf,
  curvesOf,
  type Difference,
  type ExperimentTable,
  MEASURES,
  type MeasureName,
  type Run,
  type TableRow,
  tabulate,
} from './tabulate.js';

export interface About {
  /** The line that makes the files again. */
  readonly command: string;
  readonly scale: string;
  /** What the rows have in common, as `name: value`. */
  readonly settings: readonly string[];
}

/**
 * Writes the files of one plan into `dir`.
 * @returns path of the Markdown file; undefined where no seed has all rows yet
 */
export async function writeExperiment(
  dir: string,
  plan: Plan,
  runs: readonly Run[],
  about: About,
): Promise<string | undefined> {
  const tabulated = tabulate(plan, runs);
  if (tabulated.seeds.length === 0) return undefined;
  const whole = runs.filter(
    ({ seed, row }) => tabulated.seeds.includes(seed) && plan.rows.some((one) => one.row === row),
  );
  const { followed = false } = plan;
  const curves = followed ? curvesOf(plan, whole) : [];
  const changes = followed ? changesOf(plan, whole) : [];
  const figures = [...curveFigures(plan, curves), ...tableFigures(tabulated)];
  const { plan: _, ...numbers } = tabulated;
  const thresholds = whole.flatMap(({ seed, row, summary }) =>
    summary.threshold ? [{ seed, row, ...summary.threshold }] : [],
  );
  const decisions = whole.flatMap(({ seed, row, summary }) =>
    summary.dynamics.flatMap(({ iteration, decision }) => {
      if (!decision) return [];
      const { chosen, tied, scores } = decision;
      return [{ seed, row, iteration, chosen, tied, scores }];
    }),
  );
  const json = { experiment: plan.name, title: plan.title, ...about, reference: plan.reference, ...numbers };
  const more = followed ? { curves, changes, decisions } : { thresholds };
  const document = describeExperiment(tabulated, about, figures, [
    thresholds.length > 0 && thresholdsTable(thresholds),
    changes.length > 0 && changesTable(plan, changes),
    decisions.length > 0 && decisionsTable(decisions),
  ]);
  await writeDocument(dir, plan.name, document, { ...json, ...more }, figures);
  return join(dir, `${plan.name}.md`);
}

function describeExperiment(
  { plan, seeds, rows, spread, shared }: ExperimentTable,
  about: About,
  figures: readonly Figure[],
  decided: readonly Part[],
): Document {
  const names = (Object.keys(MEASURES) as MeasureName[]).filter((name) => rows.some((row) => row.measures[name]));
  const sharedTimes = Object.entries(shared).map(([phase, seconds]) => `${titleOf(phase)} ${duration(seconds)}`);
  const compared = rows.filter(({ differences }) => differences);
  const named: Column<TableRow> = ['', ({ name }) => name];
  return {
    kind: 'mstar experiment',
    title: plan.title,
    sections: [
      section(
        'results',
        'Results',
        html`<p><code>${about.command}</code></p>`,
        note(
          `${seeds.length === 1 ? 'Seed' : 'Seeds'} ${seeds.join(', ')}; mean over seeds with its 95 % interval (Student's t); ${about.settings.join('; ')}.`,
        ),
        table('Accuracy', rows, [
          named,
          ...names.map((one): Column<TableRow> => [MEASURES[one], ({ measures }) => ranged(measures[one])]),
        ]),
        seeds.length > 1 &&
          table("Differences in points, paired by seed, with the intervals of Student's t over the seeds", compared, [
            named,
            ['above', ({ against }) => nameOf(plan, against ?? '')],
            ...names.map((one): Column<TableRow> => [MEASURES[one], (row) => difference(row.differences?.[one])]),
          ]),
        seeds.length > 1 &&
          table(
            'The same by the spread of single runs, pooled over all rows; p adjusted by Holm over the rows',
            compared,
            [
              named,
              ['above', ({ against }) => nameOf(plan, against ?? '')],
              ...names.map((one): Column<TableRow> => [MEASURES[one], (row) => pooledText(row.differences?.[one])]),
            ],
          ),
        seeds.length > 1 &&
          note(
            `Standard deviation of a run, its row and its seed taken out: ${names.flatMap((one) => (spread[one] ? [`${MEASURES[one]} ${points(spread[one].sd).slice(1)}`] : [])).join(', ')} points. Bold: adjusted p below 0.05, with ${FEWEST_SEEDS} seeds or more.`,
          ),
        table('By seed, greedy on the test', rows, [
          named,
          ...seeds.map(
            (seed, i): Column<TableRow> => [`seed ${seed}`, ({ measures }) => percent(measures.test?.values[i])],
          ),
        ]),
      ),
      ...(decided.some((part) => part) ? [section('decisions', 'Decisions and changes', decided)] : []),
      section(
        'work',
        'Work',
        table(
          'Means over seeds, of the iterations and their measurements',
          rows.flatMap(({ name, work }) => (work ? [{ name, ...work }] : [])),
          [
            ['', ({ name }) => name],
            ['iterations', ({ iterations }) => decimal(iterations, 1)],
            ['optimizer steps', ({ steps }) => count(steps)],
            ['responses sampled', ({ sampled }) => count(sampled)],
            ['selected', ({ selected }) => count(selected)],
            ['trained on, once a pass', ({ seen }) => (seen === null ? '' : count(seen))],
            ['wrong chains among the selected', ({ lucky }) => percent(lucky)],
            ['time', ({ seconds }) => duration(seconds)],
          ],
        ),
        note(`Shared by the rows of a seed: ${sharedTimes.join(', ')}.`),
      ),
      section('figures', 'Figures', grid(...figures.map((one) => figure({ ...one, file: `${one.id}.svg` })))),
    ],
  };
}

function nameOf(plan: Plan, row: string): string {
  return plan.rows.find((one) => one.row === row)?.name ?? row;
}

function thresholdsTable(
  found: readonly ({ readonly seed: number } & NonNullable<Run['summary']['threshold']>)[],
): Part {
  const thresholds = found[0]?.scores.map(({ threshold }) => threshold) ?? [];
  return table('Thresholds searched for: greedy validation accuracy after the first iteration (examples kept)', found, [
    ['', ({ seed }) => `seed ${seed}`],
    ...thresholds.map(
      (threshold, i): Column<(typeof found)[number]> => [
        String(threshold),
        ({ scores }) => `${percent(scores[i]?.accuracy)} (${count(scores[i]?.selected)})`,
      ],
    ),
    ['taken', ({ chosen }) => String(chosen)],
  ]);
}

function changesTable(plan: Plan, changes: readonly Change[]): Part {
  const at = (temperature: Change['temperature']): string =>
    temperature === null ? '' : temperature === 'used' ? ', T in use' : `, T ${temperature}`;
  const of = (row: string | undefined, like: Change): Change | undefined =>
    changes.find((one) => one.row === row && one.measure === like.measure && one.temperature === like.temperature);
  return table(
    'Change on validation from the warm-up to the last measurement, in points',
    changes.filter(({ row }) => row === plan.reference),
    [
      ['', ({ measure, temperature }) => `${CURVES[measure]}${at(temperature)}`],
      ...plan.rows.map(({ row, name }): Column<Change> => [name, (one) => difference(of(row, one)?.change)]),
      ['difference', (one) => difference(of(plan.rows.at(-1)?.row, one)?.difference)],
    ],
  );
}

interface Decision {
  readonly seed: number;
  readonly iteration: number;
  readonly chosen: number;
  readonly tied: readonly number[];
  readonly scores: readonly { readonly temperature: number; readonly rewardPassAt2: number | null }[];
}

function decisionsTable(decisions: readonly Decision[]): Part {
  const temperatures = decisions[0]?.scores.map(({ temperature }) => temperature) ?? [];
  return table('Temperatures chosen, with Reward-Pass@2 of each on validation; of equals the lowest', decisions, [
    ['seed, after iteration', ({ seed, iteration }) => `${seed}, ${iteration}`],
    ...temperatures.map(
      (temperature, i): Column<Decision> => [
        String(temperature),
        ({ scores }) => percent(scores[i]?.rewardPassAt2).replace(' %', ''),
      ],
    ),
    ['tied', ({ tied }) => (tied.length > 1 ? tied.join(', ') : '–')],
    ['chosen', ({ chosen }) => String(chosen)],
  ]);
}

function difference(estimate: Estimate | null | undefined): Part {
  return ranged(estimate, points);
}

/** Bold where it is unlikely to be chance: few seeds may happen to agree, and of many rows some will. */
function pooledText(one: Difference | undefined): Part {
  if (!one?.pooled || one.p === null) return ranged(null);
  const text = `${ranged({ mean: one.mean, ...one.pooled }, points)}, p ${decimal(one.p, 3)}`;
  return one.p < 0.05 && one.values.length >= FEWEST_SEEDS ? html`<b>${text}</b>` : text;
}

/** Greedy accuracies with intervals, and differences from the reference row. */
function tableFigures({ plan, rows, seeds }: ExperimentTable): Figure[] {
  const one = (suffix: string, xName: string, forest: readonly ForestRow[], mark?: number): Figure => ({
    id: `${plan.name}-${suffix}`,
    title: `${plan.title}: ${xName}`,
    chart: forestChart(xName, forest, mark),
  });
  const forestOf = (of: (row: TableRow) => Estimate | undefined, text: (mean: number) => string): ForestRow[] =>
    rows.flatMap((row) => {
      const estimate = of(row);
      return estimate ? [{ name: row.name, ...estimate, text: text(estimate.mean) }] : [];
    });
  const measures = (['test', 'outOfDomain'] as const).filter((measure) => rows.every((row) => row.measures[measure]));
  return measures.flatMap((measure) => {
    const suffix = measure === 'test' ? measure : 'out-of-domain';
    const own = forestOf((row) => row.measures[measure], percent);
    const compared = forestOf((row) => row.differences?.[measure], points);
    const above = `${MEASURES[measure]}: points above the row compared with`;
    return [
      one(suffix, `${MEASURES[measure]}, percent`, own),
      ...(seeds.length > 1 && compared.length > 0 ? [one(`${suffix}-difference`, above, compared, 0)] : []),
    ];
  });
}

/** For each measure the curves of each row by temperature, and those of all rows at the temperature in use. */
function curveFigures(plan: Plan, curves: readonly Curve[]): Figure[] {
  const one = (suffix: string, title: string, lines: readonly Line[]): Figure => ({
    id: `${plan.name}-${suffix}`,
    title,
    chart: lineChart({ xName: 'iteration', lines, share: true }),
  });
  const lineOf = ({ points: all }: Curve, name: string, colour: Line['colour']): Line => ({
    name,
    colour,
    points: all.map(({ iteration, value }) => [iteration, value.mean] as const),
  });
  const colours = ['var(--s1)', 'var(--s2)', 'var(--s3)'] as const;
  return (Object.keys(CURVES) as CurveName[]).flatMap((measure): Figure[] => {
    const own = curves.filter((curve) => curve.measure === measure);
    const dashed = measure.replace(/[A-Z\d]/g, (start) => `-${start.toLowerCase()}`);
    const byTemperature = plan.rows.flatMap(({ row, name }) => {
      const followed = own.filter((curve) => curve.row === row && typeof curve.temperature === 'number');
      const lines = followed.map((curve, i) => lineOf(curve, `T ${curve.temperature}`, rampColour(i, followed.length)));
      return lines.length > 1 ? [one(`${row}-${dashed}`, `${CURVES[measure]}: ${name}`, lines)] : [];
    });
    const used = own
      .filter(({ temperature }) => typeof temperature !== 'number')
      .map((curve, i) => lineOf(curve, nameOf(plan, curve.row), colours[i % colours.length] as Line['colour']));
    const at = measure === 'greedy' ? '' : ' at the temperature in use';
    return used.length > 0 ? [...byTemperature, one(dashed, `${CURVES[measure]}${at}`, used)] : byTemperature;
  });
}
