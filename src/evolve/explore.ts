// Adaptive exploration (P14): chooses the sampling temperature of the next iterations from validation scores.
import type { TemperatureDecision } from '../record/results.js';

/** Reward-Pass@2 on the validation problems, 0..1. */
interface TemperatureScore {
  readonly temperature: number;
  readonly rewardPassAt2: number;
}

/**
 * Picks the temperature with the highest Reward-Pass@2; ties go to the lower temperature (the paper leaves them open).
 * @throws RangeError on an empty list or a score that is not a number
 */
export function chooseTemperature(scores: readonly TemperatureScore[], previous: number): TemperatureDecision {
  if (scores.length === 0) throw new RangeError('no temperature was scored');
  const bad = scores.find((score) => Number.isNaN(score.rewardPassAt2) || Number.isNaN(score.temperature));
  if (bad) throw new RangeError(`score of temperature ${bad.temperature}: ${bad.rewardPassAt2}, wanted a number`);
  const ascending = [...scores].sort((a, b) => a.temperature - b.temperature);
  const best = Math.max(...ascending.map((score) => score.rewardPassAt2));
  const tied = ascending.filter((score) => score.rewardPassAt2 === best).map((score) => score.temperature);
  return { chosen: tied[0] as number, previous, best, tied, scores: ascending };
}
