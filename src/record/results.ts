// What a journal holds: the events of a run and the result of each of its phases, as shapes that are checked when they are read.
// The phases in src/evolve make these results; every view and the summary read them. Shares and accuracies are 0..1.
import { z } from 'zod';
import { tokenCounts } from '../run/journal.js';

const number = z.number();
/** Not defined, or not finite: JSON holds no such number. */
const maybe = z.number().nullable();
const counts = z.array(number);

export const startEvent = z.object({ problems: z.string() });

export const commitEvent = z.object({ phase: z.string(), result: z.unknown(), tokens: tokenCounts });

/** One optimizer step. */
export const stepEvent = z.object({
  phase: z.string(),
  loss: maybe,
  gradNorm: maybe,
  lr: number,
  tokens: number,
  /** These of the method grpo alone. */
  clipShare: maybe.optional(),
  kl: maybe.optional(),
  mismatchMean: maybe.optional(),
  mismatchMax: maybe.optional(),
});

/** A problem that could not be sampled. */
export const failedEvent = z.object({ phase: z.string(), problem: z.string(), reason: z.string() });

/** Votes over the problems of an iteration that have no answers. */
export const pseudoEvent = z.object({ phase: z.string(), problems: number, voted: number, right: number });

/** One greedy response per problem; a problem that failed counts as not correct. */
export const greedyMeasure = z.object({
  problems: number,
  failed: number,
  correct: number,
  accuracy: number,
  /** 95 % bootstrap interval of the accuracy. */
  low: number,
  high: number,
  unreadable: number,
  meanTokens: number,
});

/** K responses per problem at one temperature. */
export const sampleMeasure = z.object({
  temperature: number,
  problems: number,
  failed: number,
  /** Responses per problem. */
  k: number,
  /** Mean accuracy of one response. */
  passAt1: number,
  passAtK: number,
  /** Unbiased Pass@2 from all K. */
  passAt2: number,
  /** Pass@K minus greedy accuracy on the same problems. */
  gap: number,
  /** Null where the responses were not scored, as for the next three. */
  rewardPassAt2: maybe,
  /** As `rewardPassAt2`, of responses of the same text the first alone. */
  rewardPassAt2Distinct: maybe.optional(),
  bestOfK: maybe,
  weightedVote: maybe,
  majority: number,
  unreadable: number,
  meanTokens: number,
  meanSteps: number,
});

/** The PRM against the true reasoning: positive is a step up to which the reasoning is right. */
export const stepQuality = z.object({
  steps: number,
  /** Share of positive steps. */
  sound: number,
  /** Share of steps whose score is on the right side of 0.5. */
  accuracy: number,
  /** Area under the ROC curve; null where all steps are of one kind. */
  auc: maybe,
});

/** Everything that led to a choice of the sampling temperature. */
export const temperatureDecision = z.object({
  chosen: number,
  /** Temperature in use before. */
  previous: number,
  /** Score of the chosen temperature. */
  best: number,
  /** Temperatures that share the best score, ascending; the first is the chosen one. */
  tied: counts,
  /** Reward-Pass@2 of each temperature on the validation problems, by ascending temperature. */
  scores: z.array(z.object({ temperature: number, rewardPassAt2: maybe })),
});

/** Sums over problems of what happened to their responses. */
export const choiceCounts = z.object({
  problems: number,
  /** Problems that could not be sampled. */
  failed: number,
  sampled: number,
  unreadable: number,
  /** Ended by the limit on tokens: graded, but never trained on, as they do not show how to end. */
  cutOff: number,
  correct: number,
  /** Different texts among the correct ones that were not cut off. */
  distinct: number,
  selected: number,
  /** Problems by the number of responses that the rule kept: none, one, two... A cap over all comes after. */
  kept: counts,
  /** Correct by a chain with a wrong step, among `distinct` and `selected`; 0 where the true reasoning is not known. */
  luckyDistinct: number,
  luckySelected: number,
  /** `luckySelected` to be expected, had as many of the right responses to each problem been drawn at random; not of the method grpo. */
  luckyByChance: number.optional(),
  /** Of the method grpo, over all responses: their mean reward and length, and the problems whose responses are all worth the same. */
  groups: z.object({ reward: maybe, tokens: maybe, flat: number }).optional(),
});

/** As in the result of the phase, told when its responses are chosen. */
export const choiceEvent = choiceCounts.extend({ phase: z.string() });

export const fitReport = z.object({
  examples: number,
  /** Examples that the steps saw, each once a pass. */
  seen: number.optional(),
  steps: number,
  /** Mean loss over the first and the last tenth of the steps; null where there was none. */
  firstLoss: maybe,
  lastLoss: maybe,
});

export const warmupResult = z.object({ choice: choiceCounts, training: fitReport });

