// What the verbs of a recipe (evolve, warmup, label, train-prm) share: flags, settings, running up to a stage.
import { dirname, join } from 'node:path';
import type { Argv } from 'yargs';
import { type ConfigSource, loadConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { listSettings } from '../config/settings.js';
import { UserError } from '../core/errors.js';
import type { Stage } from '../evolve/recipe.js';
import type { Summary } from '../evolve/summary.js';
import { REPORT_TO, type ReportTo } from '../views/metrics/files.js';
import { Computed } from './computed.js';
import { withInput } from './input.js';
import { checkNotify } from './notify.js';
import { linesOf, type OverRanks, overRanks, type RankFlags, rankFlags } from './ranks.js';
import { type CommonFlags, displayOf, printResult } from './result.js';
import { stopSignal } from './stop.js';
import { watchFromAside } from './watch.js';

export interface RecipeFlags extends CommonFlags, RankFlags {
  config: string | undefined;
  preset: string | undefined;
  set: string[];
  settings: boolean;
  reportTo: string[];
}

export function recipeFlags<T>(yargs: Argv<T>): Argv<T & RecipeFlags> {
  return rankFlags(yargs)
    .option('config', { type: 'string', describe: 'recipe file (YAML); - for standard input' })
    .option('preset', { type: 'string', describe: 'recipe that comes with mstar, for example demo' })
    .option('set', {
      type: 'string',
      array: true,
      default: [],
      nargs: 1,
      describe: 'override a setting, as often as needed: --set evolve.n=8 --set run.dir=runs/b',
    })
    .option('settings', {
      type: 'boolean',
      default: false,
      describe: 'list every setting with its default, its meaning and the values it takes',
    })
    .option('report-to', {
      type: 'string',
      array: true,
      default: [],
      nargs: 1,
      describe:
        'write the curves into the run folder while the run goes on: tensorboard (an event file), jsonl (metrics.jsonl); as often as needed',
    })
    .group(['config', 'preset', 'set', 'settings', 'report-to'], 'Recipe:') as never;
}

/** What some verbs have besides. */
export interface RecipeMore {
  /** Run folder to begin with the phases of. */
  readonly from?: string | undefined;
  /** Settings to begin with where neither a file nor a preset is given. */
  readonly values?: Readonly<Record<string, unknown>> | undefined;
  /** Settings that flags of the verb stand for. */
  readonly given?: ConfigSource['flags'] | undefined;
  /** Where to tell how it ended. */
  readonly notify?: string | undefined;
  /** Serves a page that follows the run. */
  readonly watch?: boolean;
}

/**
 * Runs a recipe up to a stage and prints what came of it; with --settings, prints the settings instead.
 * @param lines what to print at the end
 */
export async function runRecipe(
  flags: RecipeFlags,
  until: Stage,
  lines: (summary: Summary, config: Config) => readonly string[] | Promise<readonly string[]>,
  { values, given, notify: url, ...more }: RecipeMore = {},
): Promise<void> {
  if (flags.settings) return printSettings(flags);
  checkNotify(url);
  // Once for this process: a recipe may come from standard input.
  let config: Promise<Config> | undefined;
  const load = (): Promise<Config> => {
    config ??= configOf(flags, { values, flags: given });
    return config;
  };
  const run = async (): Promise<string> => (await load()).run.dir;
  await overRanks(flags, async (over) => runOnRank(flags, await load(), until, lines, more, over), { url, run });
}

function configOf({ config, preset, set }: RecipeFlags, { values, flags }: ConfigSource): Promise<Config> {
  if (config === undefined) return loadConfig({ preset, set, values, flags });
  return withInput(config, (file) => loadConfig({ file, preset, set, flags }));
}

async function runOnRank(
  flags: RecipeFlags,
  config: Config,
  until: Stage,
  lines: (summary: Summary, config: Config) => readonly string[] | Promise<readonly string[]>,
  { watch = false, ...more }: Omit<RecipeMore, 'notify' | 'values' | 'given'>,
  { host, usage }: OverRanks,
): Promise<void> {
  const reportTo = parseReportTo(flags.reportTo);
  // Loaded here, so that help and refusals do not wait for the engine and its libraries.
  const { evolve } = await import('../jobs/jobs.js');
  const display = displayOf(flags, usage);
  const computed = new Computed();
  const options = {
    until,
    display,
    signal: stopSignal(display),
    onRollout: computed.add,
    reportTo,
    ...more,
    ...(host && { host }),
  };
  const { dir } = config.run;
  const leave = watch ? watchFromAside(dir) : () => {};
  const summary = await evolve(config, options).finally(leave);
  const look = reportTo.includes('tensorboard') ? ` (tensorboard --logdir ${dirname(dir)})` : '';
  const metrics = reportTo.length > 0 ? [`metrics: ${join(dir, 'metrics.jsonl')}${look}`] : [];
  printResult(flags, summary, [
    ...(await lines(summary, config)),
    ...metrics,
    ...computed.line(),
    ...(await linesOf(usage)),
  ]);
}

/** The values of --report-to, each also a list with commas. Throws UserError on another one. */
export function parseReportTo(values: readonly string[]): ReportTo[] {
  const names = values.flatMap((value) => value.split(',')).map((name) => name.trim());
  for (const name of names) {
    if (name === 'wandb')
      throw new UserError(
        '--report-to: wandb, wanted tensorboard or jsonl; metrics.jsonl goes to Weights & Biases by examples/trackers/wandb_run.py (docs/metrics.md)',
      );
    if (!REPORT_TO.includes(name as ReportTo))
      throw new UserError(`--report-to: ${name || 'nothing'}, wanted ${REPORT_TO.join(' or ')}`);
  }
  return [...new Set(names as ReportTo[])];
}

function printSettings(flags: CommonFlags): void {
  const settings = listSettings();
  const lines = settings.map(({ path, fallback, description, values }) => {
    const value = fallback === undefined ? '' : ` (${JSON.stringify(fallback)})`;
    return `${path}${value}: ${description} [${values}]`;
  });
  const documents = settings.map(({ fallback, ...about }) => ({ ...about, default: fallback }));
  printResult(flags, documents, lines);
}
