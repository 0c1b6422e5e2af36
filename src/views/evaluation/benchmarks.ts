// Several benchmarks side by side: a row for each checkpoint of a run, a column for each benchmark, and the sub-tasks of each
// (Tables 4 and 5 of the paper). Accuracies are those of evaluation.json, greedy, by the protocol of the benchmark.

import { mean } from '../../core/lists.js';
import type { Evaluation } from '../../evaluate/evaluation.js';
import type { Interval } from '../../measure/bootstrap.js';
import type { Document } from '../../page/document.js';
import { percent, ranged } from '../../page/format.js';
import { type Column, note, section, table } from '../../page/parts.js';
import { writeDocument } from '../write.js';

/** A checkpoint on one benchmark. */
export interface BenchmarkCell {
  /** `base`, `warmup`, `iter-0012`. */
  readonly at: string;
  /** For a reader. */
  readonly row: string;
  readonly evaluation: Evaluation;
}

/** A checkpoint over all benchmarks. */
export interface BenchmarkRow {
  readonly at: string;
  readonly row: string;
  /** By the name of the benchmark. */
  readonly accuracy: Readonly<Record<string, Interval>>;
  /** Mean over the benchmarks; null where there is one alone. */
  readonly average: number | null;
  /** By benchmark and sub-task, of the first table of sub-tasks. */
  readonly parts: Readonly<Record<string, Readonly<Record<string, Interval>>>>;
}

/** What benchmarks.json holds. */
export interface BenchmarkTable {
  readonly run: string;
  readonly benchmarks: readonly {
    readonly name: string;
    readonly title: string;
    readonly protocol: string;
    readonly questions: number;
  }[];
  readonly rows: readonly BenchmarkRow[];
}

/** @param cells of every checkpoint on every benchmark, checkpoint by checkpoint */
export function tabulateBenchmarks(run: string, cells: readonly BenchmarkCell[]): BenchmarkTable {
  const first = cells.filter(({ at }) => at === cells[0]?.at);
  const rows = [...new Set(cells.map(({ at }) => at))].map((at): BenchmarkRow => {
    const own = cells.filter((cell) => cell.at === at);
    const accuracy = Object.fromEntries(own.map(({ evaluation }) => [nameOf(evaluation), accuracyOf(evaluation)]));
    const means = Object.values(accuracy).map((one) => one.mean);
    return {
      at,
      row: (own[0] as BenchmarkCell).row,
      accuracy,
      average: means.length > 1 ? mean(means) : null,
      parts: Object.fromEntries(own.map(({ evaluation }) => [nameOf(evaluation), partsOf(evaluation)])),
    };
  });
  const benchmarks = first.map(({ evaluation }) => ({
    name: nameOf(evaluation),
    title: evaluation.benchmark?.title ?? nameOf(evaluation),
    protocol: evaluation.protocol,
    questions: greedyOf(evaluation).questions,
  }));
  return { run, benchmarks, rows };
}

/** Writes benchmarks.json, .md and .html. Returns the path of the page. */
export function writeBenchmarks(dir: string, benchmarks: BenchmarkTable): Promise<string> {
  return writeDocument(dir, 'benchmarks', describe(benchmarks), benchmarks);
}

function describe({ run, benchmarks, rows }: BenchmarkTable): Document {
  const named: Column<BenchmarkRow> = ['', ({ row }) => row];
  const partTables = benchmarks.flatMap(({ name, title }) => {
    const parts = [...new Set(rows.flatMap((row) => Object.keys(row.parts[name] ?? {})))];
    if (parts.length < 2) return [];
    const columns = parts.map(
      (part): Column<BenchmarkRow> => [part, (row) => percent(row.parts[name]?.[part]?.mean).replace(' %', '')],
    );
    const all: Column<BenchmarkRow> = ['all', (row) => percent(row.accuracy[name]?.mean).replace(' %', '')];
    return [table(`${title}: sub-tasks, percent`, rows, [named, all, ...columns])];
  });
  return {
    kind: 'mstar benchmarks',
    title: `Benchmarks: ${run}`,
    sections: [
      section(
        'benchmarks',
        'Benchmarks',
        note(
          `Greedy accuracy with its 95 % interval (bootstrap over questions). ${benchmarks
            .map(({ title, protocol, questions }) => `${title}: ${questions} questions, protocol ${protocol}`)
            .join('; ')}.`,
        ),
        table('Accuracy', rows, [
          named,
          ...benchmarks.map(({ name, title }): Column<BenchmarkRow> => [title, (row) => ranged(row.accuracy[name])]),
          benchmarks.length > 1 && (['average', ({ average }) => percent(average)] satisfies Column<BenchmarkRow>),
        ]),
        ...partTables,
      ),
    ],
  };
}

const nameOf = ({ benchmark }: Evaluation): string => benchmark?.name ?? '';

function greedyOf({ sets }: Evaluation): Evaluation['sets'][number] {
  return (sets.find(({ temperature }) => temperature === 0) ?? sets[0]) as Evaluation['sets'][number];
}

function accuracyOf(evaluation: Evaluation): Interval {
  const { scores } = greedyOf(evaluation);
  return (scores.find(({ protocol }) => protocol === evaluation.protocol) ?? scores[0])?.accuracy as Interval;
}

function partsOf(evaluation: Evaluation): Record<string, Interval> {
  const rows = greedyOf(evaluation).parts[0]?.rows ?? [];
  return Object.fromEntries(rows.map(({ part, accuracy }) => [part, accuracy]));
}
