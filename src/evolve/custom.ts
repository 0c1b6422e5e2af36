// A program's own selection of training examples, in place of the rules of select.ts; what it returns is checked.
import type { Problem, RewardFunction } from '../core/types.js';
import type { RatedResponse } from '../record/rollout.js';
import { answerOf, unusable } from '../reward/custom.js';

/** A response to a problem that ended by itself; `sample` is its index among all responses to the problem. */
export interface SelectCandidate extends RatedResponse {
  readonly sample: number;
}

/** A sample to train on, by its number, and what the losses of its tokens are multiplied by. */
export interface Weighted {
  readonly sample: number;
  readonly weight: number;
}

/** A sample to train on; its losses are multiplied by `weight`, 1 where a number alone is given. */
export type Selected = number | Weighted;

/**
 * Chooses among the responses to one problem of an iteration, right and wrong ones; those cut off are not among them, and a
 * problem without any is not asked about. It must choose the same among the same: a run that goes on may ask again.
 */
export type SelectFunction = (
  problem: Problem,
  candidates: readonly SelectCandidate[],
) => readonly Selected[] | Promise<readonly Selected[]>;

/** What a program puts in place of parts of the recipe. */
export interface Custom {
  readonly reward?: RewardFunction | undefined;
  readonly select?: SelectFunction | undefined;
}

/**
 * What `select` chooses, in the order of samples.
 * @throws UserError naming the problem where it throws, or returns anything but samples of the candidates, each once; Stopped
 *   as soon as the signal is aborted
 */
export async function selectBy(
  select: SelectFunction,
  problem: Problem,
  candidates: readonly SelectCandidate[],
  signal?: AbortSignal,
): Promise<Weighted[]> {
  if (candidates.length === 0) return [];
  const of = `select: problem ${problem.id}`;
  const given: unknown = await answerOf(of, signal, [problem, candidates], select);
  const refuse = (found: unknown, wanted: string): never => {
    throw unusable(of, found, wanted);
  };
  if (!Array.isArray(given)) return refuse(given, 'a list of samples');
  const chosen = new Map<number, number>();
  for (const one of given as unknown[]) {
    const { sample, weight } = (
      typeof one === 'number' ? { sample: one, weight: 1 } : (one ?? {})
    ) as Partial<Weighted>;
    if (!candidates.some((candidate) => candidate.sample === sample)) {
      const known = candidates.map((candidate) => candidate.sample).join(', ');
      return refuse(one, `a sample of its candidates (${known}), or { sample, weight }`);
    }
    if (typeof weight !== 'number' || !Number.isFinite(weight)) return refuse(one, 'a weight that is a finite number');
    if (chosen.has(sample as number)) return refuse(one, 'each sample once');
    chosen.set(sample as number, weight);
  }
  return [...chosen].map(([sample, weight]) => ({ sample, weight })).sort((a, b) => a.sample - b.sample);
}
