// SQL over the rollouts of a run: every Parquet table of its folder as one table `rollouts`, with the phase of each row.
// Leaves printing to the command.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { UserError } from '../core/errors.js';

export interface QueryResult {
  readonly columns: readonly string[];
  /** Values as JavaScript has them; lists and maps as DuckDB's objects in JSON. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** Runs one read-only query. Throws UserError where the run has no rollouts or the query fails. */
export async function queryRollouts(run: string, sql: string): Promise<QueryResult> {
  const folder = join(run, 'rollouts');
  const tables = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.parquet'))
        .sort()
    : [];
  const single = join(run, 'rollouts.parquet');
  const files = existsSync(single) ? [single] : tables.map((name) => join(folder, name));
  if (files.length === 0) throw new UserError(`${run}: rollouts: no Parquet table, wanted a run folder with rollouts`);
  const list = files.map((file) => `'${file.replaceAll("'", "''")}'`).join(', ');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await connection.run(
      `create view rollouts as select regexp_extract(filename, '([^/]+)\\.parquet$', 1) as phase, * exclude (filename) from read_parquet([${list}], filename = true, union_by_name = true)`,
    );
    // The view is all that a query needs: files and extensions are closed to it.
    await connection.run(`set allowed_paths = [${list}]`);
    await connection.run('set enable_external_access = false');
    await connection.run('set lock_configuration = true');
    const reader = await connection.runAndReadAll(sql);
    return { columns: reader.columnNames(), rows: reader.getRowObjectsJson() as Record<string, unknown>[] };
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new UserError(`query: ${reason}, wanted SQL over the table rollouts (docs/run-folder.md lists its columns)`);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
