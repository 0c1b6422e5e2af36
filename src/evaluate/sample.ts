// The responses of a benchmark: a greedy one and n sampled ones to every problem, as tables of rollouts. Resumable.
import type { Policy, Scorer } from '../core/ports.js';
import type { Problem } from '../core/types.js';
import type { Aggregation } from '../reward/aggregate.js';
import { type Collection, collect, type SampleSettings, writeCollections } from '../rollout/collect.js';
import type { Run } from '../run/folder.js';

/** Opens models when they are first needed. */
export interface JobModels {
  policy(): Promise<Policy>;
  scorer(dir: string): Promise<Scorer>;
}

interface BenchmarkSampling extends SampleSettings {
  /** Sampled responses per problem; 0: greedy only. */
  readonly n: number;
  readonly temperature: number;
  /** Folder of a process reward model. */
  readonly prm?: string;
  readonly aggregate: Aggregation;
}

/** Writes greedy.parquet and, for n > 0, rollouts.parquet into the run folder. */
export async function sampleBenchmark(
  run: Run,
  models: JobModels,
  problems: readonly Problem[],
  { n, temperature, prm, aggregate, ...settings }: BenchmarkSampling,
): Promise<void> {
  const shared = { problems, variant: 'solve' } as const;
  const greedy = { ...shared, name: 'greedy', title: 'greedy responses', n: 1, temperature: 0 };
  const sampled = { ...shared, name: 'sampled', title: `responses at temperature ${temperature}`, n, temperature };
  const count = problems.length;
  run.progress.plan([
    { phase: 'greedy', kind: 'sample', part: 'greedy', count },
    ...(n > 0 ? [{ phase: 'sampled', kind: 'sample', part: 'sampled', count: count * n } as const] : []),
    ...(n > 0 && prm ? [{ phase: 'sampled', kind: 'score', part: 'sampled', count: count * n } as const] : []),
  ]);
  await rollOut(run, models, greedy, { ...settings, topK: 0, topP: 1 }, 'greedy.parquet');
  if (n === 0) return;
  await rollOut(run, models, sampled, settings, 'rollouts.parquet', prm === undefined ? undefined : { prm, aggregate });
}

async function rollOut(
  run: Run,
  models: JobModels,
  plain: Collection,
  settings: SampleSettings,
  file: string,
  reward?: { readonly prm: string; readonly aggregate: Aggregation },
): Promise<void> {
  await run.phase(plain.name, async (phase) => {
    const policy = await models.policy();
    const collection: Collection = reward
      ? {
          ...plain,
          reward: { scorer: await models.scorer(reward.prm), aggregate: reward.aggregate, wanted: () => true },
        }
      : plain;
    // Each chunk is kept by the phase as it is made; the table is written from there.
    for await (const _ of collect(phase, policy, collection, settings));
    await writeCollections(phase, file, [{ collection, version: policy.version }], settings);
    return { problems: plain.problems.length };
  });
}
