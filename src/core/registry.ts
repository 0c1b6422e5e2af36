// Finds what the files of a folder export, so that a new backbone, format or benchmark is a file and no list is edited.
import { readdir } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * What every file beside the module `self` exports under `name`, by file name; files that export no such thing are helpers
 * of the others.
 * @param self `import.meta.url` of the module that asks
 */
export async function exportsBeside<T>(self: string, name: string): Promise<ReadonlyMap<string, T>> {
  const folder = new URL('.', self);
  // .js after the build, .ts where the sources run as they are.
  const files = (await readdir(fileURLToPath(folder))).filter((file) => /^[\w-]+\.(js|ts)$/.test(file)).sort();
  const others = files.filter((file) => file !== basename(fileURLToPath(self)));
  const found = new Map<string, T>();
  for (const file of others) {
    const module = (await import(new URL(file, folder).href)) as Readonly<Record<string, T>>;
    const value = module[name];
    if (value !== undefined) found.set(basename(file, extname(file)), value);
  }
  return found;
}
