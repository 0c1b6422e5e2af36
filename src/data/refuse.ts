// The one shape of this folder's messages about a user's data file: `file:line: field: found, wanted`.
import { UserError } from '../core/errors.js';
import { printable } from '../core/printable.js';

/** A place in a data file; `line` and `record` count from 1. `record` is there where the line does not tell which it is. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly record?: number;
}

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
