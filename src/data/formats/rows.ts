// Rows of a data file, whatever its kind: JSON list, JSON lines, comma- or tab-separated with quotes, Parquet. Streamed
// in order. Parquet is read by DuckDB, JSON by records.ts, other text by separated.ts.
import { openDatabase, tableOf } from '../../core/duckdb.js';
import { UserError } from '../../core/errors.js';
import { openRegularFile } from '../../core/files.js';
import { readRecords } from '../records.js';
import { type Fields, type Place, refuse } from '../refuse.js';
import { readSeparated } from '../separated.js';
import type { Head } from './format.js';

export interface Row {
  readonly index: number;
  /** `line` is of a text the line where the record starts, of Parquet the number of the row. */
  readonly at: Place;
  readonly value: Fields;
}

/** Records with a picture in them are larger than those of paths. */
const MAX_RECORD_BYTES = 64 * 2 ** 20;
/** First bytes of files that hold the data in another form, and what to do with them. */
const PACKED = [
  ['\x1f\x8b', 'packed by gzip, wanted it unpacked (gunzip)'],
  ['PK\x03\x04', 'a ZIP archive, wanted a file of it (unzip)'],
  ['ARROW1', 'an Arrow file, wanted Parquet (to_parquet of the data set)'],
  ['version https://git-lfs', 'a Git LFS pointer, wanted the file itself (git lfs pull)'],
] as const;

/** The start of a file. Throws UserError where it cannot be read. */
export async function readHead(file: string): Promise<Head> {
  const kind = await kindOf(file);
  for await (const { value } of rowsOf(file, kind, 1)) return { kind, first: value };
  throw new UserError(`${file}: file: no record, wanted at least one`);
}

/** All rows of a file, in order. Throws UserError. */
export async function* readRows(file: string): AsyncGenerator<Row> {
  yield* rowsOf(file, await kindOf(file));
}

/** All rows, of Parquet the first `most` where it is given. */
function rowsOf(file: string, kind: Head['kind'], most?: number): AsyncIterable<Row> {
  if (kind === 'parquet') return parquetRows(file, most);
  return kind === 'json' ? readRecords(file, MAX_RECORD_BYTES) : readSeparated(file, MAX_RECORD_BYTES);
}

/** The kind of a file, by its first bytes. */
export async function kindOf(file: string): Promise<Head['kind']> {
  const { handle } = await openRegularFile(file);
  try {
    // Enough for the names of a table's columns.
    const length = 64 * 1024;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0);
    const head = buffer.toString('latin1', 0, bytesRead);
    if (head.startsWith('PAR1')) return 'parquet';
    const packed = PACKED.find(([start]) => head.startsWith(start));
    if (packed) throw new UserError(`${file}: file: ${packed[1]}`);
    // Behind a byte order mark, JSON starts with a bracket; the first line of a table has names between tabs, commas or semicolons.
    const text = head.replace(/^\xef\xbb\xbf/, '').trimStart();
    if (/^[[{]/.test(text)) return 'json';
    if (/^[^\n]*\t/.test(text)) return 'tsv';
    return /^[^\n]*[,;]/.test(text) ? 'csv' : 'json';
  } finally {
    await handle.close();
  }
}

async function* parquetRows(file: string, most?: number): AsyncGenerator<Row> {
  const { connection, close } = await openDatabase({ threads: '1', temp_directory: '' });
  let index = 0;
  try {
    const limit = most === undefined ? '' : ` limit ${most}`;
    const result = await connection.stream(`select * from ${tableOf('read_parquet', file)}${limit}`);
    for await (const chunk of result.yieldRowObjectJs())
      for (const value of chunk) {
        yield { index, at: { file, line: index + 1 }, value };
        index++;
      }
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new UserError(`${file}: file: ${reason?.slice(0, 200)}, wanted a table that can be read`);
  } finally {
    close();
  }
  if (index === 0) refuse({ file, line: 1 }, 'file', 'no row', 'at least one');
}
