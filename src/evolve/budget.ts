// How far a run has come and when it is over (P4): by optimizer steps, the same number for every method, or by
// iterations. Pure functions of settings and counts.
import type { Config } from '../config/schema.js';
import { UserError } from '../core/errors.js';
import { intervalsPerEpoch } from '../data/splits.js';
import type { IterationResult } from '../record/results.js';
import { type Rule, selectionRule } from './choose.js';
import { countSteps } from './fit.js';
import type { Sizes } from './job.js';

/** Sums over the iterations so far. */
export interface Reached {
  readonly iterations: number;
  /** Optimizer steps of the policy. */
  readonly steps: number;
  /** Iterations that took problems without answers. */
  readonly mixed: number;
}

export const START: Reached = { iterations: 0, steps: 0, mixed: 0 };

type Limits = Pick<Config['evolve'], 'method' | 'steps' | 'iterations'>;
type Shared = Limits & Pick<Config['evolve'], 'evenly'>;

/** What an iteration adds. */
export function reach(
  before: Reached,
  { training, unlabelled }: Pick<IterationResult, 'unlabelled'> & { readonly training: { readonly steps: number } },
): Reached {
  return {
    iterations: before.iterations + 1,
    steps: before.steps + training.steps,
    mixed: before.mixed + (unlabelled > 0 ? 1 : 0),
  };
}

/** Whether no iteration is to follow. */
export function isOver({ method, steps, iterations }: Limits, reached: Reached): boolean {
  if (method === 'sft') return reached.iterations >= 1;
  return (steps > 0 && reached.steps >= steps) || (iterations > 0 && reached.iterations >= iterations);
}

/** Share of the training that is done, 0..1: of whichever limit is nearer. */
export function shareDone({ steps, iterations }: Limits, reached: Reached): number {
  const bySteps = steps > 0 ? reached.steps / steps : 0;
  const byIterations = iterations > 0 ? reached.iterations / iterations : 0;
  return Math.min(1, Math.max(bySteps, byIterations));
}

/** Most optimizer steps of the iteration after those of `reached`; 0 where there is no limit on them. */
export function stepsOfNext({ method, steps, iterations, evenly }: Shared, reached: Reached): number {
  if (steps === 0) return 0;
  const left = Math.max(1, steps - reached.steps);
  return evenly && method !== 'sft' ? Math.ceil(left / Math.max(1, iterations - reached.iterations)) : left;
}

/** Whether an iteration goes over its examples until its steps are used up. */
export function isFilled({ method, evenly }: Pick<Shared, 'method' | 'evenly'>): boolean {
  return evenly || method === 'sft';
}

/** Problems that an iteration consumes (P6): a count, or a share of all labelled ones, at least one. */
export function problemsPerIteration({ config, data }: Sizes): number {
  const { interval } = config.evolve;
  const labelled = data.labelled.length;
  if (typeof interval === 'number') return Math.min(interval, labelled);
  return Math.max(1, Math.min(labelled, Math.round((Number.parseFloat(interval) / 100) * labelled)));
}

/** Unlabelled problems of the next iteration (P12): half of its interval where there are so many; 0 before they are mixed in. */
export function unlabelledPerIteration(job: Sizes, reached: Reached): number {
  const { answers, after } = job.config.evolve.unlabelled;
  // Shares are quotients of counts: 3 of 10 and 0.3 are not the same double.
  const mixed = answers !== 'none' && after < 1 && shareDone(job.config.evolve, reached) >= after - 1e-9;
  return mixed ? Math.min(Math.max(1, Math.floor(problemsPerIteration(job) / 2)), job.data.unlabelled.length) : 0;
}

/** Labelled problems to expect of the next iteration: its interval, or the half that the unlabelled ones leave. */
export function labelledPerIteration(job: Sizes, reached: Reached): number {
  const all = problemsPerIteration(job);
  return unlabelledPerIteration(job, reached) > 0 ? Math.ceil(all / 2) : all;
}

/** Share of responses taken to be right and different, until it is known. */
export const USEFUL = 0.5;

/** Optimizer steps to expect of an iteration: the mean of those that are done, or as many as the rule may keep examples for. */
export function stepsPerIteration(job: Sizes, rule: Rule, reached: Reached): number {
  if (reached.steps > 0) return reached.steps / reached.iterations;
  const { n, optimizer } = job.config.evolve;
  const kept = rule.rule === 'top' || rule.rule === 'random' ? rule.k : n * USEFUL;
  return Math.max(1, countSteps(Math.ceil(problemsPerIteration(job) * kept), optimizer));
}

/**
 * Optimizer steps of the policy over all iterations, what its warm-up ratio counts over, known before the first iteration so
 * that one schedule spans them all: `evolve.steps`, or fewer where the iterations end before, as if the rule found all
 * it may keep.
 */
export function plannedSteps(job: Sizes): number {
  const { iterations, steps, evenly, n, optimizer } = job.config.evolve;
  if (evenly) return steps;
  const rule = selectionRule(job.config);
  const perProblem = rule.rule === 'top' || rule.rule === 'random' ? rule.k : n;
  const most = iterations * countSteps(problemsPerIteration(job) * perProblem, optimizer);
  if (steps === 0) return most;
  return iterations === 0 ? steps : Math.min(steps, most);
}

export class Idle {
  readonly #rule: string;
  /** The setting, or the program's own function, that selects. */
  readonly #selects: string;
  readonly #isLimited: boolean;
  readonly #most: number;
  #hasTrained = false;
  #inRow = 0;
  #counts = { sampled: 0, correct: 0, distinct: 0 };

  constructor(job: Sizes) {
    const { iterations } = job.config.evolve;
    const perPass = intervalsPerEpoch(job.data.labelled.length, problemsPerIteration(job));
    this.#rule = selectionRule(job.config).rule;
    this.#selects = job.custom?.select ? 'select' : 'evolve.select';
    this.#isLimited = iterations > 0;
    this.#most = this.#isLimited ? Math.min(iterations, perPass) : perPass;
  }

  /** @throws UserError where as many iterations as a pass takes have trained on nothing */
  check({ training, choice }: Pick<IterationResult, 'training' | 'choice'>): void {
    if (training.steps > 0) {
      this.#hasTrained = true;
      this.#inRow = 0;
      this.#counts = { sampled: 0, correct: 0, distinct: 0 };
      return;
    }
    this.#inRow++;
    const { sampled, correct, distinct } = this.#counts;
    this.#counts = {
      sampled: sampled + choice.sampled,
      correct: correct + choice.correct,
      distinct: distinct + choice.distinct,
    };
    if (this.#inRow < this.#most || (this.#isLimited && this.#hasTrained)) return;
    const iterations = this.#inRow === 1 ? 'one iteration' : `${this.#inRow} iterations`;
    throw new UserError(
      `${this.#selects}: none of ${this.#counts.sampled} responses in ${iterations} was selected, wanted at least one (${this.#remedy()})`,
    );
  }

  #remedy(): string {
    const { correct, distinct } = this.#counts;
    if (correct === 0) return 'none is right: raise evolve.n, or begin with a model or a warm-up that solves some';
    if (this.#rule === 'group')
      return 'all responses to each question are worth the same: raise evolve.n, or take questions that are neither too easy nor too hard';
    if (distinct === 0) return `${correct} are right, but cut off: raise sampling.maxTokens`;
    const isTooHigh = this.#rule === 'threshold' && this.#selects === 'evolve.select';
    return `${distinct} are right: ${isTooHigh ? 'lower evolve.select.threshold' : `change ${this.#selects}`}`;
  }
}
