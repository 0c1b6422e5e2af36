// The paper's tables over benchmarks (Tables 4 and 5): a row for each model and checkpoint, a column for each benchmark and their
// average, or, of one benchmark, for its sub-tasks. Accuracies are greedy, by the protocol of the benchmark, means over seeds.
import { join } from 'node:path';
import { mean } from '../../core/lists.js';
import { type Estimate, estimate, pairedEstimate } from '../../measure/seeds.js';
import { count, percent, points, ranged } from '../../page/format.js';
import { html } from '../../page/html.js';
import { type Column, note, section, table } from '../../page/parts.js';
import type { BenchmarkRow, BenchmarkTable } from '../evaluation/benchmarks.js';
import { writeDocument } from '../write.js';
import type { Plan } from './plans.js';
import type { About } from './write.js';

/** A finished run on the benchmarks of a plan, or on more. */
export interface BenchmarkRun {
  /** Null where an experiment has one model. */
  readonly model: string | null;
  readonly seed: number;
  readonly row: string;
  /** Its last row is the last checkpoint; the base model and the warm-up are wanted of the plan's reference alone. */
  readonly table: BenchmarkTable;
}

export interface BenchmarksRow {
  readonly model: string | null;
  /** `base`, `warmup`, or a row of the plan. */
  readonly row: string;
  readonly name: string;
  readonly seeds: readonly number[];
  /** By column. With one seed the interval is that of the bootstrap over its questions. */
  readonly accuracy: Readonly<Record<string, Estimate>>;
  /** Seed by seed; null for the base model, the warm-up, and where there is no warm-up. */
  readonly aboveWarmup: Readonly<Record<string, Estimate>> | null;
}

/** An accuracy of one run. */
type Score = Pick<Estimate, 'mean' | 'low' | 'high'>;

export interface BenchmarksTable {
  readonly benchmarks: BenchmarkTable['benchmarks'];
  /** Benchmarks and `average`, or `all` and sub-tasks. */
  readonly columns: readonly string[];
  readonly rows: readonly BenchmarksRow[];
}

/** Writes NAME.md, NAME.html and NAME.json. Returns the path of the Markdown file; undefined where no seed has all rows yet. */
export async function writeBenchmarkPlan(
  dir: string,
  plan: Plan,
  runs: readonly BenchmarkRun[],
  about: About & { readonly standIns: readonly string[] },
): Promise<string | undefined> {
  const tabulated = tabulateBenchmarkPlan(plan, runs);
  const { benchmarks, columns, rows } = tabulated;
  if (rows.length === 0) return undefined;
  const titles = new Map(benchmarks.map(({ name, title }) => [name, title]));
  const standIns = benchmarks.flatMap(({ name, title }) => (about.standIns.includes(name) ? [title] : []));
  const named: Column<BenchmarksRow> = ['', ({ model, name }) => (model === null ? name : `${model}: ${name}`)];
  const cells = (
    of: (row: BenchmarksRow) => BenchmarksRow['accuracy'] | null,
    text: (value: number) => string,
  ): Column<BenchmarksRow>[] =>
    columns.map((column) => [titles.get(column) ?? column, (row) => ranged(of(row)?.[column], text)]);
  const compared = rows.filter(({ aboveWarmup, seeds }) => aboveWarmup && seeds.length > 1);
  const asked = benchmarks.map(
    ({ title, protocol, questions }) => `${title}: ${count(questions)} questions, protocol ${protocol}`,
  );
  const document = {
    kind: 'mstar experiment',
    title: plan.title,
    sections: [
      section(
        'results',
        'Results',
        html`<p><code>${about.command}</code></p>`,
        standIns.length > 0 &&
          note(
            `Generated picture problems stand in for the data of ${standIns.join(', ')}: these are not the numbers of the benchmarks.`,
          ),
        note(
          `Greedy; mean over seeds with its 95 % interval (Student's t), with one seed that over its questions (bootstrap). ${asked.join('; ')}. ${about.settings.join('; ')}.`,
        ),
        table('Accuracy', rows, [
          named,
          ['seeds', ({ seeds }) => seeds.join(', ')],
          ...cells(({ accuracy }) => accuracy, percent),
        ]),
        compared.length > 0 &&
          table('Points above the warm-up, paired by seed', compared, [
            named,
            ...cells(({ aboveWarmup }) => aboveWarmup, points),
          ]),
      ),
    ],
  };
  await writeDocument(dir, plan.name, document, { experiment: plan.name, title: plan.title, ...about, ...tabulated });
  return join(dir, `${plan.name}.md`);
}

