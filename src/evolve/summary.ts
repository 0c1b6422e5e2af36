// summary.json: what the run came to, from the results its phases committed; seconds come from timings.json.
import { join } from 'node:path';
import { sum } from '../core/lists.js';
import type { Splits } from '../data/splits.js';
import type * as results from '../record/results.js';
import { writeDurable } from '../run/durable.js';
import type { TokenCounts } from '../run/journal.js';
import type { Job } from './job.js';
import { type PhaseKind, phases, resultsOf } from './phases.js';

/** What the phases of a run came to, as far as they are committed. */
export interface RunResults {
  /** Greedy accuracy on the test problems, in the order of the run. */
  readonly tests: readonly results.TestResult[];
  /** The same on the out-of-domain problems; empty where there are none. */
  readonly outOfDomain: readonly results.TestResult[];
  /** The last checkpoint, sampled on test problems at the last temperature. */
  readonly final: results.FinalResult | null;
  readonly warmup: results.WarmupResult | null;
  readonly labels: results.LabelResult | null;
  readonly prm: results.PrmResult | null;
  /** Where the threshold was searched for. */
  readonly threshold: results.ThresholdDecision | null;
  readonly iterations: readonly results.IterationResult[];
  /** Validation problems after each iteration; 0 is the warm-up. */
  readonly dynamics: readonly results.Measurement[];
}

/** Shares of wrong chains among right answers; where the truth is not known there are none. */
export interface LuckyShares {
  /** Among all different right responses. */
  readonly before: number;
  /** Among the selected ones. */
  readonly after: number;
  /**
   * To be expected among as many drawn at random from the right responses to each problem, those that `evolve.select.repeats`
   * leaves. It is usually above `before`, as problems with few right responses have more lucky ones. Not there with the method grpo
   * and in runs of older versions.
   */
  readonly chance?: number;
}

/** Everything but `seconds` is the same for two runs of the same settings. */
export interface Summary extends Omit<RunResults, 'tests' | 'outOfDomain' | 'final' | 'iterations'> {
  readonly seed: number;
  readonly problems: Readonly<Record<keyof Splits, number>>;
  /** Greedy accuracy on the test problems: `base`, `warmup`, `iter-0001`, ... */
  readonly test: Readonly<Record<string, results.GreedyMeasure>>;
  /** The same on the out-of-domain problems: `base`, `warmup` and the last; empty where there are none. */
  readonly outOfDomain: Readonly<Record<string, results.GreedyMeasure>>;
  readonly final: Omit<results.FinalResult, 'greedy'> | null;
  readonly iterations: readonly (results.IterationResult & {
    readonly lucky: LuckyShares | null;
  })[];
  readonly phases: Readonly<Record<string, { readonly seconds: number; readonly tokens: TokenCounts }>>;
  readonly totals: { readonly seconds: number; readonly tokens: TokenCounts };
}

/** What a summary is made of, in a run at work and in the folder of one. */
export interface Account {
  readonly dir: string;
  readonly seed: number;
  readonly problems: Summary['problems'];
  /** Whether the true reasoning of the labelled problems is known. */
  readonly truth: boolean;
  readonly commits: readonly results.CommitEvent[];
  readonly seconds: Readonly<Record<string, number>>;
}

/** Makes the summary of what is committed so far and writes it into the run folder. */
export async function summarise({ config, run, data }: Job): Promise<Summary> {
  const summary = summaryOf({
    dir: run.dir,
    seed: config.seed,
    problems: {
      labelled: data.labelled.length,
      unlabelled: data.unlabelled.length,
      validation: data.validation.length,
      test: data.test.length,
      outOfDomain: data.outOfDomain.length,
    },
    truth: data.labelled.some((problem) => problem.truth !== undefined),
    commits: run.journal.commits,
    seconds: run.timings.seconds,
  });
  await writeDurable(join(run.dir, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
  return summary;
}

/** @throws UserError where a committed result is not what its phase makes; `file` names the journal in messages */
export function readResults(commits: Account['commits'], file: string): RunResults {
  const all = <R>(kind: PhaseKind<never, R>): R[] => resultsOf(kind, commits, file);
  const one = <R>(kind: PhaseKind<never, R>): R | null => all(kind)[0] ?? null;
  return {
    tests: all(phases.test),
    outOfDomain: all(phases.outOfDomain),
    final: one(phases.finalTest),
    warmup: one(phases.warmup),
    labels: one(phases.label),
    prm: one(phases.prm),
    threshold: one(phases.threshold),
    iterations: all(phases.iteration),
    dynamics: all(phases.dynamics),
  };
}

/** @throws UserError as `readResults` */
export function summaryOf({ dir, seed, problems, truth, commits, seconds }: Account): Summary {
  const { tests, outOfDomain, final, iterations, ...found } = readResults(commits, join(dir, 'journal.jsonl'));
  const greedyAt = (some: readonly results.TestResult[]): Summary['test'] =>
    Object.fromEntries(some.map(({ at, greedy }) => [at, greedy]));
  const round = (value: number): number => Math.round(value * 1000) / 1000;
  const timed = commits.map(({ phase, tokens }) => [phase, { seconds: round(seconds[phase] ?? 0), tokens }] as const);
  const tokens = (kind: keyof TokenCounts): number => sum(commits.map((commit) => commit.tokens[kind]));
  return {
    seed,
    problems,
    test: greedyAt(tests),
    outOfDomain: greedyAt(outOfDomain),
    final: final && { at: final.at, samples: final.samples, steps: final.steps },
    warmup: found.warmup,
    labels: found.labels,
    prm: found.prm,
    threshold: found.threshold,
    iterations: iterations.map((iteration) => ({
      ...iteration,
      lucky: truth ? luckyShares(iteration.choice) : null,
    })),
    dynamics: found.dynamics,
    phases: Object.fromEntries(timed),
    totals: {
      seconds: round(sum(timed.map(([, phase]) => phase.seconds))),
      tokens: { sampled: tokens('sampled'), scored: tokens('scored'), trained: tokens('trained') },
    },
  };
}

/** Null where there is nothing to choose from, or nothing was chosen. */
export function luckyShares(choice: results.ChoiceCounts): LuckyShares | null {
  const { distinct, selected, luckyDistinct, luckySelected, luckyByChance } = choice;
  if (distinct === 0 || selected === 0) return null;
  return {
    before: luckyDistinct / distinct,
    after: luckySelected / selected,
    ...(luckyByChance !== undefined && { chance: luckyByChance / selected }),
  };
}
