// Whole jobs as functions of their settings: opens data, run folder and engine, and hands them to the loop.
// Leaves the loop to evolve, evaluate and rollout, and flags and printing to the commands.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { resolveConfig } from './config/load.js';
import {
  type EvaluateSettings,
  evaluateSchema,
  type RolloutSettings,
  resolveSample,
  rolloutSchema,
} from './config/sample.js';
import type { Config, ConfigInput } from './config/schema.js';
import type { ModelHost, Policy } from './core/ports.js';
import type { Problem, RolloutStats } from './core/types.js';
import { digestProblems } from './data/digest.js';
import { loadProblems } from './data/problems.js';
import { type Splits, splitProblems } from './data/splits.js';
import { writeSplits } from './data/splits-file.js';
import { createHost } from './engine/host.js';
import { type EvaluateSummary, evaluate as evaluateOn } from './evaluate/evaluate.js';
import { evolve as evolveOn } from './evolve/evolve.js';
import { optimizerSettings } from './evolve/fit.js';
import { type ModelPlaces, Models } from './evolve/job.js';
import type { Stage } from './evolve/plan.js';
import { plannedSteps } from './evolve/plan.js';
import type { Summary } from './evolve/summary.js';
import { writeProblems } from './problems/write.js';
import { type RolloutSummary, rollout as rolloutOn } from './rollout/sample.js';
import { putDurable } from './run/durable.js';
import { Run } from './run/folder.js';
import { requireSpace, weightBytes } from './run/space.js';
import { type Display, silent } from './run/terminal.js';

export interface JobOptions {
  /** Stops the job at the next safe point; it rejects with `Stopped`, and the same call goes on from there. */
  readonly signal?: AbortSignal;
  /** Where progress is shown; nowhere when left out. */
  readonly display?: Display;
  /** Told what each rollout call of the native engine computed. */
  readonly onRollout?: (stats: RolloutStats) => void;
  /** Opens the models; the native engine when left out. */
  readonly host?: ModelHost;
}

/** Bytes of a checkpoint with trainer state per byte of the model on disk (16-bit weights: exact copy and two moments). */
const CHECKPOINT_GROWTH = 8;
const MOST_WARNINGS = 5;

/**
 * Runs the recipe in the folder `run.dir`, or goes on with the run that it holds.
 * @param settings as in a recipe file; `loadConfig` reads one
 * @param until the last stage to do; each includes those before it
 * @throws UserError on bad settings, data or model, before anything is written
 */
export async function evolve(
  settings: ConfigInput,
  options: JobOptions = {},
  until: Stage = 'evolve',
): Promise<Summary> {
  const config = resolveConfig(settings);
  const { dir, keepCheckpoints } = config.run;
  const models = new Models(
    options.host ?? createHost({ ...config.model, prompt: config.prompt, onRollout: options.onRollout }),
    placesOf(config),
  );
  try {
    const isNew = !existsSync(join(dir, 'config.yaml'));
    // What can be refused is looked at before a folder is made.
    if (isNew) {
      await models.policy('base');
      await requireSpace(dir, CHECKPOINT_GROWTH * (await weightBytes(config.model.path)));
    }
    const read =
      config.data.file === undefined ? undefined : split(config, await readData(config.data.file, config, options));
    const run = await Run.open({ ...options, dir, keepCheckpoints, settings: withoutFolder(config) });
    try {
      const data = read ?? split(config, await makeData(config, run, options));
      await writeSplits(dir, config.seed, data);
      await run.start({ event: 'start', problems: digestProblems(Object.values(data).flat()) });
      models.learnWith(optimizerSettings(config.evolve.optimizer, plannedSteps({ config, data })));
      return await evolveOn({ config, run, data, models }, until);
    } finally {
      await run.close();
    }
  } finally {
    await models.dispose();
  }
}

/** The recipe up to the warm-up checkpoint. */
export function warmup(settings: ConfigInput, options?: JobOptions): Promise<Summary> {
  return evolve(settings, options, 'warmup');
}

/** The recipe up to the labelled data of the PRM. */
export function label(settings: ConfigInput, options?: JobOptions): Promise<Summary> {
  return evolve(settings, options, 'label');
}

/** The recipe up to the trained PRM. */
export function trainPrm(settings: ConfigInput, options?: JobOptions): Promise<Summary> {
  return evolve(settings, options, 'train-prm');
}

