// Majority and weighted voting over the answers of a question's samples (P11, P12), and their order by reward.

export interface Vote {
  /** The winning answer class: a normalised answer. */
  readonly answer: string;
  /** Lowest sample index that gave this answer. */
  readonly sample: number;
  /** Number of votes, or sum of weights. */
  readonly weight: number;
}

/**
 * The answer with the greatest sum of weights; ties go to the class whose first sample has the lower index. A weight that is
 * below zero or not a number weighs nothing: rewards are raw head outputs, and one below zero would vote against its own answer.
 * @param answers normalised answer of each sample, null where unreadable: such a sample has no vote
 * @param weights reward of each sample, same length
 * @returns null where no sample has a readable answer
 */
export function weightedVote(answers: readonly (string | null)[], weights: ArrayLike<number>): Vote | null {
  const classes = new Map<string, { sample: number; weight: number }>();
  answers.forEach((answer, sample) => {
    if (answer === null) return;
    const weight = Math.max(0, weights[sample] || 0);
    const known = classes.get(answer);
    if (known) known.weight += weight;
    else classes.set(answer, { sample, weight });
  });
  let best: Vote | null = null;
  // A Map keeps the order of first occurrence, so "strictly greater" gives ties to the lower sample index.
  for (const [answer, { sample, weight }] of classes) {
    if (best === null || weight > best.weight) best = { answer, sample, weight };
  }
  return best;
}

/** The most frequent answer; ties as in `weightedVote`. */
export function majorityVote(answers: readonly (string | null)[]): Vote | null {
  return weightedVote(answers, new Array<number>(answers.length).fill(1));
}

/** Highest reward first; equal rewards keep their order; a reward that is not a number comes last. */
export function byReward<T extends { readonly reward: number }>(samples: readonly T[]): T[] {
  const rank = ({ reward }: T): number => (Number.isNaN(reward) ? Number.NEGATIVE_INFINITY : reward);
  return [...samples].sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) > rank(b) ? -1 : 1));
}
