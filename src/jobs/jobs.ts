// Whole jobs as functions of their settings: opens data, run folder and engine, and hands them to the loop.
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { resolveConfig, resolvePath } from '../config/load.js';
import { memoryFault, whyItMatters } from '../config/resume.js';
import {
  type BenchmarkSettings,
  benchmarkSchema,
  checkFlags,
  type EvaluateSettings,
  evaluateSchema,
  evaluationOf,
  type RolloutSettings,
  resolveSample,
  rolloutSchema,
  type StoredSettings,
  storedSchema,
} from '../config/sample.js';
import type { Config, ConfigInput } from '../config/schema.js';
import { UserError } from '../core/errors.js';
import type { Policy, Scorer } from '../core/ports.js';
import type { Problem } from '../core/types.js';
import { digestProblems } from '../data/content.js';
import { writeSplits } from '../data/splits-file.js';
import { findBenchmark } from '../evaluate/benchmarks/registry.js';
import { type EvaluateSummary, evaluate as evaluateOn } from '../evaluate/evaluate.js';
import type { Evaluation } from '../evaluate/evaluation.js';
import { type JobModels, sampleBenchmark } from '../evaluate/sample.js';
import { plannedSteps } from '../evolve/budget.js';
import { evolve as evolveOn } from '../evolve/evolve.js';
import { optimizerSettings } from '../evolve/fit.js';
import { type ModelPlaces, Models } from '../evolve/job.js';
import { isShared } from '../evolve/phases.js';
import type { Summary } from '../evolve/summary.js';
import { type Commits, type FindOptions, findData, findPlaces, type Places, placeData } from '../hub/places.js';
import { graderOf } from '../reward/custom.js';
import { findProtocol } from '../reward/protocol/registry.js';
import { type RolloutSummary, rollout as rolloutOn } from '../rollout/sample.js';
import { adopt, settingsToTake } from '../run/adopt.js';
import { Run } from '../run/folder.js';
import { settingOf } from '../run/settings.js';
import { requireSpace, weightBytes } from '../run/space.js';
import { type Judging, writeTables } from '../views/evaluation/tables.js';
import { Metrics } from '../views/metrics/metrics.js';
import {
  digestGiven,
  findAll,
  makeSplits,
  readData,
  readGiven,
  readSplits,
  readWritten,
  withoutHidden,
} from './data.js';
import {
  hostOf,
  type JobOptions,
  keptFunctions,
  type RecipeOptions,
  type SampleOptions,
  type WithoutData,
  withGiven,
} from './options.js';

/** Bytes of a checkpoint with trainer state per byte of the model on disk (16-bit weights: exact copy and two moments). */
const CHECKPOINT_GROWTH = 8;

/**
 * Runs the recipe in the folder `run.dir`, or goes on with the run that it holds.
 * @param settings as in a recipe file; `loadConfig` reads one
 * @throws UserError on bad settings, data or model, before anything is written
 */
