// What each selection rule keeps of the same responses, and how much luck is left in it (P10); the two best-rewarded correct
// responses of a problem against the rest of its correct ones (P11).
import { mean, sum } from '../../core/lists.js';
import { type Candidate, eligible, type Repeats, type SelectionRule, select } from '../../evolve/select.js';
import {
  type BootstrapOptions,
  bootstrapIntervals,
  bootstrapStatistics,
  type Interval,
} from '../../measure/bootstrap.js';
import { ratio, type Statistic } from '../../measure/statistics.js';
import type { Selection, Tops } from './analysis.js';
import type { AskedProblem, ScoredResponse } from './read.js';

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

/**
 * Applies every rule to every problem.
 * @param problems of `table`, which with `seed` names the draws of the rule `random`, as in the run; `repeats` as in the run too
 * @returns null where a response that could be selected has no reward, or there is none
 */
export async function selectionOf(
  problems: AsyncIterable<AskedProblem> | Iterable<AskedProblem>,
  { table, seed, repeats }: { readonly table: string; readonly seed: number; readonly repeats: Repeats },
  options: BootstrapOptions,
): Promise<Selection | null> {
  // Of each rule, problem by problem: what it keeps, the lucky ones among these, and those to be expected among as many
  // drawn at random from the correct responses of the problem that the rules saw.
  const kept = RULES.map(({ name }) => ({
    name,
    responses: [] as number[],
    lucky: [] as number[],
    chance: [] as number[],
  }));
  let truth = true;
  let responses = 0;
  let temperature = Number.NaN;
  for await (const problem of problems) {
    const candidates = candidatesOf(problem);
    if (candidates.some(({ verdict, reward }) => verdict === 'correct' && Number.isNaN(reward))) return null;
    temperature = problem.temperature;
    responses += problem.responses.length;
    const luck = new Map(problem.responses.map(({ sample, lucky }) => [sample, lucky]));
    const correct = eligible(candidates, repeats);
    const choices = RULES.map(({ rule }) => {
      const samples = select(correct, rule, { seed, key: `${table}/${problem.problem}` });
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
  const rules = kept.map(({ name, responses: counts }, r) => ({
    rule: name,
    selected: sum(counts),
    kept: histogram(counts),
    lucky: intervals[3 * r] ?? null,
    chance: intervals[3 * r + 1] ?? null,
    difference: intervals[3 * r + 2] ?? null,
  }));
  return { table, temperature, problems: asked, responses, rules };
}

/** Problems with 0, 1, 2... responses. */
function histogram(counts: readonly number[]): number[] {
  const problems: number[] = [];
  for (const count of counts) problems[count] = (problems[count] ?? 0) + 1;
  return Array.from(problems, (some) => some ?? 0);
}

/** What can be selected: as in the run, responses that ended by themselves. */
function candidatesOf({ responses }: AskedProblem): Candidate[] {
  return responses.flatMap(({ sample, text, finish, verdict, reward }) =>
    finish === 'stop' ? [{ sample, text, verdict, reward: reward ?? Number.NaN }] : [],
  );
}

/** Rates how relevant a response is to its question, 1 to 5; null where the rating could not be read. */
export interface Relevance {
  readonly model: string;
  /** From 1 to 5; null where the reply could not be read. */
  rate(question: string, response: string): Promise<number | null>;
  readonly counts: { readonly asked: number; readonly unreadable: number };
}

type Property = (response: ScoredResponse) => number | null;

/** Null where no problem has more than two distinct correct responses, or they have no rewards. */
export async function topsOf(
  problems: readonly AskedProblem[],
  options: BootstrapOptions,
  relevance?: Relevance,
): Promise<Tops | null> {
  const sides = problems.flatMap((problem) => sidesOf(problem) ?? []);
  const responses = sides.flatMap(({ top, rest }) => [...top, ...rest]);
  if (sides.length === 0 || responses.some(({ reward }) => reward === null)) return null;
  const ratings = new Map<ScoredResponse, number | null>();
  if (relevance) {
    // All at once: the client has its own limit.
    const asked = sides.flatMap(({ question, top, rest }) =>
      [...top, ...rest].map(async (response) => {
        ratings.set(response, await relevance.rate(question, response.text));
      }),
    );
    await Promise.all(asked);
  }
  const properties: [string, Property][] = [
    ['reward', ({ reward }) => reward],
    ['steps', ({ steps }) => steps.length],
    ['tokens', ({ tokens }) => tokens],
    ['lucky', ({ lucky }) => (lucky === null ? null : Number(lucky))],
    ['relevance', (response) => ratings.get(response) ?? null],
  ];
  return {
    problems: sides.length,
    top: sum(sides.map(({ top }) => top.length)),
    rest: sum(sides.map(({ rest }) => rest.length)),
    rows: properties.flatMap(([measure, property]) => rowOf(measure, property, sides, options) ?? []),
    relevance: relevance
      ? { model: relevance.model, asked: relevance.counts.asked, unreadable: relevance.counts.unreadable }
      : null,
  };
}

interface Sides {
  readonly question: string;
  readonly top: readonly ScoredResponse[];
  readonly rest: readonly ScoredResponse[];
}

/** The two on top and the other distinct correct responses; null where there are no others. */
function sidesOf(asked: AskedProblem): Sides | null {
  const { question, responses } = asked;
  const distinct = eligible(candidatesOf(asked), 'drop');
  // The rule does not draw.
  const top = new Set(select(distinct, { rule: 'top', k: 2 }, { seed: 0, key: '' }));
  const all = new Set(distinct.map(({ sample }) => sample));
  if (all.size <= top.size) return null;
  return {
    question,
    top: responses.filter(({ sample }) => top.has(sample)),
    rest: responses.filter(({ sample }) => all.has(sample) && !top.has(sample)),
  };
}

/** Responses without the property do not count; null where no problem has it on both sides. */
function rowOf(
  measure: string,
  property: Property,
  sides: readonly Sides[],
  options: BootstrapOptions,
): Tops['rows'][number] | null {
  const [top, rest]: [number[], number[]] = [[], []];
  for (const side of sides) {
    const means = [side.top, side.rest].map((some) => mean(some.flatMap((response) => property(response) ?? [])));
    const [first, second] = means as [number, number];
    if (Number.isNaN(first) || Number.isNaN(second)) continue;
    top.push(first);
    rest.push(second);
  }
  if (top.length === 0) return null;
  const differences = top.map((value, i) => value - (rest[i] as number));
  const [ofTop, ofRest, difference] = bootstrapIntervals([top, rest, differences], options) as [
    Interval,
    Interval,
    Interval,
  ];
  return { measure, problems: top.length, top: ofTop, rest: ofRest, difference };
}
