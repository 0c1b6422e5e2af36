// Reads a table of rollouts problem by problem: the rows of one problem, one temperature and one policy together, in the order of
// the file.
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { openDatabase, tableOf } from '../core/duckdb.js';
import { UserError } from '../core/errors.js';
import { checked } from '../core/schema.js';
import type { Example, Problem } from '../core/types.js';
import { readRows } from '../data/formats/rows.js';
import { type ColumnName, columns } from './table.js';

/** Of every row. */
const GROUP = ['problem', 'temperature', 'version'] as const satisfies readonly ColumnName[];

/** The columns asked for, those that groups are told apart by, and the length of the response in tokens. */
export type RolloutRow<Name extends ColumnName> = {
  readonly [name in Name | (typeof GROUP)[number]]: z.output<(typeof columns)[name][1]>;
} & { readonly token_count: number | null };

/**
 * Groups of rows, none of them empty.
 * @param names columns to read; one that an older table lacks reads as null
 * @throws UserError where the file is not a table of rollouts, or a value is not what its column holds
 */
export async function* readGroups<Name extends ColumnName>(
  file: string,
  names: readonly Name[],
): AsyncGenerator<RolloutRow<Name>[]> {
  type Row = RolloutRow<Name>;
  const wanted = [...new Set<ColumnName>([...GROUP, ...names])];
  const shape = z.object({
    ...Object.fromEntries(wanted.map((name) => [name, columns[name][1]])),
    token_count: z.int().nullable(),
  }) as unknown as z.ZodType<Row>;
  // One thread: rows then come in the order of the file.
  const { connection, close } = await openDatabase({ threads: '1', temp_directory: '' });
  const table = tableOf('read_parquet', file);
  let rows: Row[] = [];
  try {
    const described = await told(file, () => connection.runAndReadAll(`select * from ${table} limit 0`));
    const there = new Set(described.columnNames());
    const selected = wanted.map((name) => (there.has(name) ? `"${name}"` : `null as "${name}"`));
    const sql = `select ${selected.join(', ')}, ${there.has('tokens') ? 'len(tokens)::integer' : 'null'} as token_count from ${table}`;
    const result = await told(file, () => connection.stream(sql));
    const pieces = result.yieldRowObjectJs();
    for (;;) {
      const piece = await told(file, () => pieces.next());
      if (piece.done) break;
      for (const value of piece.value) {
        const next = checked(shape, value, file);
        if (rows[0] && GROUP.some((name) => next[name] !== rows[0]?.[name])) {
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
  } catch {
    const cause = existsSync(file) ? 'not a Parquet file, or a damaged one' : 'no such file';
    throw new UserError(`${file}: table: ${cause}, wanted a table of rollouts that mstar wrote`);
  }
}

/**
 * Examples in the order of the table, without the answer in the prompt.
 * @param problems those that the table may name
 * @throws UserError where the table names another problem, or holds no selected response
 */
export async function readSelected(file: string, problems: readonly Problem[]): Promise<Example[]> {
  const known = new Map(problems.map((problem) => [problem.id, problem]));
  const examples: Example[] = [];
  for await (const { value, at } of readRows(file)) {
    if (value.selected !== true) continue;
    const problem = known.get(String(value.problem));
    if (!problem) {
      throw new UserError(`${file}:${at.line}: problem: ${JSON.stringify(value.problem)}, wanted one of this run`);
    }
    examples.push({ problem, variant: 'solve', response: Int32Array.from(value.tokens as number[]) });
  }
  if (examples.length === 0) throw new UserError(`${file}: selected: no response, wanted at least one`);
  return examples;
}
