// The results and events of a journal as far as the report reads them; what it does not know is left alone.
// Leaves writing them to src/evolve, src/label and src/run.
import { z } from 'zod';

const number = z.number();
const maybe = z.number().nullable();

const tokens = z.object({ sampled: number, scored: number, trained: number });

export const start = z.object({ problems: z.string().optional() });

export const commit = z.object({ phase: z.string(), result: z.unknown(), tokens });

/** One optimizer step; a loss that was not finite is null. */
export const step = z.object({ phase: z.string(), loss: maybe, gradNorm: maybe, lr: number, tokens: number });

export const failure = z.object({ phase: z.string(), problem: z.string(), reason: z.string() });

const greedy = z.object({
  problems: number,
  failed: number,
  correct: number,
  accuracy: number,
  low: number,
  high: number,
  unreadable: number,
  meanTokens: number,
});

const samples = z.object({
  temperature: number,
  problems: number,
  k: number,
  passAt1: number,
  passAtK: number,
  gap: number,
  rewardPassAt2: maybe,
  bestOfK: maybe,
  weightedVote: maybe,
  majority: number,
  unreadable: number,
  meanTokens: number,
  meanSteps: number,
});

const quality = z.object({ steps: number, sound: number, accuracy: number, auc: maybe });

const decision = z.object({
  chosen: number,
  previous: number,
  best: number,
  tied: z.array(number),
  scores: z.array(z.object({ temperature: number, rewardPassAt2: maybe })),
});

const choice = z.object({
  questions: number,
  failed: number,
  sampled: number,
  unreadable: number,
  cutOff: number,
  correct: number,
  distinct: number,
  selected: number,
  luckyDistinct: number,
  luckySelected: number,
});

/** As `choice`, of an unfinished phase too. */
export const choiceEvent = choice.extend({ phase: z.string() });

/** Votes over the questions of an iteration that have no answers. */
export const pseudo = z.object({ phase: z.string(), questions: number, voted: number, right: number });

export const fit = z.object({ examples: number, steps: number, firstLoss: maybe, lastLoss: maybe });

export const prm = fit.extend({
  /** Runs of older versions kept nothing out. */
  heldOut: z
    .object({ questions: number, responses: number, steps: number, mse: maybe, baselineMse: maybe, correlation: maybe })
    .nullish(),
});

export const test = z.object({ at: z.string(), greedy });

export const final = z.object({ at: z.string(), greedy, samples, steps: quality.nullable() });

export const warmup = z.object({ choice, training: fit });

export const labels = z.object({
  questions: number,
  candidates: number,
  pairs: number,
  right: number,
  multipleChoice: number,
  steps: number,
  failed: number,
  meanLabel: maybe,
});

export const iteration = z.object({
  iteration: number,
  epoch: number,
  temperature: number,
  origin: z.string().optional(),
  unlabelled: number.optional(),
  choice,
  training: fit,
});

export const threshold = z.object({
  alpha: number,
  tied: z.array(number),
  scores: z.array(z.object({ alpha: number, selected: number, kept: z.array(number), steps: number, accuracy: maybe })),
});

export const standing = z.object({
  iteration: number,
  version: number,
  greedy,
  samples: z.array(samples),
  steps: quality.nullable(),
  decision: decision.nullable(),
});

export type Tokens = z.output<typeof tokens>;
export type Step = z.output<typeof step>;
export type Failure = z.output<typeof failure>;
export type Greedy = z.output<typeof greedy>;
export type Samples = z.output<typeof samples>;
export type Decision = z.output<typeof decision>;
export type Choice = z.output<typeof choice>;
export type ChoiceEvent = z.output<typeof choiceEvent>;
export type Pseudo = z.output<typeof pseudo>;
export type Fit = z.output<typeof fit>;
export type Prm = z.output<typeof prm>;
export type Test = z.output<typeof test>;
export type Final = z.output<typeof final>;
export type Warmup = z.output<typeof warmup>;
export type Labels = z.output<typeof labels>;
export type Iteration = z.output<typeof iteration>;
export type Threshold = z.output<typeof threshold>;
export type Standing = z.output<typeof standing>;
