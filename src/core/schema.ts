// Turns a failed schema check into the one line that a user sees.
// Leaves what is wanted to the schemas.
import type { z } from 'zod';
import { UserError } from './errors.js';

type Issue = z.core.$ZodIssue;

/** `value` as `schema` reads it. Throws UserError `file: field: found, wanted`. */
export function checked<T>(schema: z.ZodType<T>, value: unknown, file: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0] as Issue;
  const field = issue.path.map(String).join('.') || 'document';
  const found = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value);
  throw new UserError(`${file}: ${field}: ${describe(found)}, wanted ${wanted(issue)}`);
}

function describe(found: unknown): string {
  const text = JSON.stringify(found) ?? 'missing';
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
}

function wanted(issue: Issue): string {
  if (issue.code === 'invalid_type') return `a value of type ${issue.expected}`;
  if (issue.code === 'invalid_value') return issue.values.map((value) => describe(value)).join(' or ');
  if (issue.code === 'too_small') return `${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`;
  if (issue.code === 'too_big') return `${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}`;
  return issue.message;
}
