// The phases of a run in one table: the name of each, the shape of its result, the settings it does not depend on, the work
// it will be, and the function that does it. recipe.ts says in which order they come. The plan, `--from`, the summary, the views and
// docs/run-folder.md know of phases through this table alone.
import type { z } from 'zod';
import { checked } from '../core/schema.js';
import { takeLabels } from '../label/given.js';
import { label } from '../label/label.js';
import * as results from '../record/results.js';
import type { Phase } from '../run/phase.js';
import {
  isFilled,
  labelledPerIteration,
  problemsPerIteration,
  type Reached,
  START,
  stepsOfNext,
  stepsPerIteration,
  USEFUL,
  unlabelledPerIteration,
} from './budget.js';
import { NOTHING_CHOSEN, needsReward, type SearchedRule } from './choose.js';
import { choosesAfter, dynamics, finalTest, test } from './dynamics.js';
import type { Work } from './evolve.js';
import { countSteps } from './fit.js';
import { selfTrain } from './iteration.js';
import { type Job, type PolicyAt, type Sizes, sampleSettings } from './job.js';
import { searchThreshold } from './search-threshold.js';
import { trainPrm } from './train-prm.js';
import { completerAt, trainCompleter, warmup } from './warmup.js';

/** `A` is what the recipe tells a phase, `R` the result it commits, `E` what a plan expects in place of the result. */
export interface PhaseKind<A = never, R = unknown, E = unknown> {
  /** In the journal; `*` stands for the checkpoint or the number of the iteration that such a phase is about. */
  readonly name: string;
  /** In the names of random draws, where that is another one: a seed draws the same as when the phase was called so. */
  readonly draws?: string;
  /** For a reader, given what `*` stands for. */
  title(about: string): string;
  readonly result: z.ZodType<R>;
  /**
   * Starts of the names of settings on which the phase does not depend: a new run may begin with what this phase left in
   * another one (`--from`), although these differ. Absent where the phase is not shared.
   */
  readonly unread?: readonly string[];
  /** Settings that it does depend on, although `unread` covers their names. */
  readonly reads?: readonly string[];
  /** Adds what it will sample, score and train on; estimates where that depends on results. */
  plan(work: Work, job: Sizes, args: A): void;
  run(job: Job, phase: Phase, args: A): Promise<R>;
  /** In a plan, what the recipe goes on with while the phase is not done. */
  expected(job: Sizes, args: A): E;
}

/** What the recipe tells an iteration. */
export interface IterationArgs {
  readonly rule: SearchedRule;
  /** What was reached before it. */
  readonly reached: Reached;
  /** The policy that samples. */
  readonly from: PolicyAt;
  readonly temperature: number;
}

/** What the recipe tells a measurement. */
export interface MeasureArgs {
  readonly at: PolicyAt;
  readonly iteration: number;
  /** At which iterations sample at this moment. */
  readonly temperature: number;
  /** No iteration is to follow. */
  readonly over: boolean;
}

/** Steps of a response, until it is known. */
const STEPS = 4;

/** What no phase before the first iteration depends on. */
const LATER = ['evolve.', 'explore.', 'test.', 'run.keepCheckpoints', 'run.checkpointEvery', 'custom.select'];
const OF_THE_TRAINED_PRM = ['prm.optimizer.', 'prm.aggregate', 'prm.heldOut'];

const nothing = (): null => null;

function kind<A, R, E = null>(definition: PhaseKind<A, R, E>): PhaseKind<A, R, E> {
  return definition;
}

