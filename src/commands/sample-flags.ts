// Flags made from a schema of settings, one flag per setting with its meaning and default; those of how a data set is read
// are the same for every verb that reads one.
import type { Argv, Options } from 'yargs';
import { z } from 'zod';
import { checkFlags, flagOf, pictureSchema, readingSchema } from '../config/sample.js';
import type { OutcomeCounts } from '../record/rollout.js';

/**
 * Adds a flag for each setting; those without a default must be given, but for the optional ones.
 * @param free settings that need not be given, as there is another way to run the verb
 */
export function schemaFlags<T>(yargs: Argv<T>, schema: z.ZodObject, free: readonly string[] = []): Argv<T> {
  return Object.entries(schema.shape).reduce<Argv<T>>((flags, [name, field]) => {
    const json = z.toJSONSchema(field as z.ZodType, { io: 'input' }) as {
      type?: string;
      default?: unknown;
      enum?: string[];
      anyOf?: { type?: string }[];
    };
    const needed = !free.includes(name) && !(field as z.ZodType).safeParse(undefined).success;
    const option: Options = {
      type:
        json.type === 'integer' || json.type === 'number' ? 'number' : json.type === 'boolean' ? 'boolean' : 'string',
      describe: (field as z.ZodType).description,
      demandOption: needed,
      ...(json.anyOf?.some(({ type }) => type === 'array') && { array: true, nargs: 1 }),
      ...(json.enum && { choices: json.enum }),
      ...(json.default !== undefined && { defaultDescription: JSON.stringify(json.default) }),
    };
    return flags.option(flagOf(name).slice(2), option) as Argv<T>;
  }, yargs);
}

/** The settings among parsed flags, without those that were left out. */
export function settingsOf<T>(flags: Readonly<Record<string, unknown>>, schema: z.ZodObject): T {
  const names = Object.keys(schema.shape).filter((name) => flags[name] !== undefined);
  // A flag without a value is refused, so quotes stand for empty text.
  return Object.fromEntries(names.map((name) => [name, flags[name] === '""' ? '' : flags[name]])) as T;
}

/** For example `147 problems: 3 correct, 120 wrong, 24 unreadable, 0 failed`. */
export function describeOutcomes(what: string, { correct, wrong, unreadable, error }: OutcomeCounts): string {
  return `${what}: ${correct} correct, ${wrong} wrong, ${unreadable} unreadable, ${error} failed`;
}

/** The job is done, but problems of its data, those with a damaged picture for instance, could not be sampled: the exit code says so. */
export function failOn(failed: number): void {
  if (failed > 0) process.exitCode = 1;
}

export type DataFlags = z.input<typeof readingSchema>;

/** Adds the flags of how a data set is read: pictures, format, columns, hints. */
export function dataFlags<T>(yargs: Argv<T>): Argv<T & DataFlags> {
  return schemaFlags(yargs, readingSchema) as Argv<T & DataFlags>;
}

/** What they say. Throws UserError naming the flag. */
export function readingOf(flags: object): z.output<typeof readingSchema> {
  return checkFlags(readingSchema, settingsOf(flags as Readonly<Record<string, unknown>>, readingSchema));
}

/** Adds the flags of how large pictures may be. */
export function pictureFlags<T>(yargs: Argv<T>): Argv<T & z.input<typeof pictureSchema>> {
  return schemaFlags(yargs, pictureSchema) as Argv<T & z.input<typeof pictureSchema>>;
}

/** What they say. Throws UserError naming the flag. */
export function limitsOf(flags: object): z.output<typeof pictureSchema> {
  return checkFlags(pictureSchema, settingsOf(flags as Readonly<Record<string, unknown>>, pictureSchema));
}
