// Runs the recipe: each phase once in the life of a run folder, then the summary.
import type { Job } from './job.js';
import { type PhaseResult, phases } from './phases.js';
import { planWork } from './plan.js';
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
    if (!isDone) await hooks.before?.(due.name);
    const result = await run.phase(due.name, (phase) => due.run(job, phase), due.draws);
    if (!isDone) await hooks.after?.(due.name, result as PhaseResult);
    // What an iteration came to says how many are to follow.
    if (due.kind === phases.iteration) run.plan(planWork(job, until, run.journal.commits));
    next = walk.next(result);
  }
  return summarise(job);
}