export const phases = {
  warmup: kind({
    name: 'warmup',
    title: () => 'warm-up',
    result: results.warmupResult,
    unread: [...LATER, 'prm.', 'dynamics.'],
    plan(work, job) {
      const { optimizer } = job.config.warmup;
      if (!job.given?.examples) work.sample('warmup', warmupSamples(job));
      work.train(countSteps(warmupExamples(job), optimizer), optimizer);
    },
    run: warmup,
    expected: nothing,
  }),

  completer: kind({
    name: 'completer',
    draws: 'converge',
    title: () => 'completer',
    result: results.fitReport,
    unread: [...LATER, ...OF_THE_TRAINED_PRM, 'dynamics.'],
    plan(work, job) {
      const optimizer = { ...job.config.warmup.optimizer, epochs: job.config.prm.completerEpochs };
      work.train(countSteps(warmupExamples(job), optimizer), optimizer);
    },
    run: trainCompleter,
    expected: nothing,
  }),

  label: kind({
    name: 'label',
    title: () => 'PRM data',
    result: results.labelResult,
    unread: [...LATER, ...OF_THE_TRAINED_PRM, 'dynamics.'],
    plan(work, job) {
      const { prm } = job.config;
      if (job.given?.solutions) return;
      work.sample('responses', Math.min(prm.problems, job.data.labelled.length) * prm.samples);
      work.sample('completions', labelledPairs(job) * (STEPS - 1) * prm.completions, 0.5);
    },
    async run(job, phase) {
      const { config, data, models } = job;
      const policy = await models.policy(completerAt(config));
      const { solutions } = job.given ?? {};
      if (solutions) {
        const given = { most: config.prm.pairs, seed: config.seed, delimiter: config.steps.delimiter };
        return takeLabels(phase, policy, solutions, given);
      }
      return label(phase, policy, data.labelled, config.prm, sampleSettings(job));
    },
    expected: nothing,
  }),

  prm: kind({
    name: 'train-prm',
    title: () => 'PRM training',
    result: results.prmResult,
    unread: [...LATER, 'prm.aggregate', 'dynamics.'],
    plan(work, job) {
      const { prm } = job.config;
      const pairs = labelledPairs(job);
      const heldOut = Math.round(pairs * prm.heldOut);
      work.train(countSteps(pairs - heldOut, prm.optimizer), prm.optimizer);
      work.score('', heldOut);
    },
    run: trainPrm,
    expected: nothing,
  }),

  test: kind({
    name: 'test-*',
    title: (at) => `test of ${titleOf(at)}`,
    result: results.testResult,
    unread: [...LATER, 'dynamics.'],
    plan: (work, { data }) => work.sample('greedy', data.test.length),
    run: (job, phase, at: PolicyAt) => test(job, phase, at, 'test'),
    expected: nothing,
  }),

  outOfDomain: kind({
    name: 'out-of-domain-*',
    draws: 'away-*',
    title: (at) => `out-of-domain test of ${titleOf(at)}`,
    result: results.testResult,
    unread: [...LATER, 'dynamics.'],
    plan: (work, { data }) => work.sample('greedy', data.outOfDomain.length),
    run: (job, phase, at: PolicyAt) => test(job, phase, at, 'outOfDomain'),
    expected: nothing,
  }),

  dynamics: kind({
    name: 'dynamics-*',
    title: (number) => `dynamics ${Number(number)}`,
    result: results.measurement,
    // It measures the temperature that sampling starts with, too.
    unread: LATER,
    reads: ['evolve.temperature'],
    plan(work, job, args: MeasureArgs) {
      const validation = validationProblems(job);
      work.sample('greedy', validation);
      const { config } = job;
      const chosen = choosesAfter(job, args.iteration, args.over) ? config.explore.temperatures : [];
      for (const temperature of new Set([...config.dynamics.temperatures, args.temperature, ...chosen])) {
        work.sample(`t${temperature}`, validation * config.dynamics.samples);
        if (config.prm.enabled) work.score(`t${temperature}`, validation * config.dynamics.samples);
      }
    },
    run: dynamics,
    expected: nothing,
  }),

  threshold: kind<number, results.ThresholdDecision, results.ThresholdDecision>({
    name: 'search-threshold',
    draws: 'search-alpha',
    title: () => 'search for a threshold',
    result: results.thresholdDecision,
    plan(work, job) {
      const { select, n, optimizer } = job.config.evolve;
      const trials = select.thresholds.length;
      const sampled = problemsPerIteration(job) * n;
      work.sample('rollouts', sampled);
      work.score('rollouts', sampled * USEFUL);
      work.train(trials * stepsPerIteration(job, { rule: 'threshold', threshold: 'search' }, START), optimizer);
      work.sample('greedy', trials * validationProblems(job));
    },
    run: searchThreshold,
    expected: ({ config }) => ({ chosen: config.evolve.select.thresholds[0] as number, tied: [], scores: [] }),
  }),

  iteration: kind<IterationArgs, results.IterationResult, results.IterationResult>({
    name: 'iter-*',
    title: (number) => `iteration ${Number(number)}`,
    result: results.iterationResult,
    plan(work, job, args) {
      const { evolve } = job.config;
      const { unlabelled, training } = expectedIteration(job, args);
      const sampled = labelledPerIteration(job, args.reached) * evolve.n;
      const voted = evolve.unlabelled.answers === 'pseudo' ? unlabelled * evolve.n : 0;
      if (evolve.method !== 'sft') {
        work.sample('rollouts', sampled + (voted > 0 ? 0 : unlabelled * evolve.n));
        if (needsReward(args.rule)) work.score('rollouts', sampled * USEFUL);
      }
      if (voted > 0) {
        work.sample('unlabelled', voted);
        work.score('unlabelled', voted);
      }
      if (evolve.method === 'grpo' && evolve.grpo.kl > 0) work.score('reference', sampled * USEFUL);
      work.train(Math.round(training.steps), evolve.optimizer);
    },
    run: selfTrain,
    expected: expectedIteration,
  }),

  finalTest: kind({
    name: 'test-final',
    title: () => 'final test',
    result: results.finalResult,
    plan(work, { config, data }) {
      const problems = Math.min(config.test.problems || data.test.length, data.test.length);
      work.sample('greedy', problems);
      work.sample('final', problems * config.test.samples);
      if (config.prm.enabled) work.score('final', problems * config.test.samples);
    },
    run: finalTest,
    expected: nothing,
  }),
};

