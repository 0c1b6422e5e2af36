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
  return [
    {
      path: path.join('.'),
      description: type.description ?? inner.description ?? '',
      values: describeValues(inner),
      fallback: given,
    },
  ];
}

/** The type inside defaults and optional marks. */
function unwrap(type: z.ZodType): z.ZodType {
  if (type instanceof z.ZodDefault || type instanceof z.ZodOptional || type instanceof z.ZodPrefault) {
    return unwrap(type.def.innerType as z.ZodType);
  }
  return type;
}

/** Largest bound that is said: those above stand for no limit. */
const SAID_BOUND = 1e8;

interface Shape {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Shape[];
  readonly items?: Shape | readonly Shape[];
  readonly prefixItems?: readonly Shape[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
}

/** What a value may be, in words: `one of cpu, cuda`, `a number above 0, at most 1`. */
export function describeValues(type: z.ZodType): string {
  return inWords(z.toJSONSchema(type, { io: 'input' }) as Shape);
}

function inWords(shape: Shape): string {
  if (shape.anyOf) return shape.anyOf.map(inWords).join(', or ');
  if (shape.const !== undefined) return String(shape.const);
  if (shape.enum) return `one of ${shape.enum.join(', ')}`;
  switch (shape.type) {
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `a whole number ${range(shape)}`.trimEnd();
    case 'number':
      return `a number ${range(shape)}`.trimEnd();
    case 'array': {
      const each = shape.prefixItems ?? [shape.items ?? {}].flat();
      return `a list${shape.prefixItems ? ` of ${each.length}` : ''}, each ${inWords(each[0] ?? {})}`;
    }
    default:
      return 'text';
  }
}

function range({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: Shape): string {
  const least =
    exclusiveMinimum !== undefined ? `above ${exclusiveMinimum}` : minimum !== undefined && `from ${minimum}`;
  const most = exclusiveMaximum !== undefined ? `below ${exclusiveMaximum}` : maximum !== undefined && `to ${maximum}`;
  const isSaid = (maximum ?? exclusiveMaximum ?? 0) <= SAID_BOUND;
  return [least, isSaid && most].filter(Boolean).join(' ');
}

/**
 * The full names of the settings that a misspelt one most likely means, nearest groups first; none where nothing is near.
 * The same last name in another group is nearest, then a name like it in its own group, then its words in a description.
 */
export function nearestSettings(path: readonly string[]): string[] {
  const misspelt = path.at(-1) ?? '';
  const all = listSettings();
  const last = (name: string): string => name.slice(name.lastIndexOf('.') + 1);
  const same = all.filter((one) => last(one.path).toLowerCase() === misspelt.toLowerCase());
  if (same.length > 0) return nearestGroups(path, same);
  const near = nearestName(misspelt, namesAt(path.slice(0, -1)));
  if (near) return [[...path.slice(0, -1), near].join('.')];
  const alike = all.filter((one) => editDistance(misspelt.toLowerCase(), last(one.path).toLowerCase()) <= 1);
  if (alike.length > 0) return nearestGroups(path, alike);
  const words = squashed(misspelt);
  return words.length < 6
    ? []
    : nearestGroups(
        path,
        all.filter((one) => squashed(one.description).includes(words)),
      );
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

function squashed(text: string): string {
  return text.toLowerCase().replace(/[^a-z]/g, '');
}
