// Walks problems in fixed chunks, each a work unit of its phase: rolled out once, read back from disk afterwards.
import type { Problem } from '../core/types.js';
import type { Rollout } from '../record/rollout.js';
import type { Phase } from '../run/phase.js';

/** A chunk as it is kept: the problems are not, they are joined again by their order. */
type Kept = readonly Omit<Rollout, 'problem'>[];

export interface Chunking {
  readonly problems: readonly Problem[];
  /** Problems per chunk: part of the run's settings, as it decides what is computed together. */
  readonly size: number;
  /** Names the units of one walk in its phase. */
  readonly name: string;
}

/**
 * Yields the rollouts of each chunk in order. A second walk under the same name reads what the first one made.
 * @param make rolls out one chunk, in the order of its problems
 * @param found told how many problems were read from disk
 */
export async function* walkChunks(
  phase: Phase,
  { problems, size, name }: Chunking,
  make: (problems: readonly Problem[]) => Promise<readonly Rollout[]>,
  found: (problems: number) => void = () => {},
): AsyncGenerator<readonly Rollout[]> {
  for (let from = 0; from < problems.length; from += size) {
    const chunk = problems.slice(from, from + size);
    const unit = await phase.unit<Kept>(`${name}-${String(from / size).padStart(5, '0')}`, async () => {
      const rollouts = await make(chunk);
      return rollouts.map(({ problem: _, ...rest }) => rest);
    });
    if (unit.found) found(chunk.length);
    yield unit.value.map((kept, i) => ({ ...kept, problem: chunk[i] as Problem }));
  }
}

/** What a walk under this name made, from disk. */
export function readBack(phase: Phase, chunking: Chunking): AsyncGenerator<readonly Rollout[]> {
  return walkChunks(phase, chunking, () => {
    throw new Error(`rollouts of ${phase.name}/${chunking.name} were read back before they were made`);
  });
}
