// The two best-rewarded correct responses of a problem against the rest of its correct ones (P11): length, luck,
// relevance.

import { select } from '../../evolve/select.js';
import { type BootstrapOptions, bootstrapIntervals, type Interval } from '../../measure/bootstrap.js';
import type { Tops, TopsRow } from './analysis.js';
import { type AskedProblem, candidatesOf, type ScoredResponse } from './read.js';

/** Rates how relevant a response is to its question, 1 to 5; null where the rating could not be read. */
export interface Relevance {
  readonly model: string;
  rate(question: string, response: string): Promise<number | null>;
  readonly counts: { readonly asked: number; readonly unreadable: number };
}

interface Sides {
  readonly top: readonly ScoredResponse[];
  readonly rest: readonly ScoredResponse[];
}

type Property = (response: ScoredResponse) => number | null;

const TOP = 2;

/** Null where no problem has more than two distinct correct responses, or they have no rewards. */
export async function topsOf(
  problems: readonly AskedProblem[],
  options: BootstrapOptions,
  relevance?: Relevance,
): Promise<Tops | null> {
  const sides = problems.flatMap((problem) => {
    const both = sidesOf(problem);
    return both ? [{ problem, ...both }] : [];
  });
  const responses = sides.flatMap(({ top, rest }) => [...top, ...rest]);
  if (sides.length === 0 || responses.some(({ reward }) => reward === null)) return null;
  const ratings = new Map<ScoredResponse, number | null>();
  if (relevance) {
    // All at once: the client has its own limit.
    const asked = sides.flatMap(({ problem, top, rest }) =>
      [...top, ...rest].map(async (response) => {
        ratings.set(response, await relevance.rate(problem.question, response.text));
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
    top: sides.reduce((sum, { top }) => sum + top.length, 0),
    rest: sides.reduce((sum, { rest }) => sum + rest.length, 0),
    rows: properties.flatMap(([measure, property]) => rowOf(measure, property, sides, options) ?? []),
    relevance: relevance ? { model: relevance.model, ...pick(relevance.counts) } : null,
  };
}

function pick({ asked, unreadable }: Relevance['counts']): Relevance['counts'] {
  return { asked, unreadable };
}

function sidesOf(problem: AskedProblem): Sides | null {
  const candidates = candidatesOf(problem);
  // No rule here draws.
  const draw = { seed: 0, key: '' };
  const top = new Set(select(candidates, { rule: 'top', k: TOP }, draw).samples);
  const all = new Set(select(candidates, { rule: 'all' }, draw).samples);
  if (all.size <= top.size) return null;
  return {
    top: problem.responses.filter(({ sample }) => top.has(sample)),
    rest: problem.responses.filter(({ sample }) => all.has(sample) && !top.has(sample)),
  };
}

/** Responses without the property do not count; null where no problem has it on both sides. */
function rowOf(
  measure: string,
  property: Property,
  sides: readonly Sides[],
  options: BootstrapOptions,
): TopsRow | null {
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

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
