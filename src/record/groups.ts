// Reads a table of rollouts problem by problem: the rows of one problem, one temperature and one policy together, in the order of
// the file. Leaves which columns are read, and what a row must be, to the caller.
import type { z } from 'zod';
import { openDatabase, tableOf } from '../core/duckdb.js';
import { UserError } from '../core/errors.js';
import { checked } from '../core/schema.js';

/** What tells groups apart; every row has it. */
interface Grouped {
  readonly problem: string;
  readonly temperature: number;
  readonly version: number;
}

/**
 * Groups of rows, none of them empty.
 * @param columns what to select, as SQL; `len(tokens)::integer as token_count` is added
 * @throws UserError where the file is no table of rollouts, or a row is not of the shape
 */
export async function* readGroups<Row extends Grouped>(
  file: string,
  columns: string,
  shape: z.ZodType<Row>,
): AsyncGenerator<Row[]> {
  // One thread: rows then come in the order of the file.
  const { connection, close } = await openDatabase({ threads: '1', temp_directory: '' });
  let rows: Row[] = [];
  try {
    const sql = `select ${columns}, len(tokens)::integer as token_count from ${tableOf('read_parquet', file)}`;
    const result = await told(file, () => connection.stream(sql));
    const pieces = result.yieldRowObjectJs();
    for (;;) {
      const piece = await told(file, () => pieces.next());
      if (piece.done) break;
      for (const value of piece.value) {
        const next = checked(shape, value, file);
        if (rows[0] && !belongs(next, rows[0])) {
          yield rows;
          rows = [];
        }
        rows.push(next);
      }
    }
    if (rows.length > 0) yield rows;
  } finally {
    close();
  }
}

async function told<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const [line] = (error as Error).message.split('\n');
    throw new UserError(`${file}: table: ${line}, wanted a table of rollouts that mstar wrote`);
  }
}

function belongs(next: Grouped, first: Grouped): boolean {
  return next.problem === first.problem && next.temperature === first.temperature && next.version === first.version;
}
