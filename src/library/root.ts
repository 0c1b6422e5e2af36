// The functions at the root of the package: whole jobs, models, and what a run holds.
import { z } from 'zod';
import * as recipes from '../config/load.js';
import * as engine from '../engine/host.js';
import { findPlace } from '../hub/places.js';
import * as benchmarks from '../jobs/benchmarks.js';
import * as checking from '../jobs/check.js';
import * as comparing from '../jobs/compare.js';
import * as experiments from '../jobs/experiment.js';
import { EXPORT_DTYPES, EXPORTS } from '../jobs/export.js';
import * as jobs from '../jobs/jobs.js';
import * as runs from '../jobs/open-run.js';
import * as terminal from '../run/terminal.js';
import { REPORT_TO } from '../views/metrics/files.js';
import * as lists from '../views/run/runs.js';
import { call, having, iterable, looking, path, promising, readFields, seed, text, whole } from './arguments.js';

/** Checked in full, and by name, by the job itself. */
const settings = z.looseObject({});
const jobFields = {
  signal: z.instanceof(AbortSignal).optional(),
  display: having('show', 'say', 'close').optional(),
  onRollout: call.optional(),
  host: having('openPolicy', 'openScorer').optional(),
};
const jobOptions = z.strictObject(jobFields).optional();
const sampleFields = {
  ...jobFields,
  reward: call.optional(),
  identity: path.optional(),
  problems: iterable.optional(),
};
const sampleOptions = z.strictObject(sampleFields).optional();
const recipeOptions = z
  .strictObject({
    ...sampleFields,
    select: call.optional(),
    hooks: z.strictObject({ before: call.optional(), after: call.optional() }).optional(),
    until: z.enum(['warmup', 'label', 'train-prm', 'evolve']).optional(),
    reportTo: z.array(z.enum(REPORT_TO)).optional(),
    from: path.optional(),
  })
  .optional();
const dataToRead = z
  .strictObject({ file: path, ...readFields, imageRoot: path.optional() })
  .omit({ onWarning: true, onFormat: true });
const exportOptions = z.strictObject({
  as: z.enum(EXPORTS),
  out: path,
  checkpoint: path.optional(),
  merge: z.boolean().optional(),
  dtype: z.enum(EXPORT_DTYPES).optional(),
});
const judging = z.strictObject({ lastResort: call, use: call }).optional();

const prompt = { system: text.optional(), solve: text, givenAnswer: text };
const computeFields = {
  device: z.enum(['cpu', 'cuda']),
  dtype: z.enum(['float32', 'bfloat16']),
  threads: whole(0).max(1024),
  tokenBudget: whole(1),
  maxImagePixels: whole(1),
};
const limits = { minPixels: whole(1).optional(), maxPixels: whole(1).optional() };
const engineFields = {
  deterministic: z.boolean().optional(),
  kvGib: z.number().min(0).max(65536).optional(),
  recompute: z.enum(['auto', 'never', 'always']).optional(),
  ...limits,
  offload: z.enum(['auto', 'never', 'always']).optional(),
  onRollout: call.optional(),
};
const prmOptions = z
  .strictObject({
    out: path.optional(),
    table: path.optional(),
    temperature: z.number().min(0).optional(),
    iteration: whole(1).optional(),
    seed: seed.optional(),
    relevance: having('rate').optional(),
  })
  .optional();

export const loadConfig = promising(
  'loadConfig',
  {
    source: z.strictObject({ file: path.optional(), preset: path.optional(), set: z.array(text).optional() }),
  },
  recipes.loadConfig,
);
export const resolveConfig = looking('resolveConfig', { settings }, recipes.resolveConfig);
export const createHost = looking(
  'createHost',
  { options: z.strictObject({ ...computeFields, ...engineFields, prompt: z.strictObject(prompt) }) },
  engine.createHost,
);
export const loadModel: typeof engine.loadModel = promising(
  'loadModel',
  {
    dir: path,
    options: z
      .strictObject({ ...computeFields, prompt: z.strictObject(prompt).partial() })
      .partial()
      .extend(engineFields)
      .optional(),
  },
  async (dir, options) => engine.loadModel(await findPlace(dir), options),
);

export const evolve = promising('evolve', { settings, options: recipeOptions }, jobs.evolve);
export const rollout = promising('rollout', { settings, options: sampleOptions }, jobs.rollout);
export const evaluate = promising(
  'evaluate',
  { settings: z.looseObject({ protocol: path.optional(), judge: judging }), options: sampleOptions },
  jobs.evaluate,
);
export const evaluateRun = promising(
  'evaluateRun',
  {
    settings: z.strictObject({
      run: path,
      out: path,
      benchmarks: z.array(z.strictObject({ name: path, data: path, imageRoot: path.optional() })),
      limit: whole(0).optional(),
    }),
    options: jobOptions,
  },
  benchmarks.evaluateRun,
);
export const experiment = promising(
  'experiment',
  {
    settings: z.strictObject({
      names: z.array(path),
      scale: path,
      seeds: z.array(seed),
      out: path,
      set: z.array(text).optional(),
    }),
    options: jobOptions,
  },
  experiments.experiment,
);

export const openRun: typeof runs.openRun = promising('openRun', { run: path }, async (dir) => {
  const run = await runs.openRun(dir);
  return {
    ...run,
    rollouts: looking('rollouts', { phase: path }, run.rollouts),
    query: promising('query', { sql: text }, run.query),
    prm: promising('prm', { options: prmOptions }, run.prm),
    export: promising('export', { options: exportOptions }, run.export),
  };
});
export const listRuns = promising('listRuns', { folder: path }, lists.listRuns);
export const compareRuns = promising(
  'compareRuns',
  { folders: z.array(path).min(2).max(8), options: z.strictObject({ html: path.optional() }).optional() },
  comparing.compareRuns,
);

export const check = promising(
  'check',
  {
    dir: path,
    options: z
      .strictObject({
        data: dataToRead.optional(),
        device: computeFields.device.optional(),
        maxImagePixels: whole(1).optional(),
        ...limits,
        display: jobFields.display,
      })
      .optional(),
  },
  checking.check,
);
export const doctor = promising(
  'doctor',
  {
    dir: path,
    options: z
      .strictObject({
        config: path,
        preset: path,
        device: computeFields.device,
        dtype: computeFields.dtype,
        rows: whole(1),
        promptTokens: whole(1),
        ...limits,
        gpus: z.array(whole(1).max(4096)).min(1),
      })
      .partial()
      .optional(),
  },
  checking.doctor,
);
export const openDisplay = looking('openDisplay', { output: having('write') }, terminal.openDisplay);
