// A run folder as programs read it: what it came to, its rollouts row by row, SQL, the analysis of its PRM, its report.
import { readSplitCounts } from '../data/splits-file.js';
import { iterationName } from '../evolve/phases.js';
import { type Summary, summaryOf } from '../evolve/summary.js';
import { type RolloutRow, readGroups } from '../record/groups.js';
import { type QueryResult, queryRollouts } from '../record/query.js';
import { type ColumnName, columns } from '../record/table.js';
import { analysePrm, noTable, type PrmOptions, writePrmAnalysis } from '../views/prm/analyse.js';
import type { PrmAnalysis } from '../views/prm/analysis.js';
import { readRun, tableOf } from '../views/run/read.js';
import { writeReport } from '../views/run/report.js';
import { stateOf } from '../views/run/runs.js';
import { type Exported, type ExportOptions, exportRun } from './export.js';

/** A response of rollouts/*.parquet, or why a problem has none; docs/run-folder.md says what each column holds. */
export type RunRow = RolloutRow<ColumnName>;

/** A run of the recipe, finished or not. What it says is read from its folder at each call. */
export interface OpenedRun {
  readonly dir: string;
  readonly name: string;
  /** `finished`, or the phase that it was at when it was opened. */
  readonly state: string;
  /** Phases that have a table of rollouts, in order: `warmup`, `dynamics-0000`, `iter-0001`... */
  readonly phases: readonly string[];
  /** What summary.json holds, made from what is committed so far. */
  summary(): Promise<Summary>;
  /** The rows of one phase in the order of the file, one at a time: a table need not fit into memory. */
  rollouts(phase: string): AsyncGenerator<RunRow>;
  /** One query that only reads, over the tables `rollouts`, `labels` and `steps`. */
  query(sql: string): Promise<QueryResult>;
  /** What the PRM is worth; with `out`, also written there as prm.json, prm.md, prm.html and figures. */
  prm(options?: PrmOptions & { readonly out?: string }): Promise<PrmAnalysis>;
  /** Writes step labels, training examples or curves in the form of another program (docs/data.md). */
  export(options: ExportOptions): Promise<Exported>;
  /** Writes report.html and report.md into the folder. Returns the path of report.html. */
  report(): Promise<string>;
}

/** Opens the folder of a run for reading. Throws UserError where it holds no run of the recipe, or a file of it is damaged. */
export async function openRun(dir: string): Promise<OpenedRun> {
  const run = await readRun(dir);
  return {
    dir,
    name: run.name,
    state: stateOf(run),
    phases: run.commits.map(({ phase }) => phase).filter((phase) => tableOf(dir, phase)),
    async summary() {
      const { setting, commits, seconds } = await readRun(dir);
      const problems = await readSplitCounts(dir);
      return summaryOf({
        dir,
        seed: Number(setting('seed')),
        problems,
        truth: await knowsTruth(dir),
        commits,
        seconds,
      });
    },
    async *rollouts(phase) {
      const file = tableOf(dir, phase);
      if (!file) throw noTable(dir, phase);
      for await (const rows of readGroups(file, Object.keys(columns) as ColumnName[])) yield* rows;
    },
    query: (sql) => queryRollouts(dir, sql),
    prm: ({ out, ...options } = {}) =>
      out === undefined ? analysePrm(dir, options) : writePrmAnalysis(dir, out, options),
    export: (options) => exportRun(dir, options),
    report: () => writeReport(dir),
  };
}

/** Whether the responses of the first iteration were held against the true reasoning. */
async function knowsTruth(dir: string): Promise<boolean> {
  const file = tableOf(dir, iterationName(1));
  if (!file) return false;
  for await (const rows of readGroups(file, ['lucky'])) if (rows.some(({ lucky }) => lucky !== null)) return true;
  return false;
}
