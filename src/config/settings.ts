// The settings as data: their names, defaults and meanings, and the nearest name to a misspelt one.
// Leaves what they are to schema.ts.
import { z } from 'zod';
import { settings } from './schema.js';

/** One setting as a reader sees it, for --settings and for the nearest-name help. */
export interface SettingInfo {
  /** Dotted path, for example `evolve.select.k`. */
  readonly path: string;
  readonly description: string;
  /** Undefined where a value must be given or may be left out. */
  readonly fallback: unknown;
}

/** All settings in file order. */
export function listSettings(): SettingInfo[] {
  return walk(settings, [], undefined);
}

/** The zod type of the setting at a path; undefined where there is none. */
export function settingAt(path: readonly string[]): z.ZodType | undefined {
  let type: z.ZodType | undefined = settings;
  for (const key of path) {
    const object: z.ZodType | undefined = type && unwrap(type);
    type =
      object instanceof z.ZodObject && Object.hasOwn(object.shape, key) ? (object.shape[key] as z.ZodType) : undefined;
  }
  return type && unwrap(type);
}

/** Names inside the group at a path. */
export function namesAt(path: readonly string[]): string[] {
  const group = settingAt(path);
  return group instanceof z.ZodObject ? Object.keys(group.shape) : [];
}

function walk(type: z.ZodType, path: readonly string[], fallback: unknown): SettingInfo[] {
  const inner = unwrap(type);
  if (inner instanceof z.ZodObject) {
    return Object.entries(inner.shape).flatMap(([key, field]) => walk(field as z.ZodType, [...path, key], undefined));
  }
  const given = type instanceof z.ZodDefault ? type.def.defaultValue : fallback;
  return [{ path: path.join('.'), description: type.description ?? inner.description ?? '', fallback: given }];
}

/** The type inside defaults and optional marks. */
function unwrap(type: z.ZodType): z.ZodType {
  if (type instanceof z.ZodDefault || type instanceof z.ZodOptional || type instanceof z.ZodPrefault) {
    return unwrap(type.def.innerType as z.ZodType);
  }
  return type;
}

/** The full name of the setting that a misspelt one most likely means; undefined where none is near. */
export function nearestSetting(path: readonly string[]): string | undefined {
  const misspelt = path.at(-1) ?? '';
  const group = path.slice(0, -1);
  const inGroup = namesAt(group).map((name) => ({ name, full: [...group, name].join('.') }));
  const elsewhere = listSettings().map((setting) => ({
    name: setting.path.split('.').at(-1) ?? '',
    full: setting.path,
  }));
  return nearest(misspelt, inGroup, Math.max(2, misspelt.length / 3)) ?? nearest(misspelt, elsewhere, 1);
}

function nearest(wanted: string, known: readonly { name: string; full: string }[], most: number): string | undefined {
  let best: { full: string; distance: number } | undefined;
  for (const { name, full } of known) {
    const distance = editDistance(wanted.toLowerCase(), name.toLowerCase());
    if (distance <= most && (best === undefined || distance < best.distance)) best = { full, distance };
  }
  return best?.full;
}

/** Levenshtein distance of two short names. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
