// Runs the rows of an experiment for several seeds, one run folder each. Rows of one seed share the warm-up, the labels and the
// PRM of the first that has them; runs that are finished are not repeated, so the same call goes on after a stop.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../config/load.js';
import { whyItMatters } from '../config/resume.js';
import type { Config } from '../config/schema.js';
import { UserError } from '../core/errors.js';
import { readJson } from '../core/json.js';
import type { Summary } from '../evolve/summary.js';
import { hasCommitted } from '../run/journal.js';
import { readSettings, requireSame } from '../run/settings.js';
import type { Plan } from '../views/experiment/plans.js';
import type { Run } from '../views/experiment/tabulate.js';
import { withoutFolder } from './jobs.js';

export interface GridOptions {
  /** A scale of assets/scales. */
  readonly scale: string;
  readonly seeds: readonly number[];
  /** A model by a name, where an experiment has several: its runs are in a folder of that name. */
  readonly model?: ExperimentModel | undefined;
  /** Folder of the run folders, `SCALE/seed-N/ROW` or `SCALE/MODEL/seed-N/ROW`. */
  readonly out: string;
  /** Overrides of settings for all rows alike. */
  readonly set: readonly string[];
  /** Leaves out the runs that are not finished, instead of making them. */
  readonly finished?: boolean;
  /** Runs one row; `from` is a run to share phases with. */
  readonly run: (config: Config, from: string | undefined) => Promise<Summary>;
  /** Told before each run. */
  readonly onRun?: (place: {
    readonly seed: number;
    readonly row: string;
    readonly done: number;
    readonly total: number;
  }) => void;
}

/** One of the models of an experiment. */
export interface ExperimentModel {
  /** Names it in tables and folders. */
  readonly name: string;
  readonly path: string;
  /** Overrides of settings for its rows alone. */
  readonly set?: readonly string[] | undefined;
}

/** Overrides of settings for the rows of a model. */
export function settingsFor(model: ExperimentModel | undefined, set: readonly string[]): string[] {
  return model ? [...set, `model.path=${model.path}`, ...(model.set ?? [])] : [...set];
}

/** A finished run of the grid. */
export interface Cell extends Run {
  readonly config: Config;
}

/** All rows of some plans for all seeds, seed by seed; each row once, whichever plans ask for it. */
export async function* runGrid(plans: readonly Plan[], options: GridOptions): AsyncGenerator<Cell> {
  const { scale, seeds, out, model, finished = false, run, onRun } = options;
  const set = settingsFor(model, options.set);
  const rows = [...new Set(plans.flatMap((plan) => plan.rows.map(({ row }) => row)))];
  let done = 0;
  for (const seed of seeds) {
    const folder = join(out, scale, model?.name ?? '', `seed-${seed}`);
    for (const row of rows) {
      const dir = join(folder, row);
      onRun?.({ seed, row, done: done++, total: rows.length * seeds.length });
      const preset = `${scale}-${row}`;
      const config = withoutUnread(await loadConfig({ preset, set: [...set, `seed=${seed}`, `run.dir=${dir}`] }));
      const others = rows.map((one) => join(folder, one)).filter((one) => one !== dir);
      const from = await sourceOf(others, config.prm.enabled !== false);
      const left = await summaryLeft(config, finished);
      if (left !== undefined || !finished) yield { seed, row, config, summary: left ?? (await run(config, from)) };
    }
  }
}

/**
 * What is left of a finished run where its folder holds `config.yaml` and `summary.json` alone: runs of other machines are
 * gathered so, and room is made. With `whole` that of a whole folder too, once its run is finished. Undefined where there is neither.
 * @throws UserError where its settings are missing or others than those of the row, or it was not finished
 */
async function summaryLeft(config: Config, whole: boolean): Promise<Summary | undefined> {
  const { dir } = config.run;
  const [file, journal] = [join(dir, 'summary.json'), join(dir, 'journal.jsonl')];
  if (!existsSync(file)) return undefined;
  if (existsSync(journal) && !(whole && (await hasCommitted(journal, 'test-final')))) return undefined;
  const kept = (await readSettings(dir))?.values;
  if (kept === undefined) throw new UserError(`${dir}: run: no config.yaml, wanted one beside summary.json`, 'ERR_RUN');
  const summary = (await readJson(file)) as Partial<Summary> | null;
  if (typeof summary?.final?.samples?.passAt1 !== 'number' || !Array.isArray(summary.iterations))
    throw new UserError(`${file}: final: missing, wanted the summary of a finished run`, 'ERR_RUN');
  // What the hub's names stood for is not known of a row before it runs.
  const { hub: _, ...settings } = kept as { readonly hub?: unknown };
  requireSame(dir, settings, withoutFolder(config), whyItMatters({ ...config.model, weightBytes: 0 }, true));
  return summary as Summary;
}

/** Rows share settings, and one that asks no PRM has no use for the one that is given. */
function withoutUnread(config: Config): Config {
  const { path, ...prm } = config.prm;
  return prm.enabled ? config : { ...config, prm };
}

/** The first run that has all a row can share with it, or else the warm-up. */
async function sourceOf(dirs: readonly string[], withPrm: boolean): Promise<string | undefined> {
  let warm: string | undefined;
  for (const dir of dirs) {
    const has = (phase: string): Promise<boolean> => hasCommitted(join(dir, 'journal.jsonl'), phase);
    const [begun, scored] = [await has('warmup'), await has('train-prm')];
    if (withPrm ? scored : begun && !scored) return dir;
    if (begun) warm ??= dir;
  }
  return warm;
}
