// Counts the work of a whole job, in responses and examples, so that progress and the time left can be told. It walks the
// recipe; a phase that is not done is answered with the result that is expected of it.
import type { Commit } from '../run/journal.js';
import type { PlannedWork } from '../run/progress.js';
import type { Sizes } from './job.js';
import { recipe, type Stage } from './recipe.js';

/** @param commits phases that are done: their results decide what follows */
export function planWork(job: Sizes, until: Stage, commits: readonly Commit[] = []): PlannedWork[] {
  const done = new Map(commits.map(({ phase, result }) => [phase, result as unknown]));
  const parts: PlannedWork[] = [];
  const walk = recipe(job, until);
  for (let next = walk.next(); !next.done; ) {
    const { name, plan, expected } = next.value;
    plan(new Work(name, parts));
    next = walk.next(done.get(name) ?? expected());
  }
  return parts;
}

/** Takes the parts of one phase. */
export class Work {
  readonly #phase: string;
  readonly #parts: PlannedWork[];

  constructor(phase: string, parts: PlannedWork[]) {
    this.#phase = phase;
    this.#parts = parts;
  }

  /** @param length expected tokens of a response, relative to one sampled from its start */
  sample(part: string, count: number, length = 1): void {
    this.#parts.push({ phase: this.#phase, kind: 'sample', part, count, length });
  }

  score(part: string, count: number): void {
    this.#parts.push({ phase: this.#phase, kind: 'score', part, count });
  }

  train(steps: number, { batchSize }: { readonly batchSize: number }): void {
    this.#parts.push({ phase: this.#phase, kind: 'train', count: steps, length: batchSize });
  }
}