/**
 * Answers every problem of a data set once, greedily, and grades. Writes responses.jsonl and summary.json.
 * @throws UserError on bad settings, data or model, before anything is written
 */
export async function evaluate(settings: EvaluateSettings, options: JobOptions = {}): Promise<EvaluateSummary> {
  const resolved = resolveSample(evaluateSchema, settings);
  const sampling = { ...resolved, topK: 0, topP: 1 };
  return onData('evaluate', resolved, options, (run, openPolicy, problems) =>
    evaluateOn(run, openPolicy, problems, sampling),
  );
}

/**
 * Samples n responses to every problem of a data set and grades them. Writes rollouts.parquet, rollouts.jsonl and
 * summary.json.
 * @throws UserError on bad settings, data or model, before anything is written
 */
export async function rollout(settings: RolloutSettings, options: JobOptions = {}): Promise<RolloutSummary> {
  const resolved = resolveSample(rolloutSchema, settings);
  return onData('rollout', resolved, options, (run, openPolicy, problems) =>
    rolloutOn(run, openPolicy, problems, resolved, resolved),
  );
}

type ResolvedSample = ReturnType<typeof resolveSample<typeof evaluateSchema>>;

async function onData<T>(
  verb: string,
  settings: ResolvedSample,
  options: JobOptions,
  work: (run: Run, openPolicy: () => Promise<Policy>, problems: readonly Problem[]) => Promise<T>,
): Promise<T> {
  const { out: dir, model, data, imageRoot, limit, prompt: solve, system, ...rest } = settings;
  const problems = await readData(data, { data: { imageRoot } }, options, limit || undefined);
  const prompt = { solve, givenAnswer: solve, system };
  const host = options.host ?? createHost({ ...rest, tokenBudget: 1, prompt, onRollout: options.onRollout });
  let policy: Policy | undefined;
  const openPolicy = async (): Promise<Policy> => {
    policy ??= await host.openPolicy(model);
    return policy;
  };
  try {
    if (!existsSync(join(dir, 'config.yaml'))) await openPolicy();
    const { out: _, ...kept } = settings;
    const run = await Run.open({ ...options, dir, settings: { verb, ...kept } });
    try {
      await run.start({ event: 'start', problems: digestProblems(problems) });
      return await work(run, openPolicy, problems);
    } finally {
      await run.close();
    }
  } finally {
    await policy?.dispose();
  }
}

function placesOf({ run, model, warmup }: Config): ModelPlaces {
  const checkpoint = (name: string): string => join(run.dir, 'checkpoints', name);
  return {
    policy: (at) => (at === 'base' || (at === 'warmup' && !warmup.enabled) ? model.path : checkpoint(at)),
    prm: () => checkpoint('prm'),
  };
}

/** The folder a run lies in does not decide its bytes, so a run may be moved. */
function withoutFolder({ run: { dir: _, ...run }, ...rest }: Config): object {
  return { ...rest, run };
}

function split({ splits, seed }: Config, problems: readonly Problem[]): Splits {
  return splitProblems(problems, splits, seed);
}

async function readData(
  file: string,
  { data }: { readonly data: Pick<Config['data'], 'imageRoot'> },
  { display = silent }: JobOptions,
  limit?: number,
): Promise<Problem[]> {
  let warnings = 0;
  const onWarning = (text: string): void => {
    if (++warnings <= MOST_WARNINGS) display.say(`warning: ${text}`);
  };
  const problems = await loadProblems(file, { imageRoot: data.imageRoot ?? dirname(file), limit, onWarning });
  if (warnings > MOST_WARNINGS) display.say(`warning: ${warnings - MOST_WARNINGS} more of these in ${file}`);
  return problems;
}

/** Makes the problems of the run once, in `problems/` of its folder. */
async function makeData(config: Config, run: Run, options: JobOptions): Promise<Problem[]> {
  const dir = join(run.dir, 'problems');
  const { generate } = config.data;
  if (!generate) throw new Error('no problems to make');
  if (run.isFresh || !existsSync(dir)) {
    run.progress.say(`making ${generate.count} problems`);
    await putDurable(dir, async (aside) => {
      await writeProblems(aside, { ...generate, seed: generate.seed ?? config.seed });
    });
  }
  return readData(join(dir, 'problems.json'), { data: { imageRoot: join(dir, 'data_images') } }, options);
}
