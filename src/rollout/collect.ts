// Rolls out any number of problems chunk by chunk: sampled, graded, scored where asked, kept as units of the phase.
import type { Policy, Scorer } from '../core/ports.js';
import type { Problem, PromptVariant, Sampling } from '../core/types.js';
import { countTokens, type RatedResponse, type Rollout } from '../record/rollout.js';
import { type RowContext, type RowGroup, writeRolloutTable } from '../record/table.js';
import type { Aggregation } from '../reward/aggregate.js';
import type { Grader } from '../reward/custom.js';
import type { Phase } from '../run/phase.js';
import { type Chunking, readBack, walkChunks } from './chunks.js';
import { generate } from './generate.js';
import { scoreRollouts } from './score.js';

/** Failed problems that are named on the screen; the journal has all. */
const MOST_SAID = 5;

/** What a run samples alike everywhere. */
export interface SampleSettings {
  readonly seed: number;
  /** Problems per rollout call. */
  readonly chunk: number;
  /** Text that ends a step. */
  readonly delimiter: string;
  readonly maxTokens: number;
  readonly topK: number;
  readonly topP: number;
  /** Judges the responses; by their final answers when left out. */
  readonly grader?: Grader | undefined;
}

/** One pass over problems. */
export interface Collection {
  /** Names units and draws; unique in its phase. */
  readonly name: string;
  readonly title: string;
  readonly problems: readonly Problem[];
  readonly variant: PromptVariant;
  /** Responses per problem. */
  readonly n: number;
  /** 0 is greedy. */
  readonly temperature: number;
  readonly reward?: {
    readonly scorer: Scorer;
    readonly aggregate: Aggregation;
    /** Responses to score. */
    readonly wanted: (response: RatedResponse) => boolean;
  };
}

/** Yields the rollouts of each chunk; problems that fail are recorded and said. */
export async function* collect(
  phase: Phase,
  policy: Policy,
  collection: Collection,
  settings: SampleSettings,
): AsyncGenerator<readonly Rollout[]> {
  const { name, title, problems, n, reward } = collection;
  const { signal } = phase;
  const sampled = phase.meter('sample', `${title}: sampling`, name);
  sampled.expect(problems.length * n);
  const scored = reward && phase.meter('score', `${title}: scoring`, name);
  const { temperature, variant } = collection;
  const { seed, delimiter, maxTokens, topK, topP, grader } = settings;
  const sampling: Sampling = { temperature, topK, topP, maxTokens };
  const draw = { variant, n, sampling, seed, purpose: `${phase.draws}/${name}`, delimiter, grader };
  const make = async (chunk: readonly Problem[]): Promise<Rollout[]> => {
    const rollouts = await generate(policy, chunk, draw, { signal, meter: sampled });
    if (!reward || !scored) return rollouts;
    return scoreRollouts(reward.scorer, rollouts, reward.aggregate, reward.wanted, { signal, meter: scored });
  };
  const found = (count: number): void => {
    sampled.skip(count * n);
    scored?.skip(count * n);
  };
  let failed = 0;
  for await (const rollouts of walkChunks(phase, chunkingOf(collection, settings), make, found)) {
    phase.count('sampled', countTokens(rollouts));
    phase.count('scored', countScored(rollouts));
    for (const { problem, error } of rollouts) {
      if (error === undefined) continue;
      phase.record('failed', { problem: problem.id, reason: error });
      if (++failed <= MOST_SAID) phase.say(`problem ${problem.id}: ${error}`);
    }
    yield rollouts;
  }
  if (failed > MOST_SAID) phase.say(`${title}: ${failed} problems could not be sampled, the journal names them`);
}

/** The rollouts of a finished collection, from disk. */
export function readCollection(
  phase: Phase,
  collection: Collection,
  settings: SampleSettings,
): AsyncGenerator<readonly Rollout[]> {
  return readBack(phase, chunkingOf(collection, settings));
}

/** A finished collection as rows of a table. */
export interface CollectedRows {
  readonly collection: Collection;
  readonly version: number;
  /** Samples that became training examples, by problem id. */
  readonly selected?: ReadonlyMap<string, ReadonlySet<number>>;
}

/** Writes finished collections of a phase as the file `path` of the run folder `folder`. */
export async function writeCollections(
  phase: Phase,
  folder: string,
  path: string,
  parts: readonly CollectedRows[],
  settings: SampleSettings,
): Promise<void> {
  await phase.output(path, (aside) => writeRolloutTable(aside, folder, rowsOf(phase, parts, settings)));
}

async function* rowsOf(
  phase: Phase,
  parts: readonly CollectedRows[],
  settings: SampleSettings,
): AsyncGenerator<RowGroup> {
  for (const { collection, version, selected } of parts) {
    const shared = { temperature: collection.temperature, seed: settings.seed, version };
    for await (const rollouts of readCollection(phase, collection, settings)) {
      for (const rollout of rollouts) {
        const context: RowContext = { ...shared, selected: selected?.get(rollout.problem.id) ?? new Set() };
        yield { rollout, context };
      }
    }
  }
}

function chunkingOf({ name, problems }: Collection, { chunk }: SampleSettings): Chunking {
  return { name, problems, size: chunk };
}

function countScored(rollouts: readonly Rollout[]): number {
  const scored = rollouts.flatMap(({ responses }) => responses.filter(({ scores }) => scores !== undefined));
  return scored.reduce((sum, { response }) => sum + response.tokens.length, 0);
}
