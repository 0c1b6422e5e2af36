// Reads stored rollouts, one response a row, problem by problem in the order of the file.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { answerForm, parseQuestion } from '../data/question.js';
import { type RolloutRow, readGroups } from '../record/groups.js';
import type { Asked } from './benchmarks/benchmark.js';

/** A response as it was stored; its verdict is found again. */
export interface StoredResponse {
  readonly text: string;
  readonly finish: string;
  readonly reward: number | null;
  /** Length in tokens. */
  readonly tokens: number;
}

/** All responses to a problem from one policy at one temperature. */
export interface StoredRollout {
  readonly problem: Asked;
  /** As stored: relative to the folder of the run, or absolute. */
  readonly images: readonly string[];
  readonly temperature: number;
  /** Optimizer steps behind the policy. */
  readonly version: number;
  /** In sample order; none where `error` says why. */
  readonly responses: readonly StoredResponse[];
  readonly error?: string;
}

/** Files of a folder of `mstar evaluate` or `mstar rollout`, in the order of the tables. */
const NAMES = ['greedy.parquet', 'rollouts.parquet'];

const COLUMNS = [
  ...(['problem', 'source', 'question', 'answer', 'image', 'question_type', 'answer_type', 'choices'] as const),
  ...(['precision', 'unit', 'tags', 'sample', 'text', 'finish', 'reason', 'reward'] as const),
];
type Row = RolloutRow<(typeof COLUMNS)[number]>;

/** The tables of rollouts that a path stands for. Throws UserError where there are none. */
export function storedFiles(path: string): string[] {
  if (!existsSync(path)) throw new UserError(`${path}: rollouts: no such file or folder, wanted a table of rollouts`);
  if (!statSync(path).isDirectory()) return [path];
  const found = NAMES.map((name) => join(path, name)).filter((file) => existsSync(file));
  if (found.length > 0) return found;
  throw new UserError(`${path}: rollouts: neither ${NAMES.join(' nor ')} in it, wanted one (or name a Parquet file)`);
}

/**
 * Yields the rollouts of a file; several temperatures or policies follow one another.
 * @throws UserError where the file is not such a table, or samples of a problem are missing or stand twice
 */
export async function* readStored(file: string): AsyncGenerator<StoredRollout> {
  let empty = true;
  for await (const rows of readGroups(file, COLUMNS)) {
    empty = false;
    yield toRollout(rows, file);
  }
  if (empty) throw new UserError(`${file}: table: no rows, wanted at least one response`);
}

function toRollout(rows: readonly Row[], file: string): StoredRollout {
  const first = rows[0] as Row;
  const { temperature, version, image } = first;
  const about = { problem: askedOf(first), images: image ? image.split('\n') : [], temperature, version };
  if (first.sample === null) return { ...about, responses: [], error: first.reason ?? 'could not be sampled' };
  const wrong = rows.findIndex(({ sample }, i) => sample !== i);
  if (wrong >= 0) {
    throw new UserError(`${file}: problem ${first.problem}: sample: ${rows[wrong]?.sample}, wanted ${wrong}`);
  }
  const responses = rows.map(({ text, finish, reward, token_count }) => ({
    text: text ?? '',
    finish: finish ?? '',
    reward,
    tokens: token_count ?? 0,
  }));
  return { ...about, responses };
}

/** Tables without the form of an answer were written from questions that carry it. */
function askedOf(stored: Row): Asked {
  const read = parseQuestion(stored.question);
  const choices = stored.choices ?? read.choices;
  const { answerType, precision } =
    stored.answer_type || choices.length > 0
      ? { answerType: stored.answer_type ?? ('text' as const), precision: stored.precision ?? undefined }
      : (read.hinted ?? answerForm(stored.answer));
  return {
    id: stored.problem,
    question: stored.question,
    answer: stored.answer,
    questionType: stored.question_type ?? (choices.length > 0 ? 'multi_choice' : 'free_form'),
    answerType,
    choices,
    precision,
    unit: stored.unit ?? read.unit,
    source: stored.source ?? '',
    tags: Object.fromEntries((stored.tags ?? []).map(({ key, value }) => [key, value])),
  };
}