export async function evolve(settings: WithoutData<ConfigInput>, options: RecipeOptions = {}): Promise<Summary> {
  const { reward, select, problems } = options;
  const given = resolveConfig(problems ? { ...settings, data: dataOf(settings, options) } : (settings as ConfigInput));
  refuseUnread(given, options);
  const custom = keptFunctions(options, options.identity);
  const { dir, keepCheckpoints } = given.run;
  const threads = given.model.threads || (await threadsOf('model.threads', [dir, options.from]));
  const set = { ...given, model: { ...given.model, threads } };
  const { places, config } = await findAll(set, await finding(options, [dir, options.from]));
  const kept = { ...withoutFolder(set), ...(custom && { custom }), ...keptCommits(places) };
  const why = whyItMatters({ ...config.model, weightBytes: await largestOf(config.model.path, config.prm.path) }, true);
  const { path: base, adapter: lora, ...computing } = config.model;
  const adapter = lora && { ...lora, seed: config.seed, base };
  const models = new Models(await hostOf(options, { ...computing, adapter, prompt: config.prompt }), placesOf(config));
  try {
    const isNew = !existsSync(join(dir, 'config.yaml'));
    // What can be refused is looked at before a folder is made.
    if (isNew) {
      if (options.from !== undefined) await settingsToTake(options.from);
      await models.policy('base');
      if (config.prm.path !== undefined && config.prm.enabled) {
        await models.scorer();
        await models.forgetScorer();
      }
      // Checkpoints of an adapter are small beside its base.
      await requireSpace(dir, adapter ? 0 : CHECKPOINT_GROWTH * (await weightBytes(base)));
      if (options.from !== undefined) {
        await adopt(dir, { from: options.from, settings: kept, why, takes: isShared });
      }
    }
    const read = config.data.file === undefined ? undefined : await readSplits(config, options, problems);
    const written = await readWritten(config);
    const run = await Run.open({ ...options, dir, keepCheckpoints, settings: kept, why });
    const metrics = await Metrics.follow(run, options.reportTo);
    try {
      const data = read ?? (await makeSplits(config, run, options));
      await writeSplits(dir, config.splits.seed ?? config.seed, data);
      const given = written && (await withoutHidden(written, data, options));
      const problems = digestProblems(Object.values(data).flat());
      await run.start({ event: 'start', problems, ...(given && digestGiven(given)) });
      models.learnWith(optimizerSettings(config.evolve.optimizer, plannedSteps({ config, data })));
      const job = { config, run, data, models, custom: { reward, select }, given };
      return await evolveOn(job, options.until, options.hooks);
    } finally {
      await metrics.close();
      await run.close();
    }
  } catch (error) {
    throw memoryFault(error, config.model);
  } finally {
    await models.dispose();
  }
}

/** The settings of a recipe's data where problems are given: a second data set, and nothing that names a first one. */
function dataOf({ data }: WithoutData<ConfigInput>, options: RecipeOptions): ConfigInput['data'] {
  const { file, generate, ...rest } = data ?? {};
  return { ...rest, file: withGiven<{ data: string }>({ data: file ?? generate } as object, options).data };
}

/** Throws UserError where a selection is given that nothing would ask, or a PRM beside a stage that makes one. */
function refuseUnread({ evolve: { method, select }, prm, data }: Config, options: RecipeOptions): void {
  const { until = 'evolve' } = options;
  if (data.file === undefined && !data.generate && (until === 'evolve' || until === 'warmup'))
    throw new UserError('data: no problems, wanted data.file or data.generate', 'ERR_SETTING');
  if (prm.path !== undefined && (options.until === 'label' || options.until === 'train-prm'))
    throw new UserError(
      `prm.path: "${prm.path}", wanted null where steps are labelled and a PRM is trained (--set prm.path=null)`,
      'ERR_SETTING',
    );
  if (!options.select) return;
  if (method === 'sft' || method === 'grpo')
    throw new UserError(`select: given with evolve.method ${method}, wanted a method that selects`, 'ERR_SETTING');
  if (select.rule === 'threshold' && select.threshold === 'search')
    throw new UserError('select: given with a search for evolve.select.threshold, wanted another rule', 'ERR_SETTING');
}

/** How the responses of an evaluation with tables are graded. */
export interface GradingSettings {
  /** Name of a protocol; the benchmark's own when left out. */
  readonly protocol?: string;
  /** Reads responses that the protocol cannot. */
  readonly judge?: Judging;
}

/** The settings of an evaluation that ends in tables. */
type TableSettings = (WithoutData<BenchmarkSettings> | StoredSettings) & GradingSettings;

/**
 * Grades responses to a data set. With `model` alone it answers every problem once, greedily, and writes responses.jsonl and
 * summary.json. With `benchmark` it also answers n times at a temperature and writes greedy.parquet, rollouts.parquet and the
 * tables evaluation.json, .md and .html. With `rollouts` it makes these tables from stored responses, without a model.
 * @throws UserError on bad settings, data or model and on settings that do not go together, before anything is written
 */
