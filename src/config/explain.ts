// Words for a refused setting: what was found and what is wanted, from a zod issue.
import type { z } from 'zod';

/** `found, wanted ...` for one issue of `values`. */
export function explainIssue(issue: z.core.$ZodIssue, values: unknown): string {
  if (issue.code === 'custom') return issue.message;
  const found = valueAt(values, issue.path);
  return `${show(found)}, wanted ${wanted(issue)}`;
}

function wanted(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return kinds[issue.expected] ?? issue.expected;
    case 'too_small':
      return `${amount(issue.origin, issue.inclusive === false ? 'more than' : 'at least')} ${issue.minimum}`;
    case 'too_big':
      return `${amount(issue.origin, issue.inclusive === false ? 'less than' : 'at most')} ${issue.maximum}`;
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`;
    default:
      return issue.message;
  }
}

const kinds: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  object: 'a group of settings',
  array: 'a list',
  tuple: 'a list',
};

function amount(origin: string, bound: string): string {
  if (origin === 'string') return `text of length ${bound}`;
  return origin === 'array' ? `a list of length ${bound}` : bound;
}

function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
  let value = values;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** A value as one short line without control characters. */
function show(value: unknown): string {
  if (value === undefined) return 'missing';
  const text =
    typeof value === 'number' || typeof value === 'boolean' ? String(value) : (JSON.stringify(value) ?? typeof value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
