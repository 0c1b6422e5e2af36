// Opens DuckDB, which reads and writes the tables of this project, and names files to it. By itself DuckDB takes `*`, `?` and `[` of
// a path for a pattern, a folder `name=value` for a column, and `~` or `s3://` for another place; here a path is the one file.
import { resolve } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

export type Database = Awaited<ReturnType<typeof openDatabase>>;

/** A database in memory that fetches no extension. `settings` are DuckDB's, by name. The caller closes it. */
export async function openDatabase(settings: Readonly<Record<string, string>> = {}) {
  const offline = { autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' };
  const instance = await DuckDBInstance.create(':memory:', { ...offline, ...settings });
  const connection = await instance.connect();
  const close = (): void => {
    connection.closeSync();
    instance.closeSync();
  };
  return { connection, close };
}

/**
 * The rows of files, as SQL that stands behind `from`.
 * @param options of the reader, as SQL, for example `file_row_number = true`
 */
export function tableOf(
  reader: 'read_parquet' | 'read_json',
  files: string | readonly string[],
  ...options: readonly string[]
): string {
  const names = [files].flat().map((file) => quoted(literalPath(file)));
  return `${reader}([${names.join(', ')}], ${['hive_partitioning = false', ...options].join(', ')})`;
}

/** The file to write, as SQL that stands behind `to`. */
export function pathOf(file: string): string {
  return quoted(resolve(file));
}

/** These files as a value of `allowed_paths`, where both the names and the patterns for them are asked for. */
export function allowedPaths(files: readonly string[]): string {
  return `[${files.flatMap((file) => [pathOf(file), quoted(literalPath(file))]).join(', ')}]`;
}

/** A pattern that only this path matches. */
function literalPath(file: string): string {
  return resolve(file).replaceAll(/[*?[]/g, (sign) => `[${sign}]`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
