// The flags of how a data set is read, the same for every verb that reads data: pictures, format, columns, hints.
import type { Argv } from 'yargs';
import type { z } from 'zod';
import { checkFlags, readingSchema } from '../config/sample.js';
import { schemaFlags, settingsOf } from './sample-flags.js';

export type DataFlags = z.input<typeof readingSchema>;

/** Adds the flags. */
export function dataFlags<T>(yargs: Argv<T>): Argv<T & DataFlags> {
  return schemaFlags(yargs, readingSchema) as Argv<T & DataFlags>;
}

/** What they say. Throws UserError naming the flag. */
export function readingOf(flags: object): z.output<typeof readingSchema> {
  return checkFlags(readingSchema, settingsOf(flags as Readonly<Record<string, unknown>>, readingSchema));
}
