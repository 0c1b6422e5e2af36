// The functions of the package as programs call them, which no compiler may have checked: what is missing, misspelt or of
// another kind is a UserError that names it, before anything is done. What values mean is checked where they are used.
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { checked } from '../core/schema.js';

type Arguments = Readonly<Record<string, z.ZodType>>;

function check(name: string, wanted: Arguments, given: readonly unknown[]): void {
  for (const [i, [argument, schema]] of Object.entries(wanted).entries())
    checked(schema, given[i], name, argument, 'ERR_SETTING');
}

/** A refusal of a setting under the name it has here: what the command line calls --image-root is imageRoot. */
function inWords(name: string, error: unknown): unknown {
  if (error instanceof UserError && error.message.startsWith('--')) {
    const settings = error.message.replace(/(?<![\w-])--[a-z][a-z-]*/g, (flag) =>
      flag.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    );
    error.message = `${name}: ${settings}`;
  }
  return error;
}

type Call = (...given: never[]) => unknown;

/** `call` under its name, with its arguments looked at first. */
export function looking<F extends Call>(name: string, wanted: Arguments, call: F): F {
  return ((...given: Parameters<F>) => {
    check(name, wanted, given);
    return call(...given);
  }) as F;
}

/** The same for a call that must not throw at once. */
export function promising<F extends Call>(name: string, wanted: Arguments, call: F): F {
  return (async (...given: Parameters<F>) => {
    check(name, wanted, given);
    try {
      return await call(...given);
    } catch (error) {
      throw inWords(name, error);
    }
  }) as unknown as F;
}

export const text = z.string();
export const path = z.string().min(1);
export const whole = (least: number) => z.number().int().min(least);
export const seed = whole(0).max(2 ** 32 - 1);
export const call = z.custom((value) => typeof value === 'function', 'a function');
export const having = (...methods: string[]) =>
  z.custom(
    (value) => methods.every((name) => typeof (value as Record<string, unknown> | null)?.[name] === 'function'),
    `an object with ${methods.join(', ')}`,
  );
export const iterable = z.custom((value) => {
  const given = Object(value ?? {}) as Partial<Iterable<unknown> & AsyncIterable<unknown>>;
  return typeof value !== 'string' && (given[Symbol.iterator] ?? given[Symbol.asyncIterator]) !== undefined;
}, 'a list or an iterable');
/** How a data set is read. */
export const readFields = {
  imageRoot: path,
  linkRoot: z.array(path).optional(),
  format: path.optional(),
  columns: z.record(z.string(), z.union([path, z.array(path)])).optional(),
  hints: z.enum(['kept', 'none', 'mathvista']).optional(),
  limit: whole(0).optional(),
  onWarning: call.optional(),
  onFormat: call.optional(),
  onRepeat: call.optional(),
  onMissingPicture: call.optional(),
};
