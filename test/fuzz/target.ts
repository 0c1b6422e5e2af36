// What the fuzzer knows of a parser: how its inputs are made, and what must hold for each of them.
import type { Arbitrary } from 'fast-check';
import { UserError } from '../../src/core/errors.js';

export interface Target<Input = unknown> {
  readonly name: string;
  /** Cases of the bounded run that belongs to the tests. */
  readonly cases: number;
  /** Plain data (texts, numbers, bytes, lists, objects), because it is sent to another thread. */
  readonly input: Arbitrary<Input>;
  /** Throws where something does not hold. `folder` is empty and belongs to this case. */
  check(input: Input, folder: string): void | Promise<void>;
}

/** Makes a target of inputs of one type one of a list of many. */
export function target<Input>(given: Target<Input>): Target {
  return given as unknown as Target;
}

/** Longest message of a refusal, beyond the name of the file, in characters. */
const LONGEST_MESSAGE = 610;

/**
 * What `read` gives; undefined where it refuses `file` as it should: by a UserError whose one short line begins with the file and
 * holds nothing that a terminal would act on.
 */
export async function accepted<T>(file: string, read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof UserError)) throw new Error(`not a UserError: ${describe(error)}`, { cause: error });
    checkLine(error.message, file);
    return undefined;
  }
}

/** The same for a reader that streams. */
export function acceptedAll<T>(file: string, read: () => AsyncIterable<T>): Promise<T[] | undefined> {
  return accepted(file, async () => {
    const all: T[] = [];
    for await (const value of read()) all.push(value);
    return all;
  });
}

/** A line for the user: `file[:line]: field: ...`; `file` may be the folder that the file is in. */
export function checkLine(line: string, file: string): void {
  hold(line.startsWith(file), 'a message begins with the file', line);
  hold(/^[^:]*:(?:\d+:)? \S/.test(line.slice(file.length)), 'a message names a field after the file', line);
  hold(
    line.length <= file.length + LONGEST_MESSAGE,
    `a message is at most ${LONGEST_MESSAGE} characters`,
    line.slice(0, 700),
  );
  hold(!/(?![\u200c\u200d])\p{C}/u.test(line), 'a message has no control characters', line);
}

/** States what must hold; `found` is shown where it does not. */
export function hold(condition: boolean, what: string, found?: unknown): asserts condition {
  if (!condition) throw new Error(`does not hold: ${what}${found === undefined ? '' : `: ${show(found)}`}`);
}

/** Both are the same plain data. */
export function holdEqual(found: unknown, wanted: unknown, what: string): void {
  const [left, right] = [show(found), show(wanted)];
  if (left !== right)
    throw new Error(`does not hold: ${what}: found ${left.slice(0, 1000)}, wanted ${right.slice(0, 1000)}`);
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part)) ?? String(value);
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message.slice(0, 300)}` : String(error);
}
