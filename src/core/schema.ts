// Turns a failed schema check into the one line that a user sees.
import { z } from 'zod';
import { UserError, type UserErrorCode } from './errors.js';
import { valueAt } from './json.js';
import { nearestName } from './nearest.js';
import { shown } from './printable.js';
import type { ImageInput, ImageSource } from './types.js';

type Issue = z.core.$ZodIssue;

/**
 * `value` as `schema` reads it.
 * @param root field of messages about the value as a whole
 * @param code of the error: `ERR_SETTING` where the value is an argument or an option
 * @throws UserError `file: field: found, wanted`
 */
export function checked<T>(
  schema: z.ZodType<T>,
  value: unknown,
  file: string,
  root = 'document',
  code: UserErrorCode = 'ERR_INPUT',
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { issues } = result.error;
  // A name that is misspelt is why another one is missing.
  const issue = (issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]) as Issue;
  if (issue.code === 'unrecognized_keys') {
    const name = issue.keys[0] as string;
    throw unknownName(file, [...issue.path, name].map(String).join('.'), name, namesAt(schema, issue.path), code);
  }
  const field = issue.path.map(String).join('.') || root;
  const found = valueAt(value, issue.path);
  throw new UserError(`${file}: ${field}: ${shown(found)}, wanted ${wanted(issue)}`, code);
}

function unknownName(
  file: string,
  field: string,
  name: string,
  known: readonly string[],
  code: UserErrorCode = 'ERR_SETTING',
): UserError {
  const near = nearestName(name, known);
  const wanted = known.length > 0 ? `wanted one of ${known.join(', ')}` : 'wanted no such name';
  return new UserError(`${file}: ${field}: unknown, ${near === undefined ? wanted : `did you mean ${near}?`}`, code);
}

/** Refuses names that are not known by a look at each: for objects that are given by the thousand. Throws UserError. */
export function checkNames(value: object, known: readonly string[], place: string): void {
  for (const name of Object.keys(value)) if (!known.includes(name)) throw unknownName(place, name, name, known);
}

/** A picture as programs give it. */
export const imageInput: z.ZodType<ImageInput> = z.union(
  [
    z.string().min(1),
    z.instanceof(Uint8Array),
    z.strictObject({ path: z.string().min(1) }),
    z.strictObject({ bytes: z.instanceof(Uint8Array), name: z.string().min(1) }),
  ],
  'a path or encoded bytes',
);

/** @param name of a picture that is given as bytes, for messages and tables */
export function imageSource(given: ImageInput, name: string): ImageSource {
  if (typeof given === 'string') return { path: given };
  return given instanceof Uint8Array ? { bytes: given, name } : given;
}

/** The names that an object may have at a path inside what a schema describes; none where it is not an object of fixed names. */
function namesAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  const whole = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  if (whole instanceof z.ZodArray && path.length > 0) return namesAt(whole.element, path.slice(1));
  if (!(whole instanceof z.ZodObject)) return [];
  const [first, ...rest] = path;
  return first === undefined ? Object.keys(whole.shape) : namesAt(whole.shape[String(first)], rest);
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
