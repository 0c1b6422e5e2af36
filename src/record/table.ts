// Rollouts as a parquet file, one row per response, the same bytes for the same rows. Columns: docs/run-folder.md.
// Leaves which rows there are to the phases.
import { realpath } from 'node:fs/promises';
import { isAbsolute, relative } from 'node:path';
import {
  BOOLEAN,
  DOUBLE,
  DuckDBDataChunk,
  type DuckDBValue,
  FLOAT,
  INTEGER,
  LIST,
  listValue,
  MAP,
  mapValue,
  STRUCT,
  structValue,
  UINTEGER,
  VARCHAR,
} from '@duckdb/node-api';
import { openDatabase, pathOf } from '../core/duckdb.js';
import type { Problem } from '../core/types.js';
import { isLuckyResponse, type RatedResponse, type Rollout } from './rollout.js';

/** What is the same for many rows. */
export interface RowContext {
  readonly temperature: number;
  readonly seed: number;
  /** Optimizer steps behind the policy that sampled. */
  readonly version: number;
  /** Sample indices that became training examples. */
  readonly selected: ReadonlySet<number>;
}

export interface RowGroup {
  readonly rollout: Rollout;
  readonly context: RowContext;
}

const step = STRUCT({
  text_start: INTEGER,
  text_end: INTEGER,
  token_start: INTEGER,
  token_end: INTEGER,
  score: FLOAT,
  right: BOOLEAN,
});
const columns = {
  problem: VARCHAR,
  source: VARCHAR,
  question: VARCHAR,
  answer: VARCHAR,
  image: VARCHAR,
  question_type: VARCHAR,
  answer_type: VARCHAR,
  choices: LIST(VARCHAR),
  precision: INTEGER,
  unit: VARCHAR,
  tags: MAP(VARCHAR, VARCHAR),
  sample: INTEGER,
  temperature: DOUBLE,
  seed: UINTEGER,
  version: INTEGER,
  text: VARCHAR,
  finish: VARCHAR,
  verdict: VARCHAR,
  extracted: VARCHAR,
  normalised: VARCHAR,
  reason: VARCHAR,
  reward: DOUBLE,
  selected: BOOLEAN,
  lucky: BOOLEAN,
  steps: LIST(step),
  tokens: LIST(INTEGER),
  logprobs: LIST(FLOAT),
};

/** Most rows that DuckDB takes in one piece. */
const PIECE = 2048;

/**
 * Writes all rows into the new file `path`. A problem that failed has one row with verdict `error` and no sample.
 * @param folder pictures inside it are named relative to it, so that the file does not depend on where the run lies
 */
export async function writeRolloutTable(path: string, folder: string, groups: AsyncIterable<RowGroup>): Promise<void> {
  // One thread: row groups then have one order, and two files of the same rows the same bytes.
  const { connection, close } = await openDatabase({ threads: '1' });
  // Pictures are named by their real paths: a folder reached through a link holds them all the same.
  const real = await realpath(folder).catch(() => folder);
  try {
    const types = Object.entries(columns).map(([name, type]) => `"${name}" ${type}`);
    await connection.run(`create table rollouts(${types.join(', ')})`);
    const appender = await connection.createAppender('rollouts');
    let rows: DuckDBValue[][] = [];
    const flush = (): void => {
      if (rows.length === 0) return;
      const chunk = DuckDBDataChunk.create(Object.values(columns), rows.length);
      chunk.setRows(rows);
      appender.appendDataChunk(chunk);
      rows = [];
    };
    for await (const group of groups) {
      for (const row of rowsOf(group, real)) {
        rows.push(row);
        if (rows.length === PIECE) flush();
      }
    }
    flush();
    appender.closeSync();
    await connection.run(`copy rollouts to ${pathOf(path)} (format parquet, compression zstd)`);
  } finally {
    close();
  }
}

function rowsOf({ rollout, context }: RowGroup, folder: string): DuckDBValue[][] {
  const { problem, responses, error } = rollout;
  const images = problem.images.map((image) => ('path' in image ? within(folder, image.path) : image.name)).join('\n');
  const about = [problem.id, problem.source, problem.question, problem.answer, images, ...formOf(problem)];
  const drawn = [context.temperature, context.seed, context.version];
  if (error !== undefined) {
    return [[...about, null, ...drawn, null, null, 'error', null, null, error, null, false, null, null, null, null]];
  }
  return responses.map((rated, sample) => {
    const { response, grade } = rated;
    return [
      ...about,
      sample,
      ...drawn,
      response.text,
      response.finish,
      grade.verdict,
      grade.extracted,
      grade.normalised,
      grade.reason,
      rated.reward ?? null,
      context.selected.has(sample),
      isLuckyResponse(rated) ?? null,
      listValue(stepsOf(rated)),
      listValue(Array.from(response.tokens)),
      listValue(Array.from(response.logprobs)),
    ];
  });
}

/** What grading the responses again needs to know besides. */
function formOf({ questionType, answerType, choices, precision, unit, tags = {} }: Problem): DuckDBValue[] {
  const entries = Object.entries(tags).map(([key, value]) => ({ key, value }));
  return [questionType, answerType, listValue([...choices]), precision ?? null, unit ?? null, mapValue(entries)];
}

function stepsOf({ steps, scores, right }: RatedResponse): DuckDBValue[] {
  return steps.map((span, i) =>
    structValue({
      text_start: span.textStart,
      text_end: span.textEnd,
      token_start: span.tokenStart,
      token_end: span.tokenEnd,
      score: scores?.[i] ?? null,
      right: right?.[i] ?? null,
    }),
  );
}

/** A path relative to the folder it lies in; unchanged where it lies elsewhere. */
function within(folder: string, path: string): string {
  const inside = relative(folder, path);
  return inside.startsWith('..') || isAbsolute(inside) ? path : inside;
}
