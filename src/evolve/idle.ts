// Ends a run that trains on nothing. A run that has never trained ends once it has gone through all of its problems; any
// other one only where iterations have no limit, as it would go on for ever.
import { UserError } from '../core/errors.js';
import type { IterationResult } from '../record/results.js';
import { problemsPerIteration } from './budget.js';
import type { Sizes } from './job.js';

export class Idle {
  readonly #rule: string;
  readonly #isLimited: boolean;
  readonly #most: number;
  #hasTrained = false;
  #inRow = 0;
  #counts = { sampled: 0, correct: 0, distinct: 0 };

  constructor(job: Sizes) {
    const { iterations, select } = job.config.evolve;
    const perPass = Math.ceil(job.data.labelled.length / problemsPerIteration(job));
    this.#rule = select.rule;
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
      `evolve.select: none of ${this.#counts.sampled} responses in ${iterations} was selected, wanted at least one (${this.#remedy()})`,
    );
  }

  #remedy(): string {
    const { correct, distinct } = this.#counts;
    if (correct === 0) return 'none is right: raise evolve.n, or begin with a model or a warm-up that solves some';
    if (distinct === 0) return `${correct} are right, but cut off: raise sampling.maxTokens`;
    return `${distinct} are right: ${this.#rule === 'threshold' ? 'lower evolve.select.threshold' : 'change evolve.select'}`;
  }
}
