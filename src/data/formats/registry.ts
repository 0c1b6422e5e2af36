// Finds the format of a data file among the files of this folder; no list is edited.
import { UserError } from '../../core/errors.js';
import { exportsBeside } from '../../core/registry.js';
import type { Columns, DataFormat } from './format.js';
import { readHead } from './rows.js';

/** The format whose columns the user may name. */
const TABLE = 'table';
let known: Promise<readonly DataFormat[]> | undefined;

/** Every format of this build, by name. */
export function dataFormats(): Promise<readonly DataFormat[]> {
  known ??= exportsBeside<DataFormat>(import.meta.url, 'format').then((all) => [...all.values()]);
  return known;
}

/**
 * The format called `name`, or the one that the start of `file` tells; who names columns means a flat table.
 * @throws UserError naming those that there are
 */
export async function findFormat(file: string, name?: string, columns?: Columns): Promise<DataFormat> {
  const all = await dataFormats();
  const names = all.map((format) => format.name).join(', ');
  const said = name ?? (columns && TABLE);
  if (said !== undefined) {
    const named = all.find((format) => format.name === said);
    if (!named) throw new UserError(`${file}: format: ${said}, wanted one of ${names}`);
    if (columns && said !== TABLE)
      throw new UserError(`${file}: columns: given for ${said}, wanted the format ${TABLE}`);
    return named;
  }
  const head = await readHead(file);
  const found = all.find((format) => format.accepts(head));
  if (found) return found;
  const fields = Object.keys(head.first).slice(0, 12).join(', ');
  throw new UserError(
    `${file}: format: unknown, its first record has ${fields || 'no fields'}; wanted one of ${names}, or the columns of a table by --columns question=NAME,answer=NAME,image=NAME`,
  );
}
