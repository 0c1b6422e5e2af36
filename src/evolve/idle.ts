// Ends a run that would go on for ever: without a limit on iterations, a whole pass over the questions must lead to a step.
// Leaves the limits to budget.ts.
import { UserError } from '../core/errors.js';
import type { IterationResult } from '../record/results.js';
import { questionsPerIteration } from './budget.js';
import type { Sizes } from './job.js';

export class Idle {
  readonly #most: number;
  #inRow = 0;
  #sampled = 0;

  constructor(job: Sizes) {
    const { iterations } = job.config.evolve;
    const perPass = Math.ceil(job.data.labelled.length / questionsPerIteration(job));
    this.#most = iterations > 0 ? Number.POSITIVE_INFINITY : perPass;
  }

  /** @throws UserError where as many iterations as a pass takes have trained on nothing */
  check({ training, choice }: Pick<IterationResult, 'training' | 'choice'>): void {
    this.#inRow = training.steps > 0 ? 0 : this.#inRow + 1;
    this.#sampled = training.steps > 0 ? 0 : this.#sampled + choice.sampled;
    if (this.#inRow < this.#most) return;
    const wanted = 'wanted at least one (evolve.select says which are kept)';
    throw new UserError(`evolve.steps: none of ${this.#sampled} responses of a whole pass was selected, ${wanted}`);
  }
}
