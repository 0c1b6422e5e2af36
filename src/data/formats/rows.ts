// Rows of a data file, whatever its kind: JSON list, JSON lines, comma- or tab-separated with quotes, Parquet. Streamed in order.
// Leaves the meaning of rows to the formats. Tables are read by DuckDB; JSON by records.ts.
import { openDatabase, tableOf } from '../../core/duckdb.js';
import { UserError } from '../../core/errors.js';
import { openRegularFile } from '../../core/files.js';
import { readRecords } from '../records.js';
import { type Place, refuse } from '../refuse.js';
import type { Head } from './format.js';

export interface Row {
  readonly index: number;
  /** `line` is of a JSON file the line where the record starts, of a table the number of the row. */
  readonly at: Place;
  readonly value: Readonly<Record<string, unknown>>;
}

type TableKind = Exclude<Head['kind'], 'json'>;

/** Records with a picture in them are larger than those of paths. */
const MAX_RECORD_BYTES = 64 * 2 ** 20;
/** Enough for the names of a table's columns. */
const HEAD_BYTES = 64 * 1024;

/** The start of a file. Throws UserError where it cannot be read. */
export async function readHead(file: string): Promise<Head> {
  const kind = await kindOf(file);
  if (kind !== 'json') return { kind, first: await firstRow(file, kind) };
  for await (const { value, at } of readRecords(file, MAX_RECORD_BYTES)) {
    if (typeof value !== 'object' || value === null) refuse(at, 'record', 'no object', 'an object');
    return { kind, first: value as Record<string, unknown> };
  }
  throw new UserError(`${file}: file: no record, wanted at least one`);
}

/** All rows of a file, in order. Throws UserError. */
export async function* readRows(file: string): AsyncGenerator<Row> {
  const kind = await kindOf(file);
  if (kind !== 'json') return yield* tableRows(file, kind);
  for await (const { index, at, value } of readRecords(file, MAX_RECORD_BYTES))
    yield { index, at, value: value as Record<string, unknown> };
}

/** The kind of a file, by its first bytes. */
export async function kindOf(file: string): Promise<Head['kind']> {
  const { handle } = await openRegularFile(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = buffer.toString('latin1', 0, bytesRead);
    if (head.startsWith('PAR1')) return 'parquet';
    // Behind a byte order mark, JSON starts with a bracket; the first line of a table has names between tabs or commas.
    const text = head.replace(/^\xef\xbb\xbf/, '').trimStart();
    if (/^[[{]/.test(text)) return 'json';
    const separator = /^[^\n]*\t/.test(text) ? 'tsv' : /^[^\n]*,/.test(text) ? 'csv' : undefined;
    return separator ?? 'json';
  } finally {
    await handle.close();
  }
}

/** How DuckDB reads a table; cells of text tables stay texts. */
function source(file: string, kind: TableKind): string {
  if (kind === 'parquet') return tableOf('read_parquet', file);
  return tableOf(
    'read_csv',
    file,
    `delim = '${kind === 'tsv' ? '\\t' : ','}'`,
    ...['quote', 'escape'].map((name) => `${name} = '"'`),
    ...['header', 'all_varchar', 'strict_mode'].map((name) => `${name} = true`),
    'parallel = false',
    "compression = 'none'",
    `max_line_size = ${MAX_RECORD_BYTES}`,
    `buffer_size = ${2 * MAX_RECORD_BYTES}`,
  );
}

/** Rows of a query. Throws UserError naming the file. */
async function* ask(file: string, sql: string): AsyncGenerator<Row['value']> {
  const { connection, close } = await openDatabase({ threads: '1', temp_directory: '' });
  try {
    const result = await connection.stream(sql);
    for await (const chunk of result.yieldRowObjectJs()) yield* chunk;
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new UserError(`${file}: file: ${reason?.slice(0, 200)}, wanted a table that can be read`);
  } finally {
    close();
  }
}

/** The first row of a table; where it has none, its columns with empty texts. */
async function firstRow(file: string, kind: TableKind): Promise<Row['value']> {
  for await (const row of ask(file, `select * from ${source(file, kind)} limit 1`)) return row;
  const names: string[] = [];
  for await (const column of ask(file, `describe select * from ${source(file, kind)}`))
    names.push(String(column.column_name));
  return Object.fromEntries(names.map((name) => [name, '']));
}

async function* tableRows(file: string, kind: TableKind): AsyncGenerator<Row> {
  let index = 0;
  for await (const value of ask(file, `select * from ${source(file, kind)}`)) {
    yield { index, at: { file, line: index + 1 }, value };
    index++;
  }
  if (index === 0) refuse({ file, line: 1 }, 'file', 'no row', 'at least one');
}
