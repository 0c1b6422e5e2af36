// The work of a whole job in responses and examples, as far as it is known or may be expected: what progress and ETA count
// down from. A walk through the recipe in which phases that are not done give what is expected of them.
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
