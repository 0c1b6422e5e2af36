// Rollouts as a parquet file, one row per response, the same bytes for the same rows. Columns: docs/run-folder.md.
import { realpath, rename, rm } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import {
  BOOLEAN,
  DOUBLE,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
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
import { z } from 'zod';
import { openDatabase, pathOf, tableOf } from '../core/duckdb.js';
import { ASIDE, makeFolder } from '../core/files.js';
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

const maybe = {
  text: z.string().nullable(),
  number: z.number().nullable(),
  flag: z.boolean().nullable(),
};
const step = STRUCT({
  text_start: INTEGER,
  text_end: INTEGER,
  token_start: INTEGER,
  token_end: INTEGER,
  score: FLOAT,
  right: BOOLEAN,
});

const readStep = z.object({
  text_start: z.int(),
  text_end: z.int(),
  token_start: z.int(),
  token_end: z.int(),
  score: maybe.number,
  right: maybe.flag,
});

/** Each column as it is written and as it is read back. Older tables lack some, which then read as null. */
export const columns = {
  problem: [VARCHAR, z.string()],
  source: [VARCHAR, maybe.text],
  question: [VARCHAR, z.string()],
  answer: [VARCHAR, z.string()],
  image: [VARCHAR, maybe.text],
  question_type: [VARCHAR, z.enum(['multi_choice', 'free_form']).nullable()],
  answer_type: [VARCHAR, z.enum(['text', 'integer', 'float', 'list']).nullable()],
  choices: [LIST(VARCHAR), z.array(z.string()).nullable()],
  precision: [INTEGER, z.int().nullable()],
  unit: [VARCHAR, maybe.text],
  tags: [MAP(VARCHAR, VARCHAR), z.array(z.object({ key: z.string(), value: z.string() })).nullable()],
  sample: [INTEGER, z.int().min(0).nullable()],
  temperature: [DOUBLE, z.number()],
  seed: [UINTEGER, z.int()],
  version: [INTEGER, z.int()],
  text: [VARCHAR, maybe.text],
  finish: [VARCHAR, maybe.text],
  verdict: [VARCHAR, z.enum(['correct', 'wrong', 'unreadable', 'error'])],
  extracted: [VARCHAR, maybe.text],
  normalised: [VARCHAR, maybe.text],
  reason: [VARCHAR, maybe.text],
  reward: [DOUBLE, maybe.number],
  selected: [BOOLEAN, maybe.flag],
  lucky: [BOOLEAN, maybe.flag],
  steps: [LIST(step), z.array(readStep).nullable()],
  tokens: [LIST(INTEGER), z.array(z.int()).nullable()],
  logprobs: [LIST(FLOAT), z.array(z.number()).nullable()],
} as const satisfies Record<string, readonly [DuckDBType, z.ZodType]>;

export type ColumnName = keyof typeof columns;

/** Rows that DuckDB takes in one piece: few, so that a training that goes on meanwhile waits for no more. GROUP is a multiple. */
const PIECE = 256;

/** Rows of a row group of the file: as many are held at one time. */
const GROUP = 16_384;

/** Of the rows of one group; of longer responses than about 2,000 tokens on average a part waits on the disk. */
const MEMORY = '384MiB';

/**
 * Writes all rows into the new file `path`. A problem that failed has one row with verdict `error` and no sample.
 * @param folder pictures inside it are named relative to it, so that the file does not depend on where the run lies
 */
export async function writeRolloutTable(path: string, folder: string, groups: AsyncIterable<RowGroup>): Promise<void> {
  // One thread: row groups then have one order, and two files of the same rows the same bytes. Row groups wait in files of their own
  // in a folder beside the table, each written by a database of its own: DuckDB keeps what it needed for one until it is closed.
  const aside = `${path}.rows${ASIDE}`;
  const inDatabase = async (work: (connection: DuckDBConnection) => Promise<void>): Promise<void> => {
    const { connection, close } = await openDatabase({ threads: '1', memory_limit: MEMORY, temp_directory: aside });
    try {
      await work(connection);
    } finally {
      close();
    }
  };
  const names = Object.keys(columns) as ColumnName[];
  const types = names.map((name) => columns[name][0]);
  const table = `rollouts(${names.map((name, i) => `"${name}" ${types[i]}`).join(', ')})`;
  const write = (connection: DuckDBConnection, from: string, to: string) =>
    connection.run(`copy ${from} to ${pathOf(to)} (format parquet, compression zstd, row_group_size ${GROUP})`);
  // Pictures are named by their real paths: a folder reached through a link holds them all the same.
  const rows = rowsOf(groups, await realpath(folder).catch(() => folder));
  try {
    await rm(aside, { recursive: true, force: true });
    await makeFolder(aside);
    const parts: string[] = [];
    let next = await rows.next();
    do {
      await inDatabase(async (connection) => {
        await connection.run(`create table ${table}`);
        const appender = await connection.createAppender('rollouts');
        for (let held = 0; held < GROUP && !next.done; ) {
          const piece: Row[] = [];
          for (; piece.length < PIECE && !next.done; next = await rows.next()) piece.push(next.value);
          const chunk = DuckDBDataChunk.create(types, piece.length);
          chunk.setRows(piece.map(({ about, own }) => names.map((name) => own[name] ?? about[name] ?? null)));
          appender.appendDataChunk(chunk);
          held += piece.length;
        }
        appender.closeSync();
        const part = join(aside, `${parts.length}.parquet`);
        await write(connection, 'rollouts', part);
        parts.push(part);
      });
    } while (!next.done);
    if (parts.length > 1)
      await inDatabase(async (connection) => {
        await write(connection, `(from ${tableOf('read_parquet', parts)})`, path);
      });
    else await rename(parts[0] as string, path);
  } finally {
    await rows.return(undefined);
    await rm(aside, { recursive: true, force: true });
  }
}

/** Values by the names of their columns; what is left out is null. */
type Cells = Readonly<Partial<Record<ColumnName, DuckDBValue>>>;

/** Apart, as copying what a problem's rows share into each would take most of the time that a row takes. */
interface Row {
  readonly about: Cells;
  readonly own: Cells;
}

async function* rowsOf(groups: AsyncIterable<RowGroup>, folder: string): AsyncGenerator<Row, undefined> {
  for await (const group of groups) yield* rowsOfGroup(group, folder);
}

function rowsOfGroup({ rollout, context }: RowGroup, folder: string): Row[] {
  const { problem, responses, error } = rollout;
  const { temperature, seed, version, selected } = context;
  const about: Cells = {
    problem: problem.id,
    source: problem.source,
    question: problem.question,
    answer: problem.answer,
    image: problem.images.map((image) => ('path' in image ? within(folder, image.path) : image.name)).join('\n'),
    question_type: problem.questionType,
    answer_type: problem.answerType,
    choices: listValue([...problem.choices]),
    precision: problem.precision ?? null,
    unit: problem.unit ?? null,
    tags: mapValue(Object.entries(problem.tags ?? {}).map(([key, value]) => ({ key, value }))),
    temperature,
    seed,
    version,
  };
  if (error !== undefined) return [{ about, own: { verdict: 'error', reason: error, selected: false } }];
  return responses.map((rated, sample) => {
    const { response, grade } = rated;
    const own: Cells = {
      sample,
      text: response.text,
      finish: response.finish,
      verdict: grade.verdict,
      extracted: grade.extracted,
      normalised: grade.normalised,
      reason: grade.reason,
      reward: rated.reward ?? null,
      selected: selected.has(sample),
      lucky: isLuckyResponse(rated) ?? null,
      steps: listValue(stepsOf(rated)),
      tokens: listValue(Array.from(response.tokens)),
      logprobs: listValue(Array.from(response.logprobs)),
    };
    return { about, own };
  });
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