export function evaluate(settings: TableSettings, options?: SampleOptions): Promise<Evaluation>;
export function evaluate(settings: WithoutData<EvaluateSettings>, options?: SampleOptions): Promise<EvaluateSummary>;
export async function evaluate(
  given: TableSettings | WithoutData<EvaluateSettings>,
  options: SampleOptions = {},
): Promise<Evaluation | EvaluateSummary> {
  const settings = withGiven<TableSettings | EvaluateSettings>(given, options);
  const kind = evaluationOf(settings);
  if (kind !== 'greedy' && options.reward)
    throw new UserError('reward: given with --benchmark or --rollouts, wanted --protocol or a judge', 'ERR_SETTING');
  if (kind === 'stored') return onStored(settings as StoredSettings & GradingSettings, options);
  if (kind === 'benchmark') return onBenchmark(settings as BenchmarkSettings & GradingSettings, options);
  const resolved = resolveSample(evaluateSchema, settings as EvaluateSettings);
  const sampling = {
    ...resolved,
    topK: 0,
    topP: 1,
    grader: options.reward && graderOf(options.reward, options.signal),
  };
  return onData('evaluate', resolved, options, (run, { policy }, problems) =>
    evaluateOn(run, policy, problems, sampling),
  );
}

async function onBenchmark(
  { protocol, judge, ...settings }: BenchmarkSettings & GradingSettings,
  options: SampleOptions,
): Promise<Evaluation> {
  const resolved = resolveSample(benchmarkSchema, settings);
  const benchmark = await findBenchmark(resolved.benchmark);
  if (protocol !== undefined) findProtocol(protocol);
  const { out, seed } = resolved;
  const counted = (problem: Problem): boolean => benchmark.counts?.(problem) !== false;
  return onData(
    'evaluate',
    resolved,
    options,
    async (run, models, problems) => {
      await sampleBenchmark(run, models, problems, resolved);
      const about = new Map(problems.map((problem) => [problem.id, problem]));
      return writeTables(out, { rollouts: out, benchmark, protocol, judge, seed, about });
    },
    { choose: (problems) => problems.filter(counted), prm: resolved.prm },
  );
}

async function onStored(
  { protocol, judge, ...settings }: StoredSettings & GradingSettings,
  options: JobOptions,
): Promise<Evaluation> {
  const { rollouts, out, benchmark, data, seed, ...reading } = checkFlags(storedSchema, settings);
  // Nothing is shown to a model here: the data set may come without its pictures.
  const onMissingPicture = (): void => {};
  const found = data === undefined ? undefined : await findData(data, reading, options);
  const problems = found ? await readData(found.file, { ...found.reading, onMissingPicture }, options) : [];
  return writeTables(out, {
    rollouts,
    protocol,
    judge,
    seed,
    ...(benchmark !== undefined && { benchmark: await findBenchmark(benchmark) }),
    ...(data !== undefined && { about: new Map(problems.map((problem) => [problem.id, problem])) }),
  });
}

/**
 * Samples n responses to every problem of a data set and grades them. Writes rollouts.parquet, rollouts.jsonl and
 * summary.json.
 * @throws UserError on bad settings, data or model, before anything is written
 */
export async function rollout(
  settings: WithoutData<RolloutSettings>,
  options: SampleOptions = {},
): Promise<RolloutSummary> {
  const resolved = resolveSample(rolloutSchema, withGiven<RolloutSettings>(settings, options));
  const sampling = { ...resolved, grader: options.reward && graderOf(options.reward, options.signal) };
  return onData('rollout', resolved, options, (run, { policy }, problems) =>
    rolloutOn(run, policy, problems, resolved, sampling),
  );
}