/** @param runs of the plan's rows; a model's seeds that do not have all of them are left out */
export function tabulateBenchmarkPlan(plan: Plan, runs: readonly BenchmarkRun[]): BenchmarksTable {
  const { benchmarks: names = [] } = plan;
  const rows = [...new Set(runs.map(({ model }) => model))].flatMap((model) =>
    rowsOf(
      plan,
      model,
      runs.filter((run) => run.model === model),
    ),
  );
  const columns = names.length > 1 ? [...names, 'average'] : rows.flatMap(({ accuracy }) => Object.keys(accuracy));
  const asked = runs.flatMap(({ table: { benchmarks } }) => benchmarks);
  const benchmarks = names.flatMap((name) => asked.find((one) => one.name === name) ?? []);
  return { benchmarks, columns: [...new Set(columns)], rows };
}

function rowsOf(plan: Plan, model: string | null, runs: readonly BenchmarkRun[]): BenchmarksRow[] {
  const find = (row: string, seed: number): BenchmarkRun | undefined =>
    runs.find((run) => run.row === row && run.seed === seed);
  const seeds = [...new Set(runs.map(({ seed }) => seed))].filter((seed) =>
    plan.rows.every(({ row }) => find(row, seed)),
  );
  if (seeds.length === 0) return [];
  const of = (row: string, pick: (table: BenchmarkTable) => BenchmarkRow | undefined): BenchmarkRow[] =>
    seeds.flatMap((seed) => pick((find(row, seed) as BenchmarkRun).table) ?? []);
  const starts = (['base', 'warmup'] as const).flatMap((at) => {
    const found = of(plan.reference, (table) => table.rows.find((row) => row.at === at));
    const name = at === 'base' ? 'Base model' : 'Warm-up';
    return found.length === seeds.length ? [{ row: at, name, found, isTrained: false }] : [];
  });
  const trained = plan.rows.map(({ row, name }) => {
    return { row, name, found: of(row, (table) => table.rows.at(-1)), isTrained: true };
  });
  const all = [...starts, ...trained].map(({ found, ...row }) => ({ ...row, accuracy: estimates(plan, found) }));
  const warmup = all.find(({ row }) => row === 'warmup')?.accuracy;
  return all.map(({ row, name, accuracy, isTrained }) => {
    const aboveWarmup = warmup && isTrained ? differences(accuracy, warmup) : null;
    return { model, row, name, seeds, accuracy, aboveWarmup };
  });
}

/** What a checkpoint came to in the columns that all seeds have. @param rows of the seeds */
function estimates({ benchmarks = [] }: Plan, rows: readonly BenchmarkRow[]): Record<string, Estimate> {
  const scores = rows.map(({ accuracy, parts }): Map<string, Score> => {
    const own = benchmarks.flatMap((name): [string, Score][] => (accuracy[name] ? [[name, accuracy[name]]] : []));
    if (benchmarks.length === 1)
      return new Map(own.flatMap(([name, one]) => [['all', one], ...Object.entries<Score>(parts[name] ?? {})]));
    return new Map([...own, ['average', { mean: mean(own.map(([, one]) => one.mean)), low: null, high: null }]]);
  });
  const columns = [...(scores[0]?.keys() ?? [])].filter((column) => scores.every((one) => one.has(column)));
  const entries = columns.map((column) => {
    const found = scores.flatMap((one) => one.get(column) ?? []);
    const own = estimate(found.map((one) => one.mean));
    return [column, found.length > 1 ? own : { ...own, ...found[0] }] as const;
  });
  return Object.fromEntries(entries);
}

function differences(row: BenchmarksRow['accuracy'], from: BenchmarksRow['accuracy']): BenchmarksRow['accuracy'] {
  const both = Object.keys(row).filter((column) => from[column]);
  const values = (of: BenchmarksRow['accuracy'], column: string): readonly number[] => of[column]?.values ?? [];
  return Object.fromEntries(both.map((column) => [column, pairedEstimate(values(row, column), values(from, column))]));
}
