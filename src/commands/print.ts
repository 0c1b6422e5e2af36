// What the verbs print: every line of a result goes through here, as names and texts in it may come from anywhere.
import { printable } from '../core/printable.js';

/** One line on the standard output. */
export function print(line: string): void {
  process.stdout.write(`${printable(line)}\n`);
}
