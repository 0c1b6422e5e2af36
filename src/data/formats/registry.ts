// Finds the format of a data file among the files of this folder; no list is edited.
// Leaves everything about a format to its file.
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../core/errors.js';
import type { DataFormat } from './format.js';
import { readHead } from './rows.js';

const SHARED = new Set(['registry', 'format', 'rows', 'embedded']);
let known: Promise<readonly DataFormat[]> | undefined;

/** Every format of this build, by name. */
export function dataFormats(): Promise<readonly DataFormat[]> {
  known ??= loadAll();
  return known;
}

/** The format called `name`, or the one that the start of `file` tells. Throws UserError naming those that there are. */
export async function findFormat(file: string, name?: string): Promise<DataFormat> {
  const all = await dataFormats();
  const names = all.map((format) => format.name).join(', ');
  if (name !== undefined) {
    const named = all.find((format) => format.name === name);
    if (!named) throw new UserError(`${file}: format: ${name}, wanted one of ${names}`);
    return named;
  }
  const head = await readHead(file);
  const found = all.find((format) => format.accepts(head));
  if (found) return found;
  const fields = Object.keys(head.first).slice(0, 12).join(', ');
  throw new UserError(
    `${file}: format: unknown, its first record has ${fields || 'no fields'}; wanted one of ${names}`,
  );
}

async function loadAll(): Promise<DataFormat[]> {
  const folder = new URL('.', import.meta.url);
  // .js after the build, .ts where the sources run as they are.
  const entries = await readdir(fileURLToPath(folder));
  const files = entries.filter((file) => /^[\w-]+\.(js|ts)$/.test(file) && !SHARED.has(file.replace(/\.\w+$/, '')));
  const modules = await Promise.all(
    files.sort().map((file) => import(new URL(file, folder).href) as Promise<{ format: DataFormat }>),
  );
  return modules.map(({ format }) => format);
}
