// Rows of a data file, whatever its kind: JSON list, JSON lines, tab-separated with quotes, Parquet. Streamed in order.
// Leaves the meaning of rows to the formats. Tables are read by DuckDB; JSON by records.ts.
import { DuckDBInstance } from '@duckdb/node-api';
import { UserError } from '../../core/errors.js';
import { openRegularFile } from '../../core/files.js';
import { readRecords } from '../records.js';
import { refuse } from '../refuse.js';
import type { Head } from './format.js';

export interface Row {
  readonly index: number;
  /** Of a JSON file the line where the record starts; of a table the number of the row, from 1. */
  readonly line: number;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Records with a picture in them are larger than those of paths. */
const MAX_RECORD_BYTES = 64 * 2 ** 20;
/** Enough for the names of a table's columns. */
const HEAD_BYTES = 64 * 1024;

/** The start of a file. Throws UserError where it cannot be read. */
export async function readHead(file: string): Promise<Head> {
  const kind = await kindOf(file);
  if (kind !== 'json') return { kind, first: await columns(file, kind) };
  for await (const { value, line } of readRecords(file, MAX_RECORD_BYTES)) {
    if (typeof value !== 'object' || value === null) refuse({ file, line }, 'record', 'no object', 'an object');
    return { kind, first: value as Record<string, unknown> };
  }
  throw new UserError(`${file}: file: no record, wanted at least one`);
}

/** All rows of a file, in order. Throws UserError. */
export async function* readRows(file: string): AsyncGenerator<Row> {
  const kind = await kindOf(file);
  if (kind !== 'json') return yield* tableRows(file, kind);
  for await (const { index, line, value } of readRecords(file, MAX_RECORD_BYTES))
    yield { index, line, value: value as Record<string, unknown> };
}

async function kindOf(file: string): Promise<Head['kind']> {
  const { handle } = await openRegularFile(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = buffer.toString('latin1', 0, bytesRead);
    if (head.startsWith('PAR1')) return 'parquet';
    // Behind a byte order mark, JSON starts with a bracket; the first line of a table has names between tabs.
    const text = head.replace(/^\xef\xbb\xbf/, '').trimStart();
    return !/^[[{]/.test(text) && /^[^\n]*\t/.test(text) ? 'tsv' : 'json';
  } finally {
    await handle.close();
  }
}

/** How DuckDB reads a table; cells of text tables stay texts. */
function source(file: string, kind: 'tsv' | 'parquet'): string {
  const path = `'${file.replaceAll("'", "''")}'`;
  if (kind === 'parquet') return `read_parquet(${path})`;
  return `read_csv(${path}, delim='\\t', quote='"', escape='"', header=true, all_varchar=true, parallel=false, max_line_size=${MAX_RECORD_BYTES}, buffer_size=${2 * MAX_RECORD_BYTES})`;
}

async function query<T>(
  file: string,
  sql: string,
  take: (rows: AsyncIterable<Row['value'][]>) => T,
): Promise<{ taken: T; close: () => void }> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  const close = (): void => {
    connection.closeSync();
    instance.closeSync();
  };
  try {
    const result = await connection.stream(sql);
    return { taken: take(result.yieldRowObjectJs() as AsyncIterable<Row['value'][]>), close };
  } catch (error) {
    close();
    const [reason] = (error as Error).message.split('\n');
    throw new UserError(`${file}: file: ${reason?.slice(0, 200)}, wanted a table that can be read`);
  }
}

async function columns(file: string, kind: 'tsv' | 'parquet'): Promise<Row['value']> {
  const { taken, close } = await query(file, `describe select * from ${source(file, kind)}`, (rows) => rows);
  try {
    const names: [string, string][] = [];
    for await (const chunk of taken) for (const row of chunk) names.push([String(row.column_name), '']);
    return Object.fromEntries(names);
  } finally {
    close();
  }
}

async function* tableRows(file: string, kind: 'tsv' | 'parquet'): AsyncGenerator<Row> {
  const { taken, close } = await query(file, `select * from ${source(file, kind)}`, (rows) => rows);
  try {
    let index = 0;
    for await (const chunk of taken)
      for (const value of chunk) {
        yield { index, line: index + 1, value };
        index++;
      }
    if (index === 0) refuse({ file, line: 1 }, 'file', 'no row', 'at least one');
  } catch (error) {
    if (error instanceof UserError) throw error;
    const [reason] = (error as Error).message.split('\n');
    throw new UserError(`${file}: file: ${reason?.slice(0, 200)}, wanted a table that can be read`);
  } finally {
    close();
  }
}
