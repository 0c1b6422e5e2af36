// How the policy stands on the validation problems (P13): greedy, Pass@K, their gap and Reward-Pass@2 per temperature.
// Leaves the metrics as such to src/evaluate/metrics.ts and the choice of a temperature to explore.ts.
import type { Problem } from '../core/types.js';
import {
  accuracy,
  bestOfN,
  explorationGap,
  majorityAccuracy,
  passAtK,
  rewardPassAtK,
  unbiasedPassAtK,
  unreadableRate,
  weightedVoteAccuracy,
} from '../evaluate/metrics.js';
import { stepQuality, type StepQuality } from '../evaluate/step-quality.js';
import { type CollectedRows, type Collection, collect, writeCollections } from '../rollout/collect.js';
import { type Rollout } from '../rollout/rollout.js';
import type { Phase } from '../run/phase.js';
import { type Job, type PolicyAt, sampleSettings } from './job.js';
