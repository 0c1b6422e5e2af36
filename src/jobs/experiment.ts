// An experiment as a job: runs the rows of the plans, shows how far all of them are, and writes tables as seeds are finished.
import { join } from 'node:path';
import { loadConfig } from '../config/load.js';
import { listScales } from '../config/presets.js';
import { UserError } from '../core/errors.js';
import { hasCommitted } from '../run/journal.js';
import { describeSeconds } from '../run/terminal.js';
import { type BenchmarkTable, tabulateBenchmarks } from '../views/evaluation/benchmarks.js';
import { type BenchmarkRun, writeBenchmarkPlan } from '../views/experiment/benchmarks.js';
import { type Plan, plans } from '../views/experiment/plans.js';
import { type About, writeExperiment } from '../views/experiment/write.js';
import { writeFindings } from '../views/experiment/write-findings.js';
import { type BenchmarkFiles, benchmarkFiles } from './benchmark-files.js';
import { evaluateCheckpoints, type RunBenchmarks } from './benchmarks.js';
import { type Cell, type ExperimentModel, runGrid, settingsFor } from './grid.js';
import { evolve } from './jobs.js';
import type { JobOptions } from './options.js';

/** Which tables of the paper are made, at which scale, for which seeds. */
export interface ExperimentSettings {
  /** `table1` to `table5`, `dynamics`; rows that several have are run once. */
  readonly names: readonly string[];
  readonly scale: string;
  readonly seeds: readonly number[];
  /** Holds the run folders and, in a folder of the scale, the tables. */
  readonly out: string;
  /** Overrides of settings for all rows alike. */
  readonly set?: readonly string[];
  /** All rows for each of these models, in a folder of its name; that of the settings alone when left out. */
  readonly models?: readonly ExperimentModel[];
  /** Makes the tables of the runs that are finished, and runs nothing. */
  readonly finished?: boolean;
  /** Data of benchmarks. Stand-ins take the place of those left out where the scale makes its problems. */
  readonly benchmarks?: RunBenchmarks['benchmarks'];
}

/**
 * Runs whole experiments, or goes on with them.
 * @returns paths of the Markdown tables, and of the findings where two seeds are there
 * @throws UserError on unknown names, on benchmarks without data, and with `finished` where no run is
 */
export async function experiment(settings: ExperimentSettings, options: JobOptions = {}): Promise<string[]> {
  const { names, scale, seeds, out, set = [], models = [], finished = false, benchmarks = [] } = settings;
  const chosen = names.map(findPlan);
  const first = chosen[0]?.rows[0]?.row;
  if (first === undefined)
    throw new UserError(`experiment: none, wanted one of ${Object.keys(plans).join(', ')}`, 'ERR_SETTING');
  const scales = await listScales();
  if (!scales.includes(scale))
    throw new UserError(`--scale: ${scale}, wanted one of ${scales.join(', ')}`, 'ERR_SETTING');
  if (seeds.length === 0) throw new UserError('--seeds: none, wanted at least one', 'ERR_SETTING');
  refuseNames(models);
  const folder = join(out, scale);
  const asked = [...new Set(chosen.flatMap((plan) => plan.benchmarks ?? []))];
  if (finished && asked.length > 0)
    throw new UserError('--finished: with table4 or table5, whose benchmarks are answered anew', 'ERR_SETTING');
  const found = await benchmarkFiles(
    asked,
    benchmarks,
    join(folder, 'stand-ins'),
    await loadConfig({ preset: `${scale}-${first}`, set: settingsFor(models[0], set) }),
  );
  const written = new Set<string>();
  const evaluated: BenchmarkRun[] = [];
  const began = performance.now();
  let made = 0;
  for (const [place, model] of (models.length > 0 ? models : [undefined]).entries()) {
    const cells: Cell[] = [];
    const tables = join(folder, model?.name ?? '');
    const write = async (some: readonly Plan[]): Promise<void> => {
      for (const plan of some) {
        const about = aboutOf(plan, settings, cells);
        const path = plan.benchmarks
          ? await writeBenchmarkPlan(folder, plan, evaluated, { ...about, standIns: found.standIns })
          : await writeExperiment(tables, plan, cells, about);
        if (path !== undefined) written.add(path);
      }
      const runs = cells.map(({ config, ...run }) => ({ ...run, dir: config.run.dir }));
      const path = await writeFindings(tables, runs, { scale, command: commandOf(chosen, settings) });
      if (path !== undefined) written.add(path);
    };
    const grid = runGrid(chosen, {
      scale,
      seeds,
      out,
      set,
      model,
      finished,
      run: async (config, from) => {
        const isNew = !(await hasCommitted(join(config.run.dir, 'journal.jsonl'), 'test-final'));
        const summary = await evolve(config, { ...options, from });
        if (isNew) made++;
        return summary;
      },
      onRun: ({ seed, row, ...one }) => {
        const [done, total] = [one.done + place * one.total, one.total * Math.max(1, models.length)];
        const each = (performance.now() - began) / 1000 / Math.max(1, made);
        const left = made > 0 ? `, about ${describeSeconds(each * (total - done))} left` : '';
        const name = `${model ? `${model.name}, ` : ''}seed ${seed}, ${row}`;
        if (!finished) options.display?.say(`run ${done + 1}/${total}: ${name}${left}`);
      },
    });
    for await (const cell of grid) {
      cells.push(cell);
      const plansOfRow = chosen.filter((plan) => plan.rows.some(({ row }) => row === cell.row));
      const own = await evaluateCell(cell, plansOfRow, found.files, options);
      if (own) evaluated.push({ model: model?.name ?? null, seed: cell.seed, row: cell.row, table: own });
      if (!finished) await write(plansOfRow);
    }
    if (finished) await write(chosen.flatMap((plan) => finishedPart(plan, cells)));
  }
  if (written.size === 0 && finished)
    throw new UserError(`${folder}: no table has a seed with all its rows finished`, 'ERR_RUN');
  return [...written];
}

