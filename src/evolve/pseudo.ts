// Pseudo labels (P12): the weighted vote of a question's responses stands for its answer. Pure functions of plain data.
import type { Verdict } from '../core/types.js';
import type { Rollout } from '../record/rollout.js';
import { weightedVote } from '../reward/vote.js';

export interface PseudoLabelled {
  /** With verdicts by the vote: responses that agree with it count as correct, the others as wrong; no vote, none is. */
  readonly rollout: Rollout;
  /** Whether the vote is the true answer, for the journal only; null where no response was readable. */
  readonly right: boolean | null;
}

/** Votes with the rewards of the responses; one without a reward weighs nothing. The true answer is not looked at but for `right`. */
export function pseudoLabel(rollout: Rollout): PseudoLabelled {
  const { responses } = rollout;
  const answers = responses.map(({ grade }) => grade.normalised);
  // Rewards are raw head outputs: below zero they would vote against their own answer.
  const vote = weightedVote(
    answers,
    responses.map(({ reward }) => Math.max(0, reward ?? 0)),
  );
  const verdictOf = (answer: string | null): Verdict => {
    if (answer === null) return 'unreadable';
    return vote !== null && answer === vote.answer ? 'correct' : 'wrong';
  };
  const judged = responses.map((rated) => ({
    ...rated,
    grade: {
      ...rated.grade,
      verdict: verdictOf(rated.grade.normalised),
      reason: `pseudo label: ${vote?.answer ?? 'none'}`,
    },
  }));
  const right = vote === null ? null : responses[vote.sample]?.grade.verdict === 'correct';
  return { rollout: { ...rollout, responses: judged }, right };
}
