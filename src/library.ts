// The functions of the package as programs call them, which no compiler may have checked: what is missing, misspelt or of
// another kind is a UserError that names it, before anything is done. What values mean is checked where they are used.
import { z } from 'zod';
import * as recipes from './config/load.js';
import { checked } from './core/schema.js';
import * as data from './data/problems.js';
import * as stepData from './data/steps/read.js';
import * as stepLines from './data/steps/write.js';
import * as engine from './engine/host.js';
import * as grading from './grade/grade-file.js';
import * as experiments from './jobs/experiment.js';
import * as jobs from './jobs/jobs.js';
import * as runs from './jobs/open-run.js';
import type { JudgeOptions } from './judge/chat.js';
import * as judges from './judge/judge.js';
import * as regrading from './judge/regrade.js';
import * as relevances from './judge/relevance.js';
import * as writing from './problems/write.js';
import * as answers from './reward/answer/grade.js';
import * as cutting from './reward/steps.js';
import * as terminal from './run/terminal.js';
import { REPORT_TO } from './views/metrics/targets.js';

type Arguments = Readonly<Record<string, z.ZodType>>;

function check(name: string, wanted: Arguments, given: readonly unknown[]): void {
  for (const [i, [argument, schema]] of Object.entries(wanted).entries()) checked(schema, given[i], name, argument);
}

type Call = (...given: never[]) => unknown;

/** `call` under its name, with its arguments looked at first. */
function looking<F extends Call>(name: string, wanted: Arguments, call: F): F {
  return ((...given: Parameters<F>) => {
    check(name, wanted, given);
    return call(...given);
  }) as F;
}

/** The same for a call that must not throw at once. */
function promising<F extends Call>(name: string, wanted: Arguments, call: F): F {
  return (async (...given: Parameters<F>) => {
    check(name, wanted, given);
    return call(...given);
  }) as unknown as F;
}

const text = z.string();
const path = z.string().min(1);
const whole = (least: number) => z.number().int().min(least);
const seed = whole(0).max(2 ** 32 - 1);
/** Checked in full, and by name, by the job itself. */
const settings = z.looseObject({});
const call = z.custom((value) => typeof value === 'function', 'a function');
const having = (...methods: string[]) =>
  z.custom(
    (value) => methods.every((name) => typeof (value as Record<string, unknown> | null)?.[name] === 'function'),
    `an object with ${methods.join(', ')}`,
  );
const numbers = z.custom((value) => Array.isArray(value) || ArrayBuffer.isView(value), 'a list of numbers');

const jobFields = {
  signal: z.instanceof(AbortSignal).optional(),
  display: having('show', 'say', 'close').optional(),
  onRollout: call.optional(),
  host: having('openPolicy', 'openScorer').optional(),
};
const jobOptions = z.strictObject(jobFields).optional();
const recipeOptions = z
  .strictObject({
    ...jobFields,
    until: z.enum(['warmup', 'label', 'train-prm', 'evolve']).optional(),
    reportTo: z.array(z.enum(REPORT_TO)).optional(),
    from: path.optional(),
  })
  .optional();
const judging = z.strictObject({ lastResort: call, use: call }).optional();

const prompt = { system: text.optional(), solve: text, givenAnswer: text };
const computeFields = {
  device: z.enum(['cpu', 'cuda']),
  dtype: z.enum(['float32', 'bfloat16']),
  threads: whole(0).max(1024),
  tokenBudget: whole(1),
  maxImagePixels: whole(1),
};
const engineFields = {
  deterministic: z.boolean().optional(),
  kvGib: z.number().min(0).max(65536).optional(),
  onRollout: call.optional(),
};
/** How a data set is read. */
const reading = {
  linkRoot: z.array(path).optional(),
  format: path.optional(),
  columns: z.record(z.string(), z.union([path, z.array(path)])).optional(),
  hints: z.enum(['kept', 'none', 'mathvista']).optional(),
};
const readOptions = z.strictObject({
  imageRoot: path,
  ...reading,
  limit: whole(0).optional(),
  onWarning: call.optional(),
  onFormat: call.optional(),
  onRepeat: call.optional(),
  onMissingPicture: call.optional(),
});
const solution = z.looseObject({
  question: text,
  steps: z.array(text),
  labels: z.array(z.number()),
  images: z.array(text),
});
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
const problem = z.looseObject({
  answer: text,
  questionType: z.enum(['multi_choice', 'free_form']),
  answerType: z.enum(['text', 'integer', 'float', 'list', 'expression']),
  choices: z.array(text),
  precision: z.number().optional(),
  unit: text.optional(),
  question: text.optional(),
});
const judgeOptions = z.strictObject({
  baseUrl: path,
  apiKey: text.optional(),
  model: path,
  patience: z
    .strictObject({ concurrency: whole(1), timeoutMs: whole(1), retries: whole(0), backoffMs: whole(0) })
    .partial()
    .optional(),
  cache: path.optional(),
  price: z.strictObject({ input: z.number().min(0), output: z.number().min(0) }).optional(),
});

