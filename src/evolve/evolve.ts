// Runs the recipe: each phase once in the life of a run folder, then the summary.
import type { Job } from './job.js';
import { phases } from './phases.js';
import { planWork } from './plan.js';
import { recipe, type Stage } from './recipe.js';
import { type Summary, summarise } from './summary.js';

/** Runs the recipe up to a stage; phases that the run folder has committed are not done again. */
export async function evolve(job: Job, until: Stage = 'evolve'): Promise<Summary> {
  const { run } = job;
  const walk = recipe(job, until);
  run.plan(planWork(job, until, run.journal.commits));
  for (let next = walk.next(); !next.done; ) {
    const due = next.value;
    const result = await run.phase(due.name, (phase) => due.run(job, phase), due.draws);
    // What an iteration came to says how many are to follow.
    if (due.kind === phases.iteration) run.plan(planWork(job, until, run.journal.commits));
    next = walk.next(result);
  }
  return summarise(job);
}
