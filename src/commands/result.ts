// What every verb has in common: its form, and what it does with its result and its progress, as --json and --quiet mean the
// same everywhere.
import type { ArgumentsCamelCase, Argv, CommandModule } from 'yargs';
import { systemFault, UserError } from '../core/errors.js';
import { printable, printableJson } from '../core/printable.js';
import { isStandardOutput } from '../run/output.js';
import { type Display, openDisplay, silent } from '../run/terminal.js';

export interface CommonFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** A verb of the command line, whose handler gets what the flags of its builder are read as. */
export function verb<F>(given: {
  readonly command: string;
  readonly describe: string;
  builder(yargs: Argv<CommonFlags>): Argv<F>;
  handler(flags: ArgumentsCamelCase<F>): Promise<void>;
}): CommandModule<object, ArgumentsCamelCase<F>> {
  return given as unknown as CommandModule<object, ArgumentsCamelCase<F>>;
}

/**
 * Prints a result on standard output: as one JSON document with --json, else as lines.
 * @param out where the verb wrote its file: beside a file on standard output the result goes to standard error
 */
export function printResult(
  { json }: Pick<CommonFlags, 'json'>,
  value: unknown,
  lines: readonly string[],
  out?: string,
): void {
  const stream = out !== undefined && isStandardOutput(out) ? process.stderr : process.stdout;
  const text = json
    ? [printableJson(value, 2)]
    : lines.flatMap((line) => line.split('\n').map((part) => printable(part)));
  stream.write(text.map((line) => `${line}\n`).join(''));
}

/** Progress on standard error, with a note of several ranks; with --quiet only warnings. */
export function displayOf({ quiet }: Pick<CommonFlags, 'quiet'>, ranks?: Display['ranks']): Display {
  const display = openDisplay(process.stderr);
  if (!quiet) return { ...display, ranks };
  return {
    ...silent,
    ranks,
    say: (text) => {
      if (text.startsWith('warning: ')) display.say(text);
    },
  };
}

/** An error as one line without control characters. */
export function errorLine(error: unknown): string {
  const { path, message, code } = error as NodeJS.ErrnoException;
  const fault = systemFault(error);
  const text = fault ? `${path ?? 'write'}: ${fault}` : String(message ?? error).split('\n')[0];
  const hint = error instanceof UserError || fault || code === 'ERR_RANK' ? '' : ' (--debug shows where)';
  return printable(`${text}${hint}`);
}

/** Columns as wide as their longest cell. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Throws UserError unless the value of a flag, where there is one, is an integer in a range. */
export function requireInteger(flag: string, value: number | undefined, least: number, most = 2 ** 32 - 1): void {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return;
  const upTo = most === 2 ** 32 - 1 ? '' : ` to ${most}`;
  throw new UserError(`${flag}: ${value}, wanted an integer from ${least}${upTo}`);
}
