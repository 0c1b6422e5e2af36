// The settings a run folder was started with, in config.yaml: written once, compared by key at every later start.
// Leaves what settings mean to src/config.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { UserError } from '../core/errors.js';
import { readYaml } from '../core/yaml.js';
import { writeDurable } from './durable.js';

const FILE = 'config.yaml';

/**
 * Writes the settings into a fresh folder, or checks that they are the ones of the run it holds.
 * @param isFresh no work was done under the settings that may be there
 * @throws UserError naming the first setting that differs
 */
export async function keepSettings(dir: string, settings: object, isFresh: boolean): Promise<void> {
  const path = join(dir, FILE);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined || isFresh)
    return writeDurable(path, stringify(settings, { lineWidth: 0, aliasDuplicateObjects: false }));
  for (const { key, before, now } of differences(readYaml(text, path), settings)) {
    throw new UserError(
      `${path}: ${key}: ${now} now, wanted ${before} as in the run it holds (or choose another folder)`,
    );
  }
}

/** Settings (dotted names) in which two runs differ, with their values as text. */
export function differences(
  before: unknown,
  now: unknown,
): { readonly key: string; readonly before: string; readonly now: string }[] {
  const kept = flatten(before);
  const wanted = flatten(JSON.parse(JSON.stringify(now)) as unknown);
  return [...new Set([...wanted.keys(), ...kept.keys()])].flatMap((key) => {
    const sides = { before: kept.get(key) ?? 'not set', now: wanted.get(key) ?? 'not set' };
    return sides.before === sides.now ? [] : [{ key, ...sides }];
  });
}

/** Dotted key to JSON text of each leaf; lists count as one value. */
function flatten(value: unknown, path = '', leaves = new Map<string, string>()): Map<string, string> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, inner] of Object.entries(value)) flatten(inner, path === '' ? key : `${path}.${key}`, leaves);
  } else {
    leaves.set(path, JSON.stringify(value));
  }
  return leaves;
}
