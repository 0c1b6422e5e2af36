// Problems that a program gives instead of a file: what it may leave out is filled in as for a record of a file.
import { z } from 'zod';
import { checked, imageInput, imageSource } from '../core/schema.js';
import type { ImageInput, Problem, ProblemTruth } from '../core/types.js';
import { askedProblem } from './asked.js';
import type { ReadContext } from './formats/format.js';
import { ImageRoot } from './image-root.js';
import { type Place, refuse, shown } from './refuse.js';

/** A question as a program has it: what its kind of answer is, is told by its hint line, its choices or the answer. */
export interface ShortProblem {
  readonly question: string;
  /** With choices a letter, or the text of one of them. */
  readonly answer: string | number;
  readonly images?: readonly ImageInput[] | undefined;
  /** Choice texts in order, put under the question; those that stand in the question are found there. */
  readonly choices?: readonly string[] | undefined;
  /** Unique among the problems; their index from 0 when left out. */
  readonly id?: string | number | undefined;
  /** Put behind the question. */
  readonly unit?: string | undefined;
  /** Names a part of the data, by which results are listed; `program` when left out. */
  readonly source?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** A problem as a program gives it: a whole one, taken as it is, or a question and its answer. */
export type ProblemInput = Problem | ShortProblem;

/** Problems one after the other: a list, or an iterable that makes them. */
export type ProblemSource = Iterable<ProblemInput> | AsyncIterable<ProblemInput>;

const asked = z.strictObject({
  question: z.string(),
  answer: z.union([z.string(), z.number()], 'a string or a number'),
  images: z.array(imageInput).optional(),
  choices: z.array(z.string()).optional(),
  id: z.union([z.string().min(1), z.number()], 'a string or a number').optional(),
  unit: z.string().min(1).optional(),
  source: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
});
const whole = z.strictObject({
  id: z.string().min(1),
  question: z.string(),
  images: z.array(imageInput),
  answer: z.string(),
  questionType: z.enum(['multi_choice', 'free_form']),
  answerType: z.enum(['text', 'integer', 'float', 'list']),
  choices: z.array(z.string()),
  source: z.string(),
  precision: z.number().int().min(0).optional(),
  unit: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  truth: z.custom<ProblemTruth>((value) => typeof value === 'object' && value !== null).optional(),
});

/**
 * Takes all problems, or the first `limit`; an iterable is asked for no more.
 * @throws UserError `problems:N: field: found, wanted` on the first that cannot be used, or has the id of another
 */
export async function takeProblems(
  source: ProblemSource,
  onWarning: (warning: string) => void,
  limit = Number.POSITIVE_INFINITY,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  const ids = new Set<string>();
  const context: ReadContext = { hints: 'kept', onWarning, pictures: new ImageRoot('.') };
  if (limit <= 0) return problems;
  for await (const given of source) {
    const at = { file: 'problems', line: problems.length + 1 };
    const problem = problemOf(given, at, context);
    if (ids.has(problem.id)) refuse(at, 'id', `${shown(problem.id)} again`, 'a new one');
    ids.add(problem.id);
    problems.push(problem);
    if (problems.length >= limit) break;
  }
  return problems;
}

function problemOf(given: ProblemInput, at: Place, context: ReadContext): Problem {
  const place = `${at.file}:${at.line}`;
  if (typeof given === 'object' && given !== null && 'questionType' in given) {
    const problem = checked(whole, given, place, 'problem');
    return {
      ...problem,
      images: problem.images.map((one, i) => imageSource(one, `problem ${problem.id}, picture ${i + 1}`)),
    };
  }
  const { images = [], source = 'program', ...found } = checked(asked, given, place, 'problem');
  const id = String(found.id ?? at.line - 1);
  const sources = images.map((one, i) => imageSource(one, `problem ${id}, picture ${i + 1}`));
  const fields = ['question', 'answer'] as const;
  return askedProblem({ ...found, id, answer: String(found.answer), fields, images: sources, source }, at, context);
}