export const labelResult = z.object({
  problems: number,
  /** Different responses after the limit per problem. */
  candidates: number,
  pairs: number,
  right: number,
  multipleChoice: number,
  steps: number,
  /** Pairs that could not be sampled from. */
  failed: number,
  meanLabel: maybe,
});

export const prmResult = fitReport.extend({
  /** Scores against labels at the step ends of the responses that it was not trained on; null where none were held out. */
  heldOut: z
    .object({
      problems: number,
      responses: number,
      /** Every step counts once. */
      steps: number,
      mse: maybe,
      /** The same error of always saying the mean label of the steps that were trained on. */
      baselineMse: maybe,
      /** Chance that a step whose label is 0.5 or more scores above another one; null where all are of one kind. */
      auc: maybe.optional(),
      /** Pearson's, of scores and labels; null where either is constant. */
      correlation: maybe,
    })
    .nullable(),
});

/** A test of one checkpoint on all problems of a part of the data. */
export const testResult = z.object({ at: z.string(), greedy: greedyMeasure });

/** The last checkpoint, sampled on test problems at the last temperature. */
export const finalResult = testResult.extend({ samples: sampleMeasure, steps: stepQuality.nullable() });

/** What an iteration came to. */
export const iterationResult = z.object({
  iteration: number,
  epoch: number,
  temperature: number,
  /** Checkpoint that the training started from. */
  origin: z.string(),
  /** Problems without answers among those that were sampled. */
  unlabelled: number,
  choice: choiceCounts,
  training: fitReport,
});

/** The threshold that the rule `threshold` uses, and what training with each one came to. */
export const thresholdDecision = z.object({
  chosen: number,
  /** Thresholds that share the best accuracy, ascending; the first is taken. */
  tied: counts,
  /** By ascending threshold. */
  scores: z.array(
    z.object({
      threshold: number,
      selected: number,
      /** Problems by the number of responses kept: none, one, two... */
      kept: counts,
      steps: number,
      /** Greedy, on the validation problems; null where nothing was kept to train on. */
      accuracy: maybe,
    }),
  ),
});

/** The policy on the validation problems. */
export const measurement = z.object({
  /** Iterations before it; 0 is the warm-up. */
  iteration: number,
  /** Optimizer steps behind the policy. */
  version: number,
  greedy: greedyMeasure,
  /** By ascending temperature. */
  samples: z.array(sampleMeasure),
  /** The PRM's steps over all temperatures; generated problems only. */
  steps: stepQuality.nullable(),
  /** Where the temperature is chosen after this iteration (P14). */
  decision: temperatureDecision.nullable(),
});

export type CommitEvent = Readonly<z.output<typeof commitEvent>>;
export type StepEvent = Readonly<z.output<typeof stepEvent>>;
export type FailedEvent = Readonly<z.output<typeof failedEvent>>;
export type PseudoEvent = Readonly<z.output<typeof pseudoEvent>>;
export type ChoiceEvent = Readonly<z.output<typeof choiceEvent>>;
/** Accuracy of one greedy response a problem. */
export type GreedyMeasure = Readonly<z.output<typeof greedyMeasure>>;
/** Pass@K, Reward-Pass@2 and their like of n samples a problem at one temperature. */
export type SampleMeasure = Readonly<z.output<typeof sampleMeasure>>;
/** What step scores are worth against the true reasoning of generated problems. */
export type StepQuality = Readonly<z.output<typeof stepQuality>>;
/** Which temperature was chosen, and the scores of all that were tried. */
export type TemperatureDecision = Readonly<z.output<typeof temperatureDecision>>;
/** What was sampled, and what of it was chosen to train on. */
export type ChoiceCounts = Readonly<z.output<typeof choiceCounts>>;
/** What a training came to. */
export type FitReport = Readonly<z.output<typeof fitReport>>;
/** Result of the phase `warmup`. */
export type WarmupResult = Readonly<z.output<typeof warmupResult>>;
/** Result of the phase `label`. */
export type LabelResult = Readonly<z.output<typeof labelResult>>;
/** Result of the phase `train-prm`. */
export type PrmResult = Readonly<z.output<typeof prmResult>>;
/** Result of a greedy test of a checkpoint. */
export type TestResult = Readonly<z.output<typeof testResult>>;
/** Result of the last test, which also samples. */
export type FinalResult = Readonly<z.output<typeof finalResult>>;
/** Result of an iteration. */
export type IterationResult = Readonly<z.output<typeof iterationResult>>;
/** Which threshold was chosen, and the scores of all that were tried. */
export type ThresholdDecision = Readonly<z.output<typeof thresholdDecision>>;
/** Result of a measurement on the validation problems. */
export type Measurement = Readonly<z.output<typeof measurement>>;
