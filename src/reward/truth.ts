// Judges the steps of a response against what the generator of picture problems knows; real data sets have no such
// truth.
import type { ProblemTruth } from '../core/types.js';

/**
 * Whether each step is right. A step is right when every statement in it (one per sentence) is
 * - a line of the true reasoning, or
 * - `<name> is <number>` or `<name> shows <number>` with the value drawn in the picture, or
 * - `a + b = c`, `a - b = c` or `a * b = c` with a true result whose operands are two different known quantities: drawn in
 *   the picture or the result of an earlier right calculation of this response.
 * A leading `Step 3:` is not compared. Anything else cannot be checked and counts as wrong, so a right step in words of
 * its own is counted wrong; a share of right answers by a wrong chain is an upper bound in that respect.
 * @param steps texts of the steps, in order
 * @returns one value per step
 */
export function stepTruth(truth: ProblemTruth, steps: readonly string[]): boolean[] {
  const lines = new Set(truth.steps.map(plain));
  const drawn = new Map(Object.entries(truth.scene).map(([name, value]) => [plain(name), String(value)]));
  const known = [...drawn.values()];
  return steps.map((step) => {
    const claims = statements(step);
    return claims.length > 0 && claims.every((claim) => isTrue(claim, lines, drawn, known));
  });
}

/**
 * Whether the reasoning is still right at the end of each step: true up to the first wrong step, false from there on.
 * This is what a Monte-Carlo label of the step estimates, so PRM scores are compared with it.
 */
export function soundSoFar(right: readonly boolean[]): boolean[] {
  const firstWrong = right.indexOf(false);
  return right.map((_, step) => firstWrong < 0 || step < firstWrong);
}

function isTrue(
  statement: string,
  lines: ReadonlySet<string>,
  drawn: ReadonlyMap<string, string>,
  known: string[],
): boolean {
  const calculation = /^(\d{1,9}) ?([-+*]) ?(\d{1,9}) ?= ?(-?\d{1,18})$/.exec(statement);
  if (calculation) {
    const [, left, operator, right, result] = calculation as unknown as [string, string, string, string, string];
    const [a, b] = [Number(left), Number(right)];
    const value = operator === '+' ? a + b : operator === '-' ? a - b : a * b;
    if (value !== Number(result)) return false;
    const second = known.indexOf(right, left === right ? known.indexOf(left) + 1 : 0);
    if (!lines.has(statement) && (!known.includes(left) || second < 0)) return false;
    known.push(result);
    return true;
  }
  if (lines.has(statement)) return true;
  const reading = /^(.{1,64}) (?:is|shows) (\S{1,32})$/.exec(statement);
  return reading !== null && drawn.get(reading[1] as string) === reading[2];
}

/** Sentences of a step in plain form, without the number of the step. */
function statements(step: string): string[] {
  const line = step.trim().replace(/^step \d{1,4} ?[:.]/i, '');
  return line
    .split(/\.(?=\s|$)/)
    .map(plain)
    .filter((statement) => statement !== '');
}

/** Lower case, single spaces, no full stop at the end. */
function plain(text: string): string {
  return text.replace(/\s+/g, ' ').trim().toLowerCase().replace(/ ?\.$/, '');
}
