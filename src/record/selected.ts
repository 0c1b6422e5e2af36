// The responses of a rollout table that became training examples, read back as examples.
import { UserError } from '../core/errors.js';
import type { Example, Problem } from '../core/types.js';
import { readRows } from '../data/formats/rows.js';

/**
 * Examples in the order of the table, without the answer in the prompt.
 * @param problems those that the table may name
 * @throws UserError where the table names another problem, or holds no selected response
 */
export async function readSelected(file: string, problems: readonly Problem[]): Promise<Example[]> {
  const known = new Map(problems.map((problem) => [problem.id, problem]));
  const examples: Example[] = [];
  for await (const { value, at } of readRows(file)) {
    if (value.selected !== true) continue;
    const problem = known.get(String(value.problem));
    if (!problem) {
      throw new UserError(`${file}:${at.line}: problem: ${JSON.stringify(value.problem)}, wanted one of this run`);
    }
    examples.push({ problem, variant: 'solve', response: Int32Array.from(value.tokens as number[]) });
  }
  if (examples.length === 0) throw new UserError(`${file}: selected: no response, wanted at least one`);
  return examples;
}