export const loadConfig: typeof recipes.loadConfig = promising(
  'loadConfig',
  {
    source: z.strictObject({ file: path.optional(), preset: path.optional(), set: z.array(text).optional() }),
  },
  recipes.loadConfig,
);
export const resolveConfig: typeof recipes.resolveConfig = looking(
  'resolveConfig',
  { settings },
  recipes.resolveConfig,
);
export const resolvePath: typeof recipes.resolvePath = looking('resolvePath', { path }, recipes.resolvePath);

export const openProblems: typeof data.openProblems = looking(
  'openProblems',
  { file: path, options: readOptions },
  data.openProblems,
);
export const loadProblems: typeof data.loadProblems = promising(
  'loadProblems',
  { file: path, options: readOptions },
  data.loadProblems,
);
export const openSteps: typeof stepData.openSteps = looking(
  'openSteps',
  { file: path, form: path.optional() },
  stepData.openSteps,
);
export const messagesLine: typeof stepLines.messagesLine = looking(
  'messagesLine',
  { solution },
  stepLines.messagesLine,
);
export const stepwiseLine: typeof stepLines.stepwiseLine = looking(
  'stepwiseLine',
  { solution },
  stepLines.stepwiseLine,
);
export const visualPrmLine: typeof stepLines.visualPrmLine = looking(
  'visualPrmLine',
  { solution },
  stepLines.visualPrmLine,
);
export const writeProblems: typeof writing.writeProblems = promising(
  'writeProblems',
  {
    dir: path,
    options: z.strictObject({
      count: whole(0).max(1e9),
      seed,
      families: z.array(path).min(1).optional(),
      first: whole(0).optional(),
      range: whole(1).optional(),
      choiceShare: z.number().min(0).max(1).optional(),
    }),
  },
  writing.writeProblems,
);

export const createHost: typeof engine.createHost = looking(
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
  engine.loadModel,
);

export const evolve = promising('evolve', { settings, options: recipeOptions }, jobs.evolve);
export const rollout = promising('rollout', { settings, options: jobOptions }, jobs.rollout);
export const evaluate = promising(
  'evaluate',
  { settings: z.looseObject({ protocol: path.optional(), judge: judging }), options: jobOptions },
  jobs.evaluate,
);
export const experiment: typeof experiments.experiment = promising(
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

export const grade: typeof answers.grade = looking('grade', { problem, response: text }, answers.grade);
export const splitSteps: typeof cutting.splitSteps = looking(
  'splitSteps',
  { response: z.looseObject({ text, tokens: numbers, ends: numbers }), delimiter: z.string().min(1).optional() },
  cutting.splitSteps,
);
export const gradeFile: typeof grading.gradeFile = promising(
  'gradeFile',
  {
    file: path,
    options: z.strictObject({ out: path, protocol: path, explain: z.boolean(), lastResort: call.optional() }),
  },
  grading.gradeFile,
);
export const lastResortOf: typeof regrading.lastResortOf = looking(
  'lastResortOf',
  { judge: having('answerOf') },
  regrading.lastResortOf,
);

export class Judge extends judges.Judge {
  constructor(options: JudgeOptions) {
    super(checked(judgeOptions, options, 'Judge', 'options') as JudgeOptions);
  }
}
export class RelevanceJudge extends relevances.RelevanceJudge {
  constructor(options: JudgeOptions) {
    super(checked(judgeOptions, options, 'RelevanceJudge', 'options') as JudgeOptions);
  }
}

export const openRun: typeof runs.openRun = promising('openRun', { run: path }, async (dir) => {
  const run = await runs.openRun(dir);
  return {
    ...run,
    rollouts: looking('rollouts', { phase: path }, run.rollouts),
    query: promising('query', { sql: text }, run.query),
    prm: promising('prm', { options: prmOptions }, run.prm),
  };
});
export const openDisplay: typeof terminal.openDisplay = looking(
  'openDisplay',
  { output: having('write') },
  terminal.openDisplay,
);
