// `mstar/grade`: responses held against the right answer, one or a whole file, by the rules of training or of a benchmark.
import { z } from 'zod';
import * as grading from '../grade/grade-file.js';
import * as answers from '../reward/answer/grade.js';
import * as cutting from '../reward/steps.js';
import { call, looking, path, promising, text } from './arguments.js';

export type { Grade, StepSpan } from '../core/types.js';
export type { GradeCounts, GradeOptions } from '../grade/grade-file.js';
export type { Gradable } from '../reward/answer/grade.js';
export type { AnswerRow, LastResort, Protocol } from '../reward/protocol/protocol.js';
export { protocols } from '../reward/protocol/registry.js';

const numbers = z.custom((value) => Array.isArray(value) || ArrayBuffer.isView(value), 'a list of numbers');
const problem = z.looseObject({
  answer: text,
  questionType: z.enum(['multi_choice', 'free_form']),
  answerType: z.enum(['text', 'integer', 'float', 'list', 'expression']),
  choices: z.array(text),
  precision: z.number().optional(),
  unit: text.optional(),
  question: text.optional(),
});

export const grade = looking('grade', { problem, response: text }, answers.grade);
export const splitSteps = looking(
  'splitSteps',
  { response: z.looseObject({ text, tokens: numbers, ends: numbers }), delimiter: z.string().min(1).optional() },
  cutting.splitSteps,
);
export const gradeFile = promising(
  'gradeFile',
  {
    file: path,
    options: z.strictObject({ out: path, protocol: path, explain: z.boolean(), lastResort: call.optional() }),
  },
  grading.gradeFile,
);
