// `mstar/data`: problems and labelled steps, read from files and written to them.
import { z } from 'zod';
import * as problems from '../data/problems.js';
import * as steps from '../data/steps.js';
import { findData } from '../hub/places.js';
import * as describing from '../jobs/describe-data.js';
import * as writing from '../problems/write.js';
import { call, looking, path, promising, readFields, seed, text, whole } from './arguments.js';

export type { ImageSource, Problem } from '../core/types.js';
export type { ReadOptions } from '../data/problems.js';
export type { StepLabelled } from '../data/steps.js';
export type { DescribeOptions } from '../jobs/describe-data.js';
export type { WriteOptions, Written } from '../problems/write.js';
export type { Census, Histogram } from '../views/dataset/census.js';

const readOptions = z.strictObject(readFields);
const solution = z.looseObject({
  question: text,
  steps: z.array(text),
  labels: z.array(z.number()),
  images: z.array(text),
});

export const openProblems: typeof problems.openProblems = looking(
  'openProblems',
  { file: path, options: readOptions },
  async function* (file, options) {
    const found = await findData(file, options);
    yield* problems.openProblems(found.file, found.reading);
  },
);
export const loadProblems: typeof problems.loadProblems = promising(
  'loadProblems',
  { file: path, options: readOptions },
  async (file, options) => {
    const found = await findData(file, options);
    return problems.loadProblems(found.file, found.reading);
  },
);
const describeOptions = readOptions
  .omit({ onWarning: true, onFormat: true, onRepeat: true, onMissingPicture: true })
  .extend({
    imageRoot: path.optional(),
    headersOnly: z.boolean().optional(),
    sheet: whole(0).max(500).optional(),
    out: path.optional(),
    model: path.optional(),
    name: path.optional(),
    onProgress: call.optional(),
  });
export const describeData = promising(
  'describeData',
  { file: path, options: describeOptions.optional() },
  describing.describeData,
);
export const openSteps = looking('openSteps', { file: path, form: path.optional() }, steps.openSteps);
export const messagesLine = looking('messagesLine', { solution }, steps.messagesLine);
export const stepwiseLine = looking('stepwiseLine', { solution }, steps.stepwiseLine);
export const visualPrmLine = looking('visualPrmLine', { solution }, steps.visualPrmLine);
export const writeProblems = promising(
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
