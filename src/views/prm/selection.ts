// What each selection rule keeps of the same responses, and how much luck is left in it (P10).

import { type SelectionRule, select } from '../../evolve/select.js';
import { type BootstrapOptions, bootstrapStatistics } from '../../measure/bootstrap.js';
import { ratio, type Statistic } from '../../measure/statistics.js';
import type { RuleRow, Selection } from './analysis.js';
import { type AskedProblem, candidatesOf } from './read.js';

/** In the order of the tables; the first one is what the others choose from. */
export const RULES: readonly { readonly name: string; readonly rule: SelectionRule }[] = [
  { name: 'all', rule: { rule: 'all' } },
  { name: 'random 2', rule: { rule: 'random', k: 2 } },
  ...[1, 2, 4].map((k) => ({ name: `top ${k}`, rule: { rule: 'top', k } as const })),
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((tenth) => ({
    name: `threshold 0.${tenth}`,
    rule: { rule: 'threshold', threshold: tenth / 10 } as const,
  })),
];

/** What a rule keeps, problem by problem. */
interface Kept {
  readonly responses: number[];
  readonly lucky: number[];
  /** Lucky ones to be expected among as many drawn at random from the distinct correct responses of the problem. */
  readonly chance: number[];
}

/**
 * Applies every rule to every problem.
 * @param problems of `table`, which with `seed` names the draws of the rule `random`, as in the run
 * @returns null where a response that could be selected has no reward, or there is none
 */
export async function selectionOf(
  problems: AsyncIterable<AskedProblem> | Iterable<AskedProblem>,
  { table, seed }: { readonly table: string; readonly seed: number },
  options: BootstrapOptions,
): Promise<Selection | null> {
  const kept = RULES.map((): Kept => ({ responses: [], lucky: [], chance: [] }));
  let truth = true;
  let responses = 0;
  let temperature = Number.NaN;
  for await (const problem of problems) {
    const candidates = candidatesOf(problem);
    if (candidates.some(({ verdict, reward }) => verdict === 'correct' && Number.isNaN(reward))) return null;
    temperature = problem.temperature;
    responses += problem.responses.length;
    const luck = new Map(problem.responses.map(({ sample, lucky }) => [sample, lucky]));
    const choices = RULES.map(({ rule }) => {
      const { samples } = select(candidates, rule, { seed, key: `${table}/${problem.problem}` });
      truth &&= samples.every((sample) => luck.get(sample) !== null);
      return { count: samples.length, lucky: samples.filter((sample) => luck.get(sample) === true).length };
    });
    const all = choices[0] ?? { count: 0, lucky: 0 };
    for (const [r, { count, lucky }] of choices.entries()) {
      kept[r]?.responses.push(count);
      kept[r]?.lucky.push(lucky);
      kept[r]?.chance.push(count === 0 ? 0 : (count * all.lucky) / all.count);
    }
  }
  const asked = kept[0]?.responses.length ?? 0;
  if (asked === 0 || sum(kept[0]?.responses ?? []) === 0) return null;
  const statistics = kept.flatMap(({ responses: counts, lucky, chance }): Statistic[] => {
    const beyond = lucky.map((count, i) => count - (chance[i] as number));
    return [ratio(lucky, counts), ratio(chance, counts), ratio(beyond, counts)];
  });
  const intervals = truth ? bootstrapStatistics(asked, statistics, options) : [];
  const rules = kept.map(
    ({ responses: counts }, r): RuleRow => ({
      rule: RULES[r]?.name as string,
      selected: sum(counts),
      kept: histogram(counts),
      lucky: intervals[3 * r] ?? null,
      chance: intervals[3 * r + 1] ?? null,
      difference: intervals[3 * r + 2] ?? null,
    }),
  );
  return { table, temperature, problems: asked, responses, rules };
}

/** Problems with 0, 1, 2... responses. */
function histogram(counts: readonly number[]): number[] {
  const problems: number[] = new Array(counts.reduce((most, count) => Math.max(most, count), 0) + 1).fill(0);
  for (const count of counts) (problems[count] as number)++;
  return problems;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
