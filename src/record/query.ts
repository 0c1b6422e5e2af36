// SQL over a run, finished or not: its responses (`rollouts`), its step labels (`labels`) and its optimizer steps
// (`steps`) as tables.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type DuckDBConnection, type DuckDBPreparedStatement, StatementType } from '@duckdb/node-api';
import { allowedPaths, openDatabase, tableOf } from '../core/duckdb.js';
import { UserError } from '../core/errors.js';

/** What an SQL statement gave. */
export interface QueryResult {
  readonly columns: readonly string[];
  /** Values as JavaScript has them; lists and maps as DuckDB's objects in JSON. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** A table: its name, the files it is read from, and the query that reads them. */
interface Table {
  readonly name: string;
  readonly files: readonly string[];
  readonly query: string;
}

/** Runs one query that only reads. Throws UserError where the run has no table yet or the query fails. */
export async function queryRollouts(run: string, sql: string): Promise<QueryResult> {
  // Those of an unfinished run hold what is done.
  const tables = [rolloutsTable(run), labelsTable(run), stepsTable(run)].filter(({ files }) => files.length > 0);
  if (tables.length === 0) throw new UserError(`${run}: rollouts: no Parquet table, wanted a run folder with rollouts`);
  const { connection, close } = await openDatabase();
  try {
    for (const { name, query } of tables) await connection.run(`create view ${name} as ${query}`);
    // The views are all that a query needs: other files and extensions are closed to it.
    await connection.run(`set allowed_paths = ${allowedPaths(tables.flatMap(({ files }) => files))}`);
    await connection.run('set enable_external_access = false');
    await connection.run('set lock_configuration = true');
    const reader = await (await readOnly(connection, sql)).runAndReadAll();
    return { columns: reader.columnNames(), rows: reader.getRowObjectsJson() as Record<string, unknown>[] };
  } catch (error) {
    const [reason] = (error as Error).message.replace(/^Failed to extract statements: /, '').split('\n');
    const names = tables.map(({ name }) => name).join(', ');
    throw new UserError(
      `query: ${reason}, wanted SQL over the tables that this run has: ${names} (docs/run-folder.md lists their columns)`,
    );
  } finally {
    close();
  }
}

/** The statement, refused unless it is one that reads: a copy to a file of the run would be let through. */
async function readOnly(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  if (sql.trim() === '') throw new Error('nothing asked');
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1) throw new Error(`${statements.count} statements instead of one`);
  const statement = await statements.prepare(0);
  if (statement.statementType !== StatementType.SELECT)
    throw new Error(`${StatementType[statement.statementType]} is no query`);
  // Once prepared, other statements pass for a query, as a pragma does; the parser knows queries only.
  const parsed = await connection.runAndReadAll('select json_serialize_sql($1::varchar) as tree', [sql]);
  const { error, error_message: reason } = JSON.parse(String(parsed.getRows()[0]?.[0])) as Record<string, unknown>;
  if (error) throw new Error(/^Only SELECT/.test(String(reason)) ? 'not a SELECT' : String(reason));
  return statement;
}

/** Every Parquet table of the folder as one, with the phase of each row. */
function rolloutsTable(run: string): Table {
  const folder = join(run, 'rollouts');
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  const single = here(run, 'rollouts.parquet');
  const files =
    single.length > 0 ? single : names.filter((name) => name.endsWith('.parquet')).map((name) => join(folder, name));
  const phase = `regexp_extract(filename, '([^/]+)\\.parquet$', 1) as phase`;
  const source = tableOf('read_parquet', files, 'filename = true', 'union_by_name = true');
  return { name: 'rollouts', files, query: `select ${phase}, * exclude (filename) from ${source}` };
}

/** One row for each labelled step; `step` counts those of its response from 1. */
function labelsTable(run: string): Table {
  const files = here(run, 'labels.jsonl');
  const columns = `{problem: 'VARCHAR', sample: 'INTEGER', verdict: 'VARCHAR', "text": 'VARCHAR', steps: 'STRUCT("end" INTEGER, label DOUBLE, "right" BOOLEAN)[]'}`;
  const source = linesOf(files, columns);
  const query = `select problem, sample, verdict, "text", place::integer as step, one."end" as token_end, one.label as label, one."right" as "right"
    from (select *, unnest(steps) as one, generate_subscripts(steps, 1) as place from ${source})`;
  return { name: 'labels', files, query };
}

/** One row for each optimizer step; `step` counts those of its phase from 1. */
function stepsTable(run: string): Table {
  const files = here(run, 'journal.jsonl');
  // Commits have an object where steps have their number of tokens, and the last line may be cut off.
  const columns = `{event: 'VARCHAR', phase: 'VARCHAR', loss: 'DOUBLE', gradNorm: 'DOUBLE', lr: 'DOUBLE', tokens: 'JSON', version: 'BIGINT', clipShare: 'DOUBLE', kl: 'DOUBLE', mismatchMean: 'DOUBLE', mismatchMax: 'DOUBLE'}`;
  const query = `select phase, row_number() over (partition by phase order by place)::integer as step, loss, gradNorm as grad_norm, lr, try_cast(tokens as bigint) as tokens, version,
      clipShare as clip_share, kl, mismatchMean as mismatch_mean, mismatchMax as mismatch_max
    from (select *, row_number() over () as place from ${linesOf(files, columns)}) where event = 'step' order by place`;
  return { name: 'steps', files, query };
}

function linesOf(files: readonly string[], columns: string): string {
  return tableOf('read_json', files, "format = 'newline_delimited'", `columns = ${columns}`, 'ignore_errors = true');
}

function here(run: string, name: string): string[] {
  const file = join(run, name);
  return existsSync(file) ? [file] : [];
}
