// The settings of the jobs that sample: a model, a data set, an output folder and how to sample.
import { dirname } from 'node:path';
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { nearestName } from '../core/nearest.js';
import { explainIssue } from './explain.js';
import { isOnHub, keptPath, PACKAGE_PREFIX, resolvePath } from './load.js';
import { count, temperature } from './numbers.js';
import { readingSettings } from './reading.js';
import { settings } from './schema.js';

const path = () => z.string().min(1).transform(keptPath);

/** How a data set is read, for verbs that do no more. */
export const readingSchema = z.strictObject(readingSettings(() => z.string().min(1).transform(resolvePath)));

// What means the same in a recipe is told there.
const { seed, prompt } = settings.shape;
const { device, dtype, threads, deterministic, kvGib, maxImagePixels, minPixels, maxPixels } =
  settings.shape.model.shape;
const { topK, topP, maxTokens } = settings.shape.sampling.unwrap().shape;
const { delimiter } = settings.shape.steps.unwrap().shape;
const { chunk } = settings.shape.run.unwrap().shape;
const { aggregate } = settings.shape.prm.unwrap().shape;

/** Areas of pictures, for verbs that do no more with a model than look at it. */
export const pictureSchema = z.strictObject({ minPixels, maxPixels });

/** One greedy response per problem. */
export const evaluateSchema = z.strictObject({
  model: path().describe('checkpoint folder in Hugging Face form, or its name on the hub as hf:ORG/NAME'),
  data: z
    .string()
    .min(1)
    .refine(
      (file) => file !== '-' && file !== '/dev/stdin',
      'standard input, wanted a file: the job reads it again when it is resumed',
    )
    .transform(keptPath)
    .describe('data set: JSON, JSON lines, CSV, TSV or Parquet in any form that docs/data.md lists'),
  ...readingSettings(path),
  out: path().describe('output folder; made when missing, resumed when it holds this job'),
  maxTokens: maxTokens.unwrap().default(512).describe('longest response, in tokens'),
  limit: count(0).default(0).describe('problems to take from the start of the data; 0: all'),
  seed,
  chunk,
  delimiter,
  prompt: z
    .string()
    .refine((text) => text.includes('{question}'), 'no {question} in it, wanted one')
    .default('{question}')
    .describe('user text, with {question} in it'),
  system: prompt.unwrap().shape.system,
  ...{ device, dtype, threads, deterministic, kvGib, maxImagePixels, minPixels, maxPixels },
});

/** n sampled responses per problem. */
export const rolloutSchema = evaluateSchema.extend({
  n: count(1, 4096).default(16).describe('responses per problem'),
  temperature: temperature().default(1).describe('sampling temperature; 0: greedy'),
  ...{ topK, topP },
});

/** One greedy response and n sampled ones per problem of a benchmark. */
export const benchmarkSchema = rolloutSchema.extend({
  benchmark: z.string().min(1).describe("whose problems, protocol and sub-tasks: 'mathvista', 'mmbench-r'..."),
  n: count(0, 4096).default(16).describe('sampled responses per problem, beside the greedy one; 0: greedy only'),
  temperature: temperature().gt(0).default(1).describe('sampling temperature of the sampled responses'),
  prm: path()
    .optional()
    .describe('checkpoint folder of a process reward model: its scores rank and weigh the sampled responses'),
  aggregate,
});

/** Tables of responses that were sampled before. */
export const storedSchema = readingSchema.extend({
  rollouts: z.string().min(1).describe('table of rollouts, or folder of mstar evaluate or rollout'),
  out: z.string().min(1).describe('folder of the tables; made when missing'),
  benchmark: z.string().min(1).optional(),
  data: z
    .string()
    .min(1)
    .transform(resolvePath)
    .optional()
    .describe("data set to take the problems' tags and choices from, by id, where the table lacks them"),
  seed: evaluateSchema.shape.seed.describe('seeds the bootstrap'),
});

/** Settings of how responses are graded, beside those of a schema. */
const GRADING = ['protocol', 'judge'];

/**
 * What settings of an evaluation ask for: tables of stored rollouts, tables of a benchmark, or greedy responses to a data set.
 * @throws UserError on settings that do not go together
 */
export function evaluationOf(settings: object): 'stored' | 'benchmark' | 'greedy' {
  const given = Object.entries(settings).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const has = (name: string): boolean => given.includes(name);
  const refuse = (name: string | undefined, text: string): void => {
    if (name !== undefined) throw new UserError(`${flagOf(name)}: ${text}`, 'ERR_SETTING');
  };
  if (has('rollouts')) {
    const other = given.find((name) => !(name in storedSchema.shape || GRADING.includes(name)));
    refuse(other, 'given with --rollouts, wanted one of the two');
    return 'stored';
  }
  const absent = ['model', 'data'].find((name) => !has(name));
  refuse(absent, 'missing, wanted --model and --data, or --rollouts with what was sampled before');
  if (has('benchmark')) return 'benchmark';
  refuse(GRADING.find(has), 'given alone, wanted --benchmark or --rollouts');
  const sampled = given.find((name) => name in benchmarkSchema.shape && !(name in evaluateSchema.shape));
  refuse(sampled, 'given without --benchmark, wanted both, or mstar rollout');
  return 'greedy';
}

/** The flag of a setting as one types it. */
export function flagOf(setting: string): string {
  return `--${setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Settings of an evaluation on a benchmark, sampled greedily and n times. */
export type BenchmarkSettings = z.input<typeof benchmarkSchema>;
/** Settings of greedy responses to a data set. */
export type EvaluateSettings = z.input<typeof evaluateSchema>;
/** Settings of an evaluation of responses that are there already. */
export type StoredSettings = z.input<typeof storedSchema>;
/** Settings of n responses to every problem of a data set. */
export type RolloutSettings = z.input<typeof rolloutSchema>;

/**
 * Checks settings and fills in what was left out.
 * @throws UserError `--flag: found, wanted`
 */
export function resolveSample<T extends typeof evaluateSchema | typeof rolloutSchema | typeof benchmarkSchema>(
  schema: T,
  values: z.input<T>,
): z.output<T> {
  const settings = checkFlags(schema, values) as z.output<T>;
  return { ...settings, imageRoot: settings.imageRoot ?? folderOf(settings.data) };
}

/**
 * Checks values that flags give.
 * @throws UserError `--flag: found, wanted`
 */
export function checkFlags<T extends z.ZodObject>(schema: T, values: z.input<T>): z.output<T> {
  const checked = schema.safeParse(values);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0] as z.core.$ZodIssue;
  const name = issue.code === 'unrecognized_keys' ? (issue.keys[0] as string) : String(issue.path[0]);
  if (issue.code !== 'unrecognized_keys')
    throw new UserError(`${flagOf(name)}: ${explainIssue(issue, values)}`, 'ERR_SETTING');
  const near = nearestName(name, Object.keys(schema.shape));
  throw new UserError(
    `${flagOf(name)}: unknown setting${near === undefined ? '' : `, did you mean ${flagOf(near)}?`}`,
    'ERR_SETTING',
  );
}

/** On the hub a folder is one that is downloaded whole, which nobody asked for. */
function folderOf(path: string): string | undefined {
  if (isOnHub(path)) return undefined;
  if (!path.startsWith(PACKAGE_PREFIX)) return dirname(path);
  return PACKAGE_PREFIX + dirname(path.slice(PACKAGE_PREFIX.length));
}
