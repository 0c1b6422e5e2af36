// Stored responses joined with their problems and graded anew: what the tables are made of when no model is at hand.
// Leaves the tables to tables.ts. Reads what rollout, evaluate and evolve write: JSON lines or Parquet.
import { UserError } from '../core/errors.js';
import type { Grade, Problem } from '../core/types.js';
import { readRows } from '../data/formats/rows.js';
import { shown } from '../data/refuse.js';
import { type AnswerRow, letterOf, type Protocol } from '../reward/protocol/protocol.js';

export interface GradedSample {
  readonly text: string;
  readonly grade: Grade;
  /** PRM reward; NaN where none was stored. */
  readonly reward: number;
}

export interface Question {
  readonly problem: Problem;
  readonly greedy: GradedSample | undefined;
  /** In sample order. */
  readonly samples: readonly GradedSample[];
}

export interface Grading {
  readonly protocol: Protocol;
  readonly taskFormat: string;
}

/**
 * Reads stored responses. A response at temperature 0 is the greedy one of its problem; where a file does not say temperatures, it holds
 * greedy responses if no problem has more than one. Problems without a response are given with none.
 * @throws UserError naming file, line and field
 */
export async function readStored(
  files: readonly string[],
  problems: readonly Problem[],
  grading: Grading,
): Promise<Question[]> {
  const byId = new Map(problems.map((problem) => [problem.id, problem]));
  const greedy = new Map<string, GradedSample>();
  const samples = new Map<string, GradedSample[]>();
  for (const file of files) {
    const own = await readFile(file, byId, grading);
    const told = own.some(({ temperature }) => temperature !== undefined);
    const single = new Set(own.map(({ id }) => id)).size === own.length;
    for (const { id, temperature, sample } of own) {
      if (told ? temperature === 0 : single) greedy.set(id, sample);
      else if (samples.has(id)) samples.get(id)?.push(sample);
      else samples.set(id, [sample]);
    }
  }
  return problems.map((problem) => ({
    problem,
    greedy: greedy.get(problem.id),
    samples: samples.get(problem.id) ?? [],
  }));
}

interface StoredRow {
  readonly id: string;
  readonly place: number;
  readonly temperature: number | undefined;
  readonly sample: GradedSample;
}

async function readFile(file: string, byId: ReadonlyMap<string, Problem>, grading: Grading): Promise<StoredRow[]> {
  const rows: StoredRow[] = [];
  let unknown = 0;
  for await (const { value, line } of readRows(file)) {
    const at = `${file}:${line}`;
    if (value.sample === null) continue; // a problem that could not be sampled
    if (typeof value.problem !== 'string' || typeof value.text !== 'string')
      throw new UserError(
        `${at}: ${typeof value.problem === 'string' ? 'text' : 'problem'}: missing, wanted rows of mstar's rollouts`,
      );
    const problem = byId.get(value.problem);
    if (!problem) {
      unknown++;
      continue;
    }
    const sample = {
      text: value.text,
      grade: grading.protocol.grade(rowOf(problem, value.text, grading.taskFormat)),
      reward: typeof value.reward === 'number' ? value.reward : Number.NaN,
    };
    const temperature = typeof value.temperature === 'number' ? value.temperature : undefined;
    rows.push({ id: value.problem, place: Number(value.sample ?? 0), temperature, sample });
  }
  if (rows.length === 0)
    throw new UserError(
      `${file}: problem: ${unknown} responses to problems that the data does not have, wanted the data that was sampled`,
    );
  const seen = new Set<string>();
  for (const { id, place, temperature } of rows) {
    const key = `${id}\0${place}\0${temperature}`;
    if (seen.has(key))
      throw new UserError(`${file}: sample: ${place} of problem ${shown(id)} stands twice, wanted one`);
    seen.add(key);
  }
  return rows.sort((a, b) => a.place - b.place);
}

/** The row that the protocols grade. MathVista's gold answer is the text of the choice. */
export function rowOf(problem: Problem, response: string, taskFormat: string): AnswerRow {
  const { id, source, question, questionType, answerType, choices, precision, unit, answer } = problem;
  const multiChoice = questionType === 'multi_choice';
  const place = multiChoice ? choices.findIndex((_, i) => letterOf(i) === answer) : -1;
  return {
    id,
    taskFormat,
    source,
    question,
    questionType,
    answerType,
    choices,
    ...(precision === undefined ? {} : { precision }),
    ...(unit === undefined ? {} : { unit }),
    answer: taskFormat === 'mathvista' && place >= 0 ? (choices[place] as string) : answer,
    ...(place >= 0 ? { answerLetter: answer } : {}),
    response,
  };
}
