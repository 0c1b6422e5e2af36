// YAML as plain data that every walk over it ends on, whoever wrote it: a tree of bounded depth, no value inside itself.
// Leaves what the settings mean to their readers.
import { parse } from 'yaml';
import { UserError } from './errors.js';

const DEEPEST = 100;

/**
 * @param place `file` or `file:line`, for the message
 * @param field what the text is
 * @throws UserError `place: field: found, wanted`
 */
export function plainYaml(text: string, place: string, field = 'settings'): unknown {
  return plainData(() => parse(text, { prettyErrors: false, stringKeys: true }) as unknown, place, field);
}

/** What `read` gives, which parses YAML, by the same rules. */
export function plainData(read: () => unknown, place: string, field: string): unknown {
  let value: unknown;
  try {
    value = read();
  } catch (error) {
    throw new UserError(`${place}: ${field}: ${yamlFault(error)}`);
  }
  const fault = treeFault(value, new Set(), new Set());
  if (fault) throw new UserError(`${place}: ${field}: ${fault}, wanted plain values`);
  return value;
}

/** `found, wanted` for an error of the parser. */
export function yamlFault(error: unknown): string {
  const [reason = ''] = (error as Error).message.split('\n');
  if (/call stack/.test(reason)) return `more than ${DEEPEST} levels, wanted plain values`;
  return /^Excessive alias/.test(reason) ? 'too many aliases, wanted fewer' : `${reason}, wanted valid YAML`;
}

function treeFault(value: unknown, around: Set<unknown>, done: Set<unknown>): string | undefined {
  if (typeof value !== 'object' || value === null || done.has(value)) return undefined;
  if (around.has(value)) return 'a value that holds itself';
  if (around.size === DEEPEST) return `more than ${DEEPEST} levels`;
  around.add(value);
  for (const inner of Object.values(value)) {
    const fault = treeFault(inner, around, done);
    if (fault) return fault;
  }
  around.delete(value);
  done.add(value);
  return undefined;
}
