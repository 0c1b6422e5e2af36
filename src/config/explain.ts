// Words for a refused setting: what was found and what is wanted, from a zod issue.
import type { z } from 'zod';
import { valueAt } from '../core/json.js';

const KINDS: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  object: 'a group of settings',
  array: 'a list',
  tuple: 'a list',
};

/** `found, wanted ...` for one issue of `values`. */
export function explainIssue(issue: z.core.$ZodIssue, values: unknown): string {
  if (issue.code === 'custom') return issue.message;
  const found = valueAt(values, issue.path);
  const text =
    found === undefined
      ? 'missing'
      : typeof found === 'number'
        ? String(found)
        : (JSON.stringify(found) ?? typeof found);
  return `${text.length > 60 ? `${text.slice(0, 57)}...` : text}, wanted ${wanted(issue)}`;
}

function wanted(issue: z.core.$ZodIssue): string {
  const amount = (origin: string, bound: string, limit: unknown): string => {
    if (origin === 'string') return `text of length ${bound} ${limit}`;
    return origin === 'array' ? `a list of length ${bound} ${limit}` : `${bound} ${limit}`;
  };
  switch (issue.code) {
    case 'invalid_type':
      return KINDS[issue.expected] ?? issue.expected;
    case 'too_small':
      return amount(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'too_big':
      return amount(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`;
    default:
      return issue.message;
  }
}
