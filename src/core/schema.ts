// Turns a failed schema check into the one line that a user sees.
import { z } from 'zod';
import { UserError } from './errors.js';
import { valueAt } from './json.js';
import { shown } from './printable.js';

type Issue = z.core.$ZodIssue;

/**
 * `value` as `schema` reads it.
 * @param root field of messages about the value as a whole
 * @throws UserError `file: field: found, wanted`
 */
export function checked<T>(schema: z.ZodType<T>, value: unknown, file: string, root = 'document'): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0] as Issue;
  if (issue.code === 'unrecognized_keys') {
    const whole = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
    const known = whole instanceof z.ZodObject && issue.path.length === 0 ? Object.keys(whole.shape) : [];
    const wanted = known.length > 0 ? `one of ${known.join(', ')}` : 'no such name';
    throw new UserError(`${file}: ${[...issue.path, issue.keys[0]].map(String).join('.')}: unknown, wanted ${wanted}`);
  }
  const field = issue.path.map(String).join('.') || root;
  const found = valueAt(value, issue.path);
  throw new UserError(`${file}: ${field}: ${shown(found)}, wanted ${wanted(issue)}`);
}

/** As `checked`, of what stands under `key` of a document; of all of it where there is no key. */
export function checkedUnder<T>(schema: z.ZodType<T>, document: unknown, key: string | undefined, file: string): T {
  if (key === undefined) return checked(schema, document, file);
  return checked(z.object({ [key]: schema }), document, file)[key] as T;
}

function wanted(issue: Issue): string {
  if (issue.code === 'invalid_type')
    return `a value of type ${issue.expected === 'record' ? 'object' : issue.expected}`;
  if (issue.code === 'invalid_value') return issue.values.map((value) => shown(value)).join(' or ');
  if (issue.code === 'too_small') return `${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`;
  if (issue.code === 'too_big') return `${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}`;
  return issue.message;
}
