// The settings a run folder was started with, in config.yaml: written once, compared by key at every later start.
import { join } from 'node:path';
import { stringify } from 'yaml';
import { UserError } from '../core/errors.js';
import { textIfThere } from '../core/files.js';
import { valueAt } from '../core/json.js';
import { refuseEarlierRun } from '../core/renamed.js';
import { readYaml } from '../core/yaml.js';
import { writeDurable } from './durable.js';

const FILE = 'config.yaml';

/** A setting (dotted name) in which two runs differ, with its values as JSON. */
export interface Difference {
  readonly key: string;
  readonly before: string;
  readonly now: string;
  /** How many of its leading names are groups that the earlier settings have; left out where that is nobody's matter. */
  readonly known?: number;
}

/** Tells why a difference matters, in words that may be none; null where a run goes on with it to the same bytes. */
export type Why = (difference: Difference) => string | null;

/**
 * Writes the settings into a fresh folder, or checks that they are the ones of the run it holds.
 * @param isFresh no work was done under the settings that may be there
 * @returns differences that do not matter; the folder keeps the settings it was begun with
 * @throws UserError naming the first setting that differs, or where an earlier version made the run
 */
export async function keepSettings(
  dir: string,
  settings: object,
  isFresh: boolean,
  why: Why = () => '',
): Promise<readonly Difference[]> {
  const path = join(dir, FILE);
  const kept = isFresh ? undefined : await readSettings(dir);
  if (kept === undefined) {
    await writeDurable(path, stringify(settings, { lineWidth: 0, aliasDuplicateObjects: false }));
    return [];
  }
  return requireSame(dir, kept.values, settings, why);
}

/**
 * Checks that settings are those that a folder holds.
 * @returns differences that do not matter
 * @throws UserError naming the first setting that differs, or where an earlier version made the run
 */
export function requireSame(dir: string, kept: object, settings: object, why: Why): readonly Difference[] {
  const path = join(dir, FILE);
  refuseEarlierRun(dir, kept);
  const found = differences(kept, settings);
  const verb = found.find(({ key }) => key === 'verb');
  if (verb)
    throw new UserError(
      `${dir}: run folder: made by ${verbOf(verb.before)}, wanted one of ${verbOf(verb.now)}, or a new name`,
      'ERR_RUN',
    );
  for (const difference of found) {
    const reason = why(difference);
    if (reason === null) continue;
    const { key, before, now } = difference;
    const because = reason === '' ? '' : `: ${reason}`;
    throw new UserError(
      `${path}: ${key}: ${now} now, wanted ${before} as in the run it holds${because} (or choose another folder)`,
      'ERR_RUN',
    );
  }
  return found;
}

/** The verb behind one side of a difference; the stages of a recipe, which share a folder, keep none. */
function verbOf(side: string): string {
  return side === 'not set' ? 'mstar evolve' : `mstar ${side.replaceAll('"', '')}`;
}

/**
 * The settings that a run folder holds; undefined where it holds none.
 * @throws UserError where the file cannot be read, or holds no settings
 */
export async function readSettings(
  dir: string,
): Promise<{ readonly text: string; readonly values: Readonly<Record<string, unknown>> } | undefined> {
  const path = join(dir, FILE);
  const text = await textIfThere(path);
  if (text === undefined) return undefined;
  const values = readYaml(text, path);
  if (typeof values !== 'object' || values === null || Array.isArray(values))
    throw new UserError(`${path}: settings: not a mapping, wanted settings by group`, 'ERR_RUN');
  return { text, values: values as Record<string, unknown> };
}

/** A setting that a run folder holds, by its dotted name; undefined where it holds none. */
export async function settingOf(dir: string, name: string): Promise<unknown> {
  return valueAt((await readSettings(dir))?.values, name.split('.'));
}

export function differences(before: unknown, now: unknown): Difference[] {
  const kept = flatten(before);
  const wanted = flatten(JSON.parse(JSON.stringify(now)) as unknown);
  return [...new Set([...wanted.keys(), ...kept.keys()])].flatMap((key) => {
    const sides = { before: kept.get(key) ?? 'not set', now: wanted.get(key) ?? 'not set' };
    return sides.before === sides.now ? [] : [{ key, ...sides, known: groupsOf(before, key.split('.')) }];
  });
}

/** How many leading names of a setting lead to groups. */
function groupsOf(settings: unknown, path: readonly string[]): number {
  const isGroup = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
  const end = path.findIndex((_, i) => !isGroup(valueAt(settings, path.slice(0, i + 1))));
  return end < 0 ? path.length : end;
}

/** Dotted key to JSON text of each leaf; lists count as one value. */
export function flatten(value: unknown, path = '', leaves = new Map<string, string>()): Map<string, string> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, inner] of Object.entries(value)) flatten(inner, path === '' ? key : `${path}.${key}`, leaves);
  } else {
    leaves.set(path, JSON.stringify(value));
  }
  return leaves;
}
