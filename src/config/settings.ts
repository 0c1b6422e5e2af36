// The settings as data: their names, defaults, values and meanings, and the nearest name to a misspelt one.
import { z } from 'zod';
import { editDistance, nearestName } from '../core/nearest.js';
import { settings } from './schema.js';

/** One setting as a reader sees it, for --settings and for the nearest-name help. */
export interface SettingInfo {
  /** Dotted path, for example `evolve.select.k`. */
  readonly path: string;
  readonly description: string;
  /** What it may be, in words: `a whole number from 1 to 4096`. */
  readonly values: string;
  /** Undefined where a value must be given or may be left out. */
  readonly fallback: unknown;
}

/** All settings in file order. */
export function listSettings(): SettingInfo[] {
  const walk = (type: z.ZodType, path: readonly string[]): SettingInfo[] => {
    const inner = unwrap(type);
    if (inner instanceof z.ZodObject)
      return Object.entries(inner.shape).flatMap(([key, field]) => walk(field as z.ZodType, [...path, key]));
    const description = type.description ?? inner.description ?? '';
    const fallback = type instanceof z.ZodDefault ? type.def.defaultValue : undefined;
    return [{ path: path.join('.'), description, values: describeValues(inner), fallback }];
  };
  return walk(settings, []);
}

/** The zod type of the setting at a path; undefined where there is none. */
export function settingAt(path: readonly string[]): z.ZodType | undefined {
  let type: z.ZodType | undefined = settings;
  for (const key of path) {
    const shape: Readonly<Record<string, unknown>> = type instanceof z.ZodObject ? type.shape : {};
    if (!Object.hasOwn(shape, key)) return undefined;
    type = unwrap(shape[key] as z.ZodType);
  }
  return type;
}

/**
 * The default of the setting at a path; undefined where it has none, or lies in a group that may be left out and is not among
 * the first `known` names, as leaving it out means something else than its defaults then.
 */
export function defaultAt(path: readonly string[], known: number, within: z.ZodType = settings): unknown {
  let type: z.ZodType | undefined = within;
  for (const [i, key] of path.entries()) {
    if (i > known && type instanceof z.ZodOptional) return undefined;
    const group = unwrap(type);
    const shape: Readonly<Record<string, unknown>> = group instanceof z.ZodObject ? group.shape : {};
    if (!Object.hasOwn(shape, key)) return undefined;
    type = shape[key] as z.ZodType;
  }
  return type instanceof z.ZodDefault ? type.def.defaultValue : undefined;
}

/** The type inside defaults and optional marks. */
function unwrap(type: z.ZodType): z.ZodType {
  if (type instanceof z.ZodDefault || type instanceof z.ZodOptional || type instanceof z.ZodPrefault) {
    return unwrap(type.def.innerType as z.ZodType);
  }
  return type;
}

/** What a value may be, in words: `one of cpu, cuda`, `a number above 0, at most 1`. */
function describeValues(type: z.ZodType): string {
  const inWords = (shape: z.core.JSONSchema.JSONSchema): string => {
    if (shape.anyOf) return shape.anyOf.map(inWords).join(', or ');
    if (shape.const !== undefined) return String(shape.const);
    if (shape.enum) return `one of ${shape.enum.join(', ')}`;
    if (shape.type === 'boolean') return 'true or false';
    if (shape.type === 'integer') return `a whole number ${range(shape)}`.trimEnd();
    if (shape.type === 'number') return `a number ${range(shape)}`.trimEnd();
    if (shape.type !== 'array') return 'text';
    const each = (shape.prefixItems ?? [shape.items ?? {}].flat()) as z.core.JSONSchema.JSONSchema[];
    return `a list${shape.prefixItems ? ` of ${each.length}` : ''}, each ${inWords(each[0] ?? {})}`;
  };
  const range = (shape: z.core.JSONSchema.JSONSchema): string => {
    const { minimum, exclusiveMinimum: above, maximum, exclusiveMaximum: below } = shape;
    const least = above !== undefined ? `above ${above}` : minimum !== undefined && `from ${minimum}`;
    const most = below !== undefined ? `below ${below}` : maximum !== undefined && `to ${maximum}`;
    // Larger bounds stand for no limit.
    const isSaid = Number(maximum ?? below ?? 0) <= 1e8;
    return [least, isSaid && most].filter(Boolean).join(' ');
  };
  return inWords(z.toJSONSchema(type, { io: 'input' }));
}

/**
 * The full names of the settings that a misspelt one most likely means, nearest groups first; none where nothing is near.
 * The same last name in another group is nearest, then a name like it in its own group, then its words in a description.
 */
export function nearestSettings(path: readonly string[]): string[] {
  const misspelt = (path.at(-1) ?? '').toLowerCase();
  const group = path.slice(0, -1);
  const all = listSettings();
  const last = (name: string): string => name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  const same = all.filter((one) => last(one.path) === misspelt);
  if (same.length > 0) return nearestGroups(path, same);
  const around = settingAt(group);
  const near = nearestName(misspelt, around instanceof z.ZodObject ? Object.keys(around.shape) : []);
  if (near) return [[...group, near].join('.')];
  const alike = all.filter((one) => editDistance(misspelt, last(one.path)) <= 1);
  if (alike.length > 0) return nearestGroups(path, alike);
  const letters = (text: string): string => text.toLowerCase().replace(/[^a-z]/g, '');
  const words = letters(misspelt);
  const described = all.filter((one) => letters(one.description).includes(words));
  return words.length < 6 ? [] : nearestGroups(path, described);
}

/** Those that share the most leading names with the path, and of them the least deep. */
function nearestGroups(path: readonly string[], found: readonly SettingInfo[]): string[] {
  const shared = ({ path: other }: SettingInfo): number => {
    const names = other.split('.');
    const differs = path.findIndex((name, i) => name.toLowerCase() !== names[i]?.toLowerCase());
    return differs < 0 ? path.length : differs;
  };
  const most = Math.max(...found.map(shared));
  const nearest = found.filter((one) => shared(one) === most).map((one) => one.path);
  const depth = Math.min(...nearest.map((name) => name.split('.').length));
  return nearest.filter((name) => name.split('.').length === depth);
}
