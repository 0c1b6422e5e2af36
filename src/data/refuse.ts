// Reads the fields of a record by type and length, and refuses a user's data file by messages of one shape:
// `file:line: field: found, wanted`.
import { UserError } from '../core/errors.js';
import { printable } from '../core/printable.js';

/** A place in a data file; `line` and `record` count from 1. `record` is there where the line does not tell which it is. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly record?: number;
}

/** A record, or an object inside it. */
export type Fields = Readonly<Record<string, unknown>>;

/** One line about a field at a place. */
export function message(at: Place, field: string, found: string, wanted: string): string {
  const record = at.record === undefined ? '' : ` record ${at.record}:`;
  return `${at.file}:${at.line}:${record} ${field}: ${found}, wanted ${wanted}`;
}

/** Refuses the file. */
export function refuse(at: Place, field: string, found: string, wanted: string): never {
  throw new UserError(message(at, field, found, wanted));
}

/** A found value for a message: short, quoted, without raw control or direction characters. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = typeof value === 'string' && value.length > 80 ? `${value.slice(0, 77)}...` : value;
  return printable(JSON.stringify(text));
}

/** Most characters of a text and of an id. UTF-16 units. */
export const MAX_TEXT = 65_536;
export const MAX_ID = 256;

// All of these throw UserError naming the field.

export function checkObject(value: unknown, at: Place, field: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  return refuse(at, field, shown(value), 'an object');
}

export function checkList(value: unknown, at: Place, field: string): readonly unknown[] {
  return Array.isArray(value) ? value : refuse(at, field, shown(value), 'a list');
}

/** A text of at most `longest` characters, which may be empty. */
export function checkString(value: unknown, at: Place, field: string, longest = Number.POSITIVE_INFINITY): string {
  if (typeof value !== 'string') refuse(at, field, shown(value), 'a text');
  if (value.length > longest) refuse(at, field, `${value.length} characters`, `at most ${longest}`);
  return value;
}

/** The same of at least one character. */
export function checkText(value: unknown, at: Place, field: string, longest: number): string {
  return value === '' ? refuse(at, field, shown(value), 'a text') : checkString(value, at, field, longest);
}

/** The text of a field that has one; a number as well. */
export function textOf(row: Fields, field: string, at: Place): string {
  const value = row[field];
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value !== 'string' || value.trim() === '') refuse(at, field, shown(value), 'a text');
  return value as string;
}

/** Text of a value that may be absent; lists and objects have none. */
export function anyText(value: unknown, at: Place, field: string): string {
  if (typeof value === 'object' && value !== null) refuse(at, field, shown(value), 'a text');
  return value === null || value === undefined ? '' : String(value);
}

/** The text of a field that may be empty or absent. */
export function optionalText(row: Fields, field: string, at: Place): string {
  return anyText(row[field], at, field);
}

/** Texts of a list. */
export function textsOf(list: readonly unknown[], at: Place, field: string): string[] {
  return list.map((value, i) => anyText(value, at, `${field}[${i}]`));
}

/** Fields as tags, those without a text left out. */
export function tagsOf(row: Fields, fields: readonly string[], at: Place): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const field of fields) {
    const value = row[field];
    const text = Array.isArray(value) ? textsOf(value, at, field).join(', ') : anyText(value, at, field).trim();
    if (text !== '') tags[field] = text;
  }
  return tags;
}
