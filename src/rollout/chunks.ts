// Walks problems in fixed chunks, each a work unit of its phase: rolled out once, read back from disk afterwards.
import type { Problem } from '../core/types.js';
import type { Rollout } from '../record/rollout.js';
import type { Cut, Phase } from '../run/phase.js';

/** A chunk as it is kept: the problems are not, they are joined again by their order. */
type Kept = readonly Omit<Rollout, 'problem'>[];

export interface Chunking extends Cut {
  readonly problems: readonly Problem[];
}

/**
 * Yields the rollouts of each chunk in order. A second walk under the same name reads what the first one made.
 * @param make rolls out one chunk, in the order of its problems
 * @param found told how many problems were read from disk
 */
export async function* walkChunks(
  phase: Phase,
  { problems, ...cut }: Chunking,
  make: (problems: readonly Problem[]) => Promise<readonly Rollout[]>,
  found: (problems: number) => void = () => {},
): AsyncGenerator<readonly Rollout[]> {
  const keep = async (chunk: readonly Problem[]): Promise<Kept> => {
    const rollouts = await make(chunk);
    return rollouts.map(({ problem: _, ...rest }) => rest);
  };
  for await (const unit of phase.units(problems, cut, keep)) {
    if (unit.found) found(unit.items.length);
    yield unit.value.map((kept, i) => ({ ...kept, problem: unit.items[i] as Problem }));
  }
}

/** What a walk under this name made, from disk. */
export function readBack(phase: Phase, chunking: Chunking): AsyncGenerator<readonly Rollout[]> {
  return walkChunks(phase, chunking, () => {
    throw new Error(`rollouts of ${phase.name}/${chunking.name} were read back before they were made`);
  });
}