/** A plan without the rows of which no run is there; nothing where its reference is among these. */
function finishedPart(plan: Plan, cells: readonly Cell[]): Plan[] {
  const rows = plan.rows.filter(({ row }) => cells.some((cell) => cell.row === row));
  return rows.some(({ row }) => row === plan.reference) ? [{ ...plan, rows }] : [];
}

/** The run of a row on the benchmarks of its plans, in a folder beside it; undefined where they have none. */
async function evaluateCell(
  { row, config }: Cell,
  plansOfRow: readonly Plan[],
  files: BenchmarkFiles['files'],
  options: JobOptions,
): Promise<BenchmarkTable | undefined> {
  const asked = plansOfRow.flatMap((plan) => plan.benchmarks ?? []);
  if (asked.length === 0) return undefined;
  const { dir } = config.run;
  const benchmarks = files.filter(({ name }) => asked.includes(name));
  const isReference = plansOfRow.some((plan) => plan.benchmarks && plan.reference === row);
  const settings = { run: dir, out: `${dir}-benchmarks`, benchmarks };
  return tabulateBenchmarks(row, await evaluateCheckpoints(settings, options, isReference ? undefined : ['last']));
}

/** Throws UserError where the names of models cannot be folders of their own beside those of runs. */
function refuseNames(models: readonly ExperimentModel[]): void {
  for (const [i, { name }] of models.entries()) {
    if (!/^\w[\w.-]*$/.test(name) || /^(seed-\d+|stand-ins)$/.test(name))
      throw new UserError(`--model: ${name}, wanted a name of letters, digits, ".", "_" and "-"`, 'ERR_SETTING');
    if (models.findIndex((one) => one.name === name) < i)
      throw new UserError(`--model: ${name} twice, wanted each once`, 'ERR_SETTING');
  }
}

function findPlan(name: string): Plan {
  const plan = plans[name];
  if (!plan) throw new UserError(`experiment: ${name}, wanted one of ${Object.keys(plans).join(', ')}`, 'ERR_SETTING');
  return plan;
}

/** The line that makes the files of some plans. */
function commandOf(asked: readonly Plan[], settings: ExperimentSettings): string {
  const { scale, seeds, set = [], models = [], finished = false } = settings;
  const benchmarks = (settings.benchmarks ?? []).filter(({ name }) =>
    asked.some((plan) => plan.benchmarks?.includes(name)),
  );
  const of = (flag: string, values: readonly string[]): string => values.map((one) => ` --${flag} ${one}`).join('');
  return [
    `mstar experiment ${asked.map(({ name }) => name).join(' ')} --scale ${scale} --seeds ${seeds.join(',')}`,
    of('set', set),
    of(
      'model',
      models.map(({ name, path }) => `${name}=${path}`),
    ),
    of(
      'model-set',
      models.flatMap(({ name, set: own = [] }) => own.map((one) => `${name}:${one}`)),
    ),
    of(
      'benchmark-data',
      benchmarks.map(({ name, data }) => `${name}=${data}`),
    ),
    of(
      'benchmark-images',
      benchmarks.flatMap(({ name, imageRoot }) => (imageRoot === undefined ? [] : [`${name}=${imageRoot}`])),
    ),
    finished ? ' --finished' : '',
  ].join('');
}

/** The rows of a plan that a part of it lacks, in a line. */
function missingOf({ name, rows }: Plan): string[] {
  const missing = (plans[name] as Plan).rows.filter((one) => !rows.some(({ row }) => row === one.row));
  return missing.length > 0 ? [`not run: ${missing.map((one) => one.name).join('; ')}`] : [];
}

function aboutOf(plan: Plan, settings: ExperimentSettings, cells: readonly Cell[]): About {
  const { config, summary } = cells.find(({ row }) => row === plan.reference) ?? (cells[0] as Cell);
  const { problems } = summary;
  const { evolve: e, test } = config;
  return {
    command: commandOf([plan], settings),
    scale: settings.scale,
    settings: [
      `${problems.labelled} labelled and ${problems.unlabelled} unlabelled problems`,
      ...(plan.benchmarks
        ? []
        : [
            `${problems.test} test, ${problems.outOfDomain} out-of-domain and ${problems.validation} validation problems`,
            `Pass@K with K = ${test.samples} on ${test.problems || problems.test} test problems`,
          ]),
      `${e.steps} optimizer steps of ${e.optimizer.batchSize} examples at ${e.optimizer.lr}, ${e.n} responses a problem`,
      ...prmOf(cells),
      ...missingOf(plan),
    ],
  };
}

/** The PRM of the rows that ask one. */
function prmOf(cells: readonly Cell[]): string[] {
  const asking = cells.find(({ config }) => config.prm.enabled);
  if (!asking) return [];
  const { config, summary } = asking;
  const { path, pairs } = config.prm;
  return [path ? `PRM ${path}` : `PRM from ${summary.labels?.pairs ?? pairs} labelled responses`];
}
