// The findings of the paper as contrasts, each written down before it is run: which row against which, by what measure, how much
// would matter. And the verdict that the runs allow (docs/experiments/plan.md).
import { type Estimate, estimate, holm, pooledDifference, type Residual, residualOf } from '../../measure/seeds.js';
import { type Plan, plans } from './plans.js';
import { type CurveName, changesOf, MEASURES, type MeasureName, measureOf, type Run } from './tabulate.js';

/** Says of two rows that the first is above the second, or of a curve that it falls. */
export interface Contrast {
  /** Letter of the finding that it belongs to. */
  readonly finding: string;
  readonly claim: string;
  readonly row: string;
  /** Null where a row is compared with its own start. */
  readonly against: string | null;
  /** A measure of the last checkpoint, or the change of a curve of the plan `dynamics` from its start to its end. */
  readonly of: MeasureName | { readonly curve: CurveName; readonly temperature: number | 'used' | null };
  /** Wanted below zero. */
  readonly isFall?: boolean;
  /** Smallest effect that would matter, 0..1. */
  readonly least: number;
}

const FOUR = 0.04;
const THREE = 0.03;

/** In the order of the paper's sections; the last one is not of the paper. */
export const CONTRASTS: readonly Contrast[] = [
  ...(
    [
      ['a', 'continuous training is above iterative RFT', 'interval-100', 'iterative-rft'],
      ['a', 'iterative RFT is above ReST-EM', 'iterative-rft', 'rest-em'],
      ['a', 'continuous training is above ReST-EM', 'interval-100', 'rest-em'],
      ['b', 'an interval of 25 % is above the longest', 'interval-25', 'interval-100'],
      ['b', 'an interval of 25 % is above the shortest', 'interval-25', 'interval-6-25'],
      ['c', 'top 2 by PRM is above all right responses', 'top-2', 'interval-25'],
      ['c', 'top 2 by PRM is above as many at random', 'top-2', 'random-2'],
      ['c', 'all right responses are above 2 at random', 'interval-25', 'random-2'],
      ['d', 'top 2 by PRM is above a threshold', 'top-2', 'threshold'],
      ['e', 'pseudo labels from the start are below labelled problems alone', 'top-2', 'unlabelled-0'],
      ['e', 'pseudo labels from the start are above those from the middle', 'unlabelled-0', 'unlabelled-25'],
      ['e', 'true answers with the PRM are below labelled problems alone', 'top-2', 'oracle'],
    ] as const
  ).map(([finding, claim, row, against]) => ({
    ...{ finding, claim, row, against, of: 'test' as const },
    // Rows that differ in the interval alone are nearest to each other.
    least: finding === 'b' ? THREE : FOUR,
  })),
  ...(
    [
      ['f', 'greedy accuracy rises', 'fixed', null, 'greedy', null, false],
      ['f', 'Pass@K falls', 'fixed', null, 'passAtK', 1, true],
      ['f', 'the gap between them falls', 'fixed', null, 'gap', 1, true],
      ['g', 'an adaptive temperature slows the fall of Pass@K', 'adaptive', 'fixed', 'passAtK', 'used', false],
      ['g', 'an adaptive temperature raises Reward-Pass@2', 'adaptive', 'fixed', 'rewardPassAt2', 'used', false],
    ] as const
  ).map(([finding, claim, row, against, curve, temperature, isFall]) => ({
    ...{ finding, claim, row, against, of: { curve, temperature }, isFall, least: THREE },
  })),
  {
    ...{ finding: 'h', claim: 'GRPO is above training on all right responses', row: 'grpo', against: 'interval-25' },
    ...{ of: 'test', least: FOUR },
  },
];

export type Verdict = 'shown' | 'refuted' | 'undecided';

/** What the runs say of a contrast. Differences are 0..1, positive as the claim has it. */
export interface Decision extends Contrast {
  readonly seeds: readonly number[];
  /** Seed by seed, with the interval of Student's t over the seeds. */
  readonly difference: Estimate;
  /** By the spread of single runs pooled over all rows; null for changes of curves. */
  readonly pooled: { readonly sd: number; readonly low: number; readonly high: number } | null;
  /** That there is no difference: two-sided, adjusted by Holm over all contrasts decided with it. */
  readonly p: number;
  /** That the difference is the smallest that would matter, or more; adjusted alike. */
  readonly pLeast: number;
  readonly verdict: Verdict;
}