async function onData<T>(
  verb: string,
  settings: ReturnType<typeof resolveSample<typeof evaluateSchema>>,
  options: SampleOptions,
  work: (run: Run, models: JobModels, problems: readonly Problem[]) => Promise<T>,
  more: { readonly choose?: (problems: readonly Problem[]) => readonly Problem[]; readonly prm?: string } = {},
): Promise<T> {
  const { out: dir, limit, prompt: solve, system, ...rest } = settings;
  const { choose = (all) => all, prm } = more;
  const threads = settings.threads || (await threadsOf('threads', [dir]));
  const { linkRoot = [] } = settings;
  const places = await findPlaces(
    [settings.model, settings.data, settings.imageRoot, ...linkRoot, more.prm],
    await finding(options, [dir]),
  );
  const model = places.of(settings.model);
  const imageRoot = settings.imageRoot === undefined ? undefined : resolvePath(settings.imageRoot);
  const roots = { ...settings, imageRoot, linkRoot: linkRoot.map(resolvePath) };
  const { file: data, reading } = placeData(places, resolvePath(settings.data), roots);
  const custom = keptFunctions(options, options.identity);
  const read = options.problems
    ? readGiven(options.problems, options, limit || undefined)
    : readData(data, reading, options, limit || undefined);
  const problems = choose(await read);
  if (problems.length === 0) {
    const place = options.problems ? '' : `${data}: `;
    throw new UserError(`${place}problems: none that count, wanted at least one`);
  }
  const prompt = { solve, givenAnswer: solve, system };
  const host = await hostOf(options, { ...rest, threads, prompt });
  const opened: Partial<{ policy: Policy; scorer: Scorer }> = {};
  const models: JobModels = {
    policy: async () => {
      opened.policy ??= await host.openPolicy(model);
      return opened.policy;
    },
    scorer: async (folder) => {
      opened.scorer ??= await host.openScorer(places.of(folder), 'load');
      return opened.scorer;
    },
  };
  try {
    if (!existsSync(join(dir, 'config.yaml'))) {
      await models.policy();
      if (prm !== undefined) await models.scorer(prm);
    }
    const { out: _, ...written } = options.problems ? { ...settings, imageRoot: undefined } : settings;
    const kept = { ...written, ...keptCommits(places) };
    const weightBytes = await largestOf(model, prm && places.of(prm));
    const why = whyItMatters({ ...settings, weightBytes }, prm !== undefined, benchmarkSchema);
    const run = await Run.open({
      ...options,
      dir,
      settings: { verb, ...kept, threads, ...(custom && { custom }) },
      why,
    });
    try {
      await run.start({ event: 'start', problems: digestProblems(problems) });
      return await work(run, models, problems);
    } finally {
      await run.close();
    }
  } catch (error) {
    throw memoryFault(error, settings);
  } finally {
    await opened.scorer?.dispose();
    await opened.policy?.dispose();
  }
}

/** Bytes of the largest model's weights; without end where they cannot be read, which is refused elsewhere. */
async function largestOf(...dirs: readonly (string | undefined)[]): Promise<number> {
  const bytes = dirs.map((dir) => (dir === undefined ? 0 : weightBytes(dir).catch(() => Number.POSITIVE_INFINITY)));
  return Math.max(...(await Promise.all(bytes)));
}

/** The threads that one of these runs was begun with, or all cores: what nobody set is no reason to compute otherwise. */
async function threadsOf(setting: string, runs: readonly (string | undefined)[]): Promise<number> {
  return ((await begunWith(setting, runs)) as number | undefined) ?? availableParallelism();
}

/** What the first of these runs that keeps a setting keeps of it. */
async function begunWith(setting: string, runs: readonly (string | undefined)[]): Promise<unknown> {
  for (const run of runs) {
    const found = run === undefined ? undefined : await settingOf(run, setting);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** How paths are found: those of the hub at the commits that one of these runs was begun with. */
async function finding(options: JobOptions, runs: readonly (string | undefined)[]): Promise<FindOptions> {
  return { ...options, commits: (await begunWith('hub', runs)) as Commits | undefined };
}

/** What a run keeps of the places of its paths. */
const keptCommits = ({ commits }: Places): { readonly hub?: Commits } =>
  Object.keys(commits).length > 0 ? { hub: commits } : {};

function placesOf({ run, model, warmup, prm }: Config): ModelPlaces {
  const checkpoint = (name: string): string => join(run.dir, 'checkpoints', name);
  return {
    policy: (at) => (at === 'base' || (at === 'warmup' && !warmup.enabled) ? model.path : checkpoint(at)),
    prm: () => (prm.path === undefined ? [checkpoint('prm'), 'load'] : [prm.path, 'given']),
  };
}

/** The folder a run lies in does not decide its bytes, so a run may be moved. */
export function withoutFolder({ run: { dir: _, ...run }, ...rest }: Config): object {
  return { ...rest, run };
}
