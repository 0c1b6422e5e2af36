// The rollout job: n responses to every problem of a data set, graded, into files. Resumable, no problem dropped.

import type { Policy } from '../core/ports.js';
import type { Problem } from '../core/types.js';
import { countOutcomes, type OutcomeCounts, writeRolloutLines } from '../record/rollout.js';
import type { Run } from '../run/folder.js';
import { type Collection, collect, readCollection, type SampleSettings, writeCollections } from './collect.js';

/** What sampled responses to a data set came to. */
export interface RolloutSummary {
  readonly problems: number;
  readonly responses: number;
  readonly outcomes: OutcomeCounts;
  /** Share of problems with a correct response. */
  readonly solved: number;
  readonly tokens: number;
  /** Wall clock of all processes that worked on the job. */
  readonly seconds: number;
}

/** Writes rollouts.jsonl, rollouts.parquet and summary.json into the run folder. */
export async function rollout(
  run: Run,
  openPolicy: () => Promise<Policy>,
  problems: readonly Problem[],
  draw: { readonly n: number; readonly temperature: number },
  settings: SampleSettings,
): Promise<RolloutSummary> {
  const collection: Collection = { name: 'rollout', title: 'rollout', problems, variant: 'solve', ...draw };
  run.progress.plan([{ phase: 'rollout', kind: 'sample', part: 'rollout', count: problems.length * draw.n }]);
  const counts = await run.phase('rollout', async (phase) => {
    const policy = await openPolicy();
    let outcomes = countOutcomes([]);
    let solved = 0;
    for await (const rollouts of collect(phase, policy, collection, settings)) {
      outcomes = countOutcomes(rollouts, outcomes);
      solved += rollouts.filter(({ responses }) => responses.some(({ grade }) => grade.verdict === 'correct')).length;
    }
    await writeCollections(phase, 'rollouts.parquet', [{ collection, version: policy.version }], settings);
    await phase.output('rollouts.jsonl', (aside) =>
      writeRolloutLines(aside, readCollection(phase, collection, settings)),
    );
    return { outcomes, solved };
  });
  const { outcomes } = counts;
  return run.summarise({
    problems: problems.length,
    responses: outcomes.correct + outcomes.wrong + outcomes.unreadable,
    outcomes,
    solved: problems.length === 0 ? 0 : counts.solved / problems.length,
  });
}