/** Seeds below which nothing is decided. */
export const FEWEST_SEEDS = 5;
const LEVEL = 0.05;

/** Decides every contrast whose rows have two seeds or more in common. */
export function decide(runs: readonly Run[]): Decision[] {
  const found = CONTRASTS.flatMap((contrast) => {
    const differences = differencesOf(contrast, runs);
    return differences.values.length < 2 ? [] : [{ contrast, ...differences }];
  });
  const tested = found.map(({ contrast, seeds, values, residual }) => {
    const own = estimate(values);
    // Two rows alone, the differences and zero: that is the paired t-test.
    const spread = residual ?? (residualOf([values, values.map(() => 0)]) as Residual);
    const { low, high, p } = pooledDifference(own.mean, values.length, spread);
    return {
      contrast,
      seeds,
      own,
      residual,
      low,
      high,
      p: p(0),
      pLeast: own.mean < contrast.least ? p(contrast.least) : 1,
    };
  });
  const [ps, pLeasts] = [holm(tested.map(({ p }) => p)), holm(tested.map(({ pLeast }) => pLeast))];
  return tested.map(({ contrast, seeds, own, residual, low, high }, i): Decision => {
    const [p, pLeast] = [ps[i] as number, pLeasts[i] as number];
    return {
      ...{ ...contrast, seeds, difference: own, p, pLeast },
      pooled: residual && { sd: residual.sd, low, high },
      verdict: verdictOf(own.mean, seeds.length, p, pLeast),
    };
  });
}

function verdictOf(difference: number, seeds: number, p: number, pLeast: number): Verdict {
  if (seeds < FEWEST_SEEDS) return 'undecided';
  if (p < LEVEL && difference > 0) return 'shown';
  return pLeast < LEVEL ? 'refuted' : 'undecided';
}

/** What a contrast comes to, seed by seed, and the spread of runs where it is known from more than its own rows. */
function differencesOf(
  { row, against, of, isFall = false }: Contrast,
  runs: readonly Run[],
): { readonly seeds: number[]; readonly values: number[]; readonly residual: Residual | null } {
  const has = (name: string, seed: number): boolean => runs.some((run) => run.row === name && run.seed === seed);
  const all = [...new Set(runs.map(({ seed }) => seed))].sort((a, b) => a - b);
  const seeds = all.filter((seed) => has(row, seed) && has(against ?? row, seed));
  const sign = isFall ? -1 : 1;
  if (seeds.length === 0) return { seeds, values: [], residual: null };
  if (typeof of === 'object') {
    const both = runs.filter((run) => seeds.includes(run.seed) && (run.row === row || run.row === against));
    const { dynamics } = plans as { readonly dynamics: Plan };
    const rows = dynamics.rows.filter((one) => one.row === row || one.row === against);
    const followed = { ...dynamics, rows, reference: against ?? row };
    const change = changesOf(followed, both).find(
      (one) => one.row === row && one.measure === of.curve && one.temperature === of.temperature,
    );
    const values = (against === null ? change?.change : change?.difference)?.values ?? [];
    return { seeds, values: values.map((value) => sign * value), residual: null };
  }
  const accuracyOf = (name: string, seed: number): number | undefined => {
    const run = runs.find((one) => one.row === name && one.seed === seed);
    return run && measureOf(run.summary, of);
  };
  const layout = [...new Set(runs.map((run) => run.row))].flatMap((name) => {
    const values = seeds.flatMap((seed) => accuracyOf(name, seed) ?? []);
    return values.length === seeds.length ? [values] : [];
  });
  const values = seeds.flatMap((seed) => {
    const [a, b] = [accuracyOf(row, seed), accuracyOf(against ?? row, seed)];
    return a === undefined || b === undefined ? [] : [sign * (a - b)];
  });
  return { seeds, values, residual: residualOf(layout) };
}

/** As a column names it. */
export function measureName({ of }: Contrast): string {
  if (typeof of === 'string') return MEASURES[of];
  const at = of.temperature === null ? '' : of.temperature === 'used' ? ', T in use' : `, T ${of.temperature}`;
  return `change of ${of.curve}${at}`;
}