/** What a phase commits. */
export type PhaseResult = Awaited<ReturnType<(typeof phases)[keyof typeof phases]['run']>>;

/** `iter-0003`: the phase of an iteration, and its checkpoint. */
export function iterationName(iteration: number): `iter-${string}` {
  return `iter-${padded(iteration)}`;
}

/** `0003`: the number of an iteration in names. */
export function padded(iteration: number): string {
  return String(iteration).padStart(4, '0');
}

/** The kind of a phase in a journal, and what it is about; undefined for a name that no phase has. */
export function kindOf(name: string): { readonly kind: PhaseKind; readonly about: string } | undefined {
  const kinds: readonly PhaseKind[] = Object.values(phases);
  const exact = kinds.find((one) => one.name === name);
  if (exact) return { kind: exact, about: '' };
  const found = kinds.find((one) => one.name.endsWith('*') && name.startsWith(one.name.slice(0, -1)));
  return found && { kind: found, about: name.slice(found.name.length - 1) };
}

/** Whether a phase, or a checkpoint of the same name, is that of an iteration. */
export function isIteration(name: string): boolean {
  return kindOf(name)?.kind === (phases.iteration as unknown);
}

/** Phases and checkpoints for a reader: `iter-0003` -> `iteration 3`, `test-base` -> `test of base model`. */
export function titleOf(name: string): string {
  if (name === 'base') return 'base model';
  const found = kindOf(name);
  return found ? found.kind.title(found.about) : name;
}

/** Whether a phase comes before the first iteration: runs that differ in their iterations alone have it in common. */
export function precedesIterations(name: string): boolean {
  const found = kindOf(name);
  return found?.kind.unread !== undefined && !/^(iter-|(?!0+$)\d)/.test(found.about);
}

/** Whether a run may begin with a phase of another run from which it differs in these settings (dotted names). */
export function isShared(name: string, differing: readonly string[]): boolean {
  const { unread = [], reads = [] } = kindOf(name)?.kind ?? {};
  const depends = (setting: string): boolean =>
    reads.includes(setting) || !unread.some((start) => setting.startsWith(start));
  return precedesIterations(name) && !differing.some(depends);
}

/**
 * The results of a kind of phase, in the order of the journal.
 * @param file names the journal in messages
 * @throws UserError where a result has another form
 */
export function resultsOf<R>(
  kind: PhaseKind<never, R>,
  commits: readonly { readonly phase: string; readonly result?: unknown }[],
  file: string,
): R[] {
  const own = commits.filter(({ phase }) => (kindOf(phase)?.kind as unknown) === kind);
  return own.map(({ phase, result }) => checked(kind.result, result, `${file}: ${phase}`));
}

function warmupSamples({ config, data }: Sizes): number {
  return (config.warmup.problems || data.labelled.length) * config.warmup.samples;
}

function warmupExamples(job: Sizes): number {
  const { examples } = job.given ?? {};
  return Math.ceil(Math.min(job.config.warmup.maxExamples, examples?.length ?? warmupSamples(job) * USEFUL));
}

function labelledPairs({ config: { prm }, data, given }: Sizes): number {
  if (given?.solutions) return Math.min(prm.pairs, given.solutions.length);
  const asked = Math.min(prm.problems, data.labelled.length);
  return Math.min(prm.pairs, asked * Math.min(prm.maxPerProblem, prm.samples));
}

function validationProblems({ config, data }: Sizes): number {
  return Math.min(config.dynamics.problems || data.validation.length, data.validation.length);
}

function expectedIteration(job: Sizes, { rule, reached, from, temperature }: IterationArgs): results.IterationResult {
  const { evolve } = job.config;
  const steps = isFilled(evolve) ? stepsOfNext(evolve, reached) : stepsPerIteration(job, rule, reached);
  return {
    iteration: reached.iterations + 1,
    epoch: 0,
    temperature,
    origin: from,
    unlabelled: unlabelledPerIteration(job, reached),
    choice: NOTHING_CHOSEN,
    training: { examples: 0, steps, firstLoss: null, lastLoss: null },
  };
}
