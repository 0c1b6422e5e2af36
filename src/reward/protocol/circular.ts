// MMBench asks every question once for each rotation of its choices: here its two ways to count are told apart.
import { ROTATION } from '../../core/letters.js';
import { groupBy } from '../../core/lists.js';

/** One graded response of MMBench. Rotation k of a question has the question's index plus k million. */
export interface Rotation {
  readonly index: number;
  readonly correct: boolean;
}

/** Shares from 0 to 1 over `questions` questions. */
export interface RotationCounts {
  readonly questions: number;
  /** Questions of which all rotations are right. */
  readonly circular: number;
  /** Questions of which the first rotation is right. */
  readonly vanilla: number;
}

/** Counts both ways; null where no question has a second rotation. */
export function countRotations(rotations: readonly Rotation[]): RotationCounts | null {
  const questions = groupBy(rotations, ({ index }) => index % ROTATION);
  if (questions.size === rotations.length) return null;
  const groups = [...questions.values()];
  const first = (group: readonly Rotation[]): Rotation => group.reduce((a, b) => (b.index < a.index ? b : a));
  return {
    questions: groups.length,
    circular: groups.filter((group) => group.every(({ correct }) => correct)).length / groups.length,
    vanilla: groups.filter((group) => first(group).correct).length / groups.length,
  };
}
