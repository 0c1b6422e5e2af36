// summary.json: what the run came to, from the results its phases committed; seconds come from timings.json.
// Leaves charts and samples to the report.
import { join } from 'node:path';
import type { GreedyMeasure, SampleMeasure, StepQuality } from '../evaluate/measure.js';
import type { LabelResult } from '../label/label.js';
import { writeDurable } from '../run/durable.js';
import type { TokenCounts } from '../run/journal.js';
import type { ChoiceCounts } from './choose.js';
import type { Standing } from './dynamics.js';
import type { IterationResult } from './iteration.js';
import type { Job } from './job.js';
import type { AlphaDecision } from './search-alpha.js';
import type { FinalResult, TestResult } from './test.js';
import type { PrmResult } from './train-prm.js';
import type { WarmupResult } from './warmup.js';

/** Everything but `seconds` is the same for two runs of the same settings. */
export interface Summary {
  readonly seed: number;
  readonly problems: {
    readonly labelled: number;
    readonly unlabelled: number;
    readonly validation: number;
    readonly test: number;
    readonly outOfDomain: number;
  };
  /** Greedy accuracy on the test problems: `base`, `warmup`, `iter-0001`, ... */
  readonly test: Readonly<Record<string, GreedyMeasure>>;
  /** The same on the out-of-domain problems: `base`, `warmup` and the last; empty where there are none. */
  readonly outOfDomain: Readonly<Record<string, GreedyMeasure>>;
  /** The last checkpoint, sampled on test problems at the last temperature. */
  readonly final: { readonly at: string; readonly samples: SampleMeasure; readonly steps: StepQuality | null } | null;
  readonly warmup: WarmupResult | null;
  readonly labels: LabelResult | null;
  readonly prm: PrmResult | null;
  /** Where the threshold was searched for. */
  readonly threshold: AlphaDecision | null;
  readonly iterations: readonly (IterationResult & {
    /** Share of wrong chains among distinct right answers and among selected ones; null where the truth is not known. */
    readonly lucky: { readonly before: number; readonly after: number } | null;
  })[];
  /** Validation problems after each iteration; 0 is the warm-up. */
  readonly dynamics: readonly Standing[];
  readonly phases: Readonly<Record<string, { readonly seconds: number; readonly tokens: TokenCounts }>>;
  readonly totals: { readonly seconds: number; readonly tokens: TokenCounts };
}

/** Makes the summary of what is committed so far and writes it into the run folder. */
export async function summarise({ config, run, data }: Job): Promise<Summary> {
  const { commits } = run.journal;
  const result = <T>(name: string): T | null =>
    (commits.find(({ phase }) => phase === name)?.result as T | undefined) ?? null;
  const all = <T>(prefix: string): T[] =>
    commits.filter(({ phase }) => phase.startsWith(prefix)).map((commit) => commit.result as unknown as T);
  const truth = data.labelled.some((problem) => problem.truth !== undefined);
  const { seconds } = run.timings;
  const phases = commits.map(({ phase, tokens }) => [phase, { seconds: round(seconds[phase] ?? 0), tokens }] as const);
  const sum = (kind: keyof TokenCounts): number => commits.reduce((total, { tokens }) => total + tokens[kind], 0);
  const summary: Summary = {
    seed: config.seed,
    problems: {
      labelled: data.labelled.length,
      unlabelled: data.unlabelled.length,
      validation: data.validation.length,
      test: data.test.length,
      outOfDomain: data.outOfDomain.length,
    },
    test: Object.fromEntries(
      all<TestResult | FinalResult>('test-').flatMap((one) => ('samples' in one ? [] : [[one.at, one.greedy]])),
    ),
    outOfDomain: Object.fromEntries(all<TestResult>('away-').map(({ at, greedy }) => [at, greedy])),
    final: finalOf(result<FinalResult>('test-final')),
    warmup: result<WarmupResult>('warmup'),
    labels: result<LabelResult>('label'),
    prm: result<PrmResult>('train-prm'),
    threshold: result<AlphaDecision>('search-alpha'),
    iterations: all<IterationResult>('iter-').map((one) => ({ ...one, lucky: truth ? luckyShares(one.choice) : null })),
    dynamics: all<Standing>('dynamics-'),
    phases: Object.fromEntries(phases),
    totals: {
      seconds: round(phases.reduce((total, [, phase]) => total + phase.seconds, 0)),
      tokens: { sampled: sum('sampled'), scored: sum('scored'), trained: sum('trained') },
    },
  };
  await writeDurable(join(run.dir, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
  return summary;
}

function finalOf(final: FinalResult | null): Summary['final'] {
  return final && { at: final.at, samples: final.samples, steps: final.steps };
}

function luckyShares({
  distinct,
  selected,
  luckyDistinct,
  luckySelected,
}: ChoiceCounts): { before: number; after: number } | null {
  if (distinct === 0 || selected === 0) return null;
  return { before: luckyDistinct / distinct, after: luckySelected / selected };
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
