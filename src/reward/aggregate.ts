// From the scores of a response's steps to its one reward (P9).

/** `min` is the paper's rule; the others are for comparison. */
export type Aggregation = 'min' | 'last' | 'mean' | 'product';

/**
 * The reward of a response.
 * @param scores one PRM score per step, in step order, at least one; raw head outputs, which may leave 0..1
 * @param how `product` first clamps each score to 0..1, as two scores below zero would multiply to a good one
 * @throws RangeError on an empty list
 */
export function aggregate(scores: ArrayLike<number>, how: Aggregation = 'min'): number {
  const list = Array.from(scores);
  const last = list.at(-1);
  if (last === undefined) throw new RangeError('a response without steps has no reward');
  switch (how) {
    case 'min':
      return Math.min(...list);
    case 'last':
      return last;
    case 'mean':
      return list.reduce((sum, score) => sum + score, 0) / list.length;
    case 'product':
      return list.reduce((product, score) => product * Math.min(1, Math.max(0, score)), 1);
  }
}
