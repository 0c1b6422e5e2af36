// An experiment as a job: runs the rows of the plans, shows how far all of them are, and writes tables as seeds are finished.
import { join } from 'node:path';
import { listScales } from '../config/presets.js';
import { UserError } from '../core/errors.js';
import { hasCommitted } from '../run/journal.js';
import { describeSeconds } from '../run/terminal.js';
import { type Plan, plans } from '../views/experiment/plans.js';
import { type About, writeExperiment } from '../views/experiment/write.js';
import { writeFindings } from '../views/experiment/write-findings.js';
import { type Cell, runGrid } from './grid.js';
import { evolve } from './jobs.js';
import type { JobOptions } from './options.js';

export interface ExperimentSettings {
  /** `table1`, `table2`, `table3`, `dynamics`; rows that several have are run once. */
  readonly names: readonly string[];
  readonly scale: string;
  readonly seeds: readonly number[];
  /** Holds the run folders and, in a folder of the scale, the tables. */
  readonly out: string;
  /** Overrides of settings for all rows alike. */
  readonly set?: readonly string[];
}

/**
 * Runs whole experiments, or goes on with them.
 * @returns paths of the Markdown tables, and of the findings where two seeds are there
 * @throws UserError on unknown names
 */
export async function experiment(settings: ExperimentSettings, options: JobOptions = {}): Promise<string[]> {
  const { names, scale, seeds, out, set = [] } = settings;
  const chosen = names.map(findPlan);
  const scales = await listScales();
  if (!scales.includes(scale))
    throw new UserError(`--scale: ${scale}, wanted one of ${scales.join(', ')}`, 'ERR_SETTING');
  if (seeds.length === 0) throw new UserError('--seeds: none, wanted at least one', 'ERR_SETTING');
  const cells: Cell[] = [];
  const written = new Set<string>();
  const began = performance.now();
  let made = 0;
  const grid = runGrid(chosen, {
    scale,
    seeds,
    out,
    set,
    run: async (config, from) => {
      const isNew = !(await hasCommitted(join(config.run.dir, 'journal.jsonl'), 'test-final'));
      const summary = await evolve(config, { ...options, from });
      if (isNew) made++;
      return summary;
    },
    onRun: ({ seed, row, done, total }) => {
      const each = (performance.now() - began) / 1000 / Math.max(1, made);
      const left = made > 0 ? `, about ${describeSeconds(each * (total - done))} left` : '';
      options.display?.say(`run ${done + 1}/${total}: seed ${seed}, ${row}${left}`);
    },
  });
  for await (const cell of grid) {
    cells.push(cell);
    for (const plan of chosen) {
      if (!plan.rows.some(({ row }) => row === cell.row)) continue;
      const about = aboutOf(plan, settings, cells);
      const path = await writeExperiment(join(out, scale), plan, cells, about);
      if (path !== undefined) written.add(path);
    }
    const found = cells.map(({ config, ...run }) => ({ ...run, dir: config.run.dir }));
    const path = await writeFindings(join(out, scale), found, { scale, command: commandOf(names, settings) });
    if (path !== undefined) written.add(path);
  }
  return [...written];
}

function findPlan(name: string): Plan {
  const plan = plans[name];
  if (!plan) throw new UserError(`experiment: ${name}, wanted one of ${Object.keys(plans).join(', ')}`, 'ERR_SETTING');
  return plan;
}

function commandOf(names: readonly string[], { scale, seeds, set = [] }: ExperimentSettings): string {
  const overrides = set.map((one) => ` --set ${one}`).join('');
  return `mstar experiment ${names.join(' ')} --scale ${scale} --seeds ${seeds.join(',')}${overrides}`;
}

function aboutOf(plan: Plan, settings: ExperimentSettings, cells: readonly Cell[]): About {
  const { config, summary } = cells.find(({ row }) => row === plan.reference) ?? (cells[0] as Cell);
  const { problems } = summary;
  const { evolve: e, prm, test } = config;
  return {
    command: commandOf([plan.name], settings),
    scale: settings.scale,
    settings: [
      `${problems.labelled} labelled and ${problems.unlabelled} unlabelled problems`,
      `${problems.test} test, ${problems.outOfDomain} out-of-domain and ${problems.validation} validation problems`,
      `${e.steps} optimizer steps of ${e.optimizer.batchSize} examples at ${e.optimizer.lr}, ${e.n} responses a problem`,
      `Pass@K with K = ${test.samples} on ${test.problems || problems.test} test problems`,
      ...(prm.enabled ? [`PRM from ${summary.labels?.pairs ?? prm.pairs} labelled responses`] : []),
    ],
  };
}
