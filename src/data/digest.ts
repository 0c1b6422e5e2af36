// One number for a list of problems: tells whether two reads of a data set gave the same ones.
import { createHash } from 'node:crypto';
import type { Problem } from '../core/types.js';

/** SHA-256, in hex, over ids, questions and answers in order; pictures and where the files lie do not count. */
export function digestProblems(problems: readonly Problem[]): string {
  const hash = createHash('sha256');
  for (const { id, question, answer, choices } of problems)
    hash.update(`${JSON.stringify([id, question, answer, choices])}\n`);
  return hash.digest('hex');
}
