// The two walks of the recipe: one runs each phase once in the life of a run folder, the other counts the work of a whole job,
// in responses and examples, so that progress and the time left can be told.
import { unlessStopped } from '../core/errors.js';
import type { Commit } from '../run/journal.js';
import type { PlannedWork } from '../run/progress.js';
import type { Job, Sizes } from './job.js';
import { type PhaseResult, phases } from './phases.js';
import { recipe, type Stage } from './recipe.js';
import { type Summary, summarise } from './summary.js';

/** Called around each phase that a call does, and awaited; what a hook throws ends the call, and the same call goes on. */
export interface PhaseHooks {
  /** Before the phase is begun, or gone on with. */
  before?(phase: string): void | Promise<void>;
  /** When its result is committed; never again for this phase. */
  after?(phase: string, result: PhaseResult): void | Promise<void>;
}

/** Runs the recipe up to a stage; phases that the run folder has committed are not done again. */
export async function evolve(job: Job, until: Stage = 'evolve', hooks: PhaseHooks = {}): Promise<Summary> {
  const { run } = job;
  const walk = recipe(job, until);
  run.plan(planWork(job, until, run.journal.commits));
  for (let next = walk.next(); !next.done; ) {
    const due = next.value;
    const isDone = run.journal.commits.some(({ phase }) => phase === due.name);
    if (!isDone) await unlessStopped(run.signal, () => hooks.before?.(due.name));
    const result = await run.phase(due.name, (phase) => due.run(job, phase), due.draws);
    if (!isDone) await unlessStopped(run.signal, () => hooks.after?.(due.name, result as PhaseResult));
    // What an iteration came to says how many are to follow.
    if (due.kind === phases.iteration) run.plan(planWork(job, until, run.journal.commits));
    next = walk.next(result);
  }
  return summarise(job);
}

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
