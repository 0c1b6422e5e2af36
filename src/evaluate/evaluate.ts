// The evaluate job: one greedy response to every problem of a data set, graded, with accuracy in all and by source.

import { groupBy } from '../core/lists.js';
import type { Policy } from '../core/ports.js';
import type { Problem } from '../core/types.js';
import { measureGreedy } from '../measure/rollouts.js';
import type { GreedyMeasure } from '../record/results.js';
import type { Rollout } from '../record/rollout.js';
import { countOutcomes, type OutcomeCounts, writeRolloutLines } from '../record/rollout.js';
import { type Collection, collect, readCollection, type SampleSettings } from '../rollout/collect.js';
import type { Run } from '../run/folder.js';

/** What greedy responses to a data set came to; measures by the parts of the data. */
export interface EvaluateSummary {
  readonly outcomes: OutcomeCounts;
  readonly all: GreedyMeasure;
  readonly bySource: Readonly<Record<string, GreedyMeasure>>;
  readonly byQuestionType: Readonly<Record<string, GreedyMeasure>>;
  readonly tokens: number;
  /** Wall clock of all processes that worked on the job. */
  readonly seconds: number;
}

/** Writes responses.jsonl and summary.json into the run folder. */
export async function evaluate(
  run: Run,
  openPolicy: () => Promise<Policy>,
  problems: readonly Problem[],
  settings: SampleSettings,
): Promise<EvaluateSummary> {
  const title = 'evaluation';
  const collection: Collection = { name: 'greedy', title, problems, variant: 'solve', n: 1, temperature: 0 };
  run.progress.plan([{ phase: 'evaluate', kind: 'sample', part: 'greedy', count: problems.length }]);
  const measured = await run.phase('evaluate', async (phase) => {
    const policy = await openPolicy();
    const graded: Rollout[] = [];
    for await (const rollouts of collect(phase, policy, collection, settings)) graded.push(...rollouts);
    await phase.output('responses.jsonl', (aside) =>
      writeRolloutLines(aside, readCollection(phase, collection, settings)),
    );
    return {
      outcomes: countOutcomes(graded),
      all: measureGreedy(graded, settings.seed),
      bySource: by(graded, ({ source }) => source || 'unknown', settings.seed),
      byQuestionType: by(graded, ({ questionType }) => questionType, settings.seed),
    };
  });
  return run.summarise(measured);
}

function by(
  graded: readonly Rollout[],
  keyOf: (problem: Problem) => string,
  seed: number,
): Record<string, GreedyMeasure> {
  const groups = [...groupBy(graded, ({ problem }) => keyOf(problem))].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(groups.map(([key, some]) => [key, measureGreedy(some, seed)]));
}
