// Trains a model on examples in seeded order, one optimizer step at a time; a killed training goes on from its newest
// savepoint.

import { join } from 'node:path';
import type { Config, OptimizerConfig } from '../config/schema.js';
import { stopIfAsked } from '../core/errors.js';
import { groupBy, mean } from '../core/lists.js';
import type { Learner, OptimizerSettings } from '../core/ports.js';
import { random } from '../core/random.js';
import type { Example, PolicyObjective, StepReport } from '../core/types.js';
import type { FitReport } from '../record/results.js';
import { aboutOf, commitCheckpoint, faultOf } from '../run/checkpoint.js';
import { listNames, removeDurable } from '../run/durable.js';
import type { Json } from '../run/journal.js';
import type { Phase } from '../run/phase.js';

/** Between two moments at which readers are shown the steps so far. */
const SETTLE_MS = 5000;

type Trained = Pick<Learner, 'trainStep' | 'save' | 'restore'>;

export interface FitOptions {
  readonly optimizer: OptimizerConfig;
  readonly seed: number;
  /** Optimizer steps between savepoints; 0: none but the one on request to stop. */
  readonly every: number;
  /** Of a policy: what is lowered instead of cross entropy. Responses to one question then stay together, as it is computed once for all. */
  readonly objective?: PolicyObjective | undefined;
  /** Makes this a training whose weights are thrown away: no savepoint, and its steps are told here, not to the journal. */
  readonly trial?: (report: StepReport) => void;
}

/** How a run trains: in the order of its seed, with savepoints as its settings say. */
export function fitOptions({ seed, run }: Config, optimizer: OptimizerConfig, objective?: PolicyObjective): FitOptions {
  return { optimizer, seed, every: run.checkpointEvery, objective };
}

/** The engine's form of the optimizer's settings, for a training of `steps` optimizer steps. */
export function optimizerSettings(config: OptimizerConfig, steps: number): OptimizerSettings {
  const { lr, betas, eps, weightDecay, clip, moments, freeze } = config;
  const warmupSteps = Math.round(config.warmupRatio * steps);
  const decaySteps = Math.round(config.decayRatio * steps);
  return { lr, warmupSteps, decaySteps, totalSteps: steps, betas, eps, weightDecay, clip, moments, freeze };
}

/** Optimizer steps of a training on this many examples. */
export function countSteps(examples: number, { batchSize, epochs, maxSteps }: OptimizerConfig): number {
  const steps = stepsPerEpoch(examples, batchSize) * epochs;
  return maxSteps > 0 ? Math.min(steps, maxSteps) : steps;
}

/** Does all optimizer steps. The learner has its optimizer set; its weights are those the examples were meant for. */
export async function fit(
  phase: Phase,
  learner: Trained,
  examples: readonly Example[],
  options: FitOptions,
): Promise<FitReport> {
  const steps = countSteps(examples.length, options.optimizer);
  const meter = phase.meter('train', `${phase.name}: training`);
  meter.expect(steps);
  const batchOf = batches(examples, phase.draws, options);
  const { every, trial } = options;
  const note = trial ?? ((report: StepReport): void => record(phase, report));
  const reports = trial ? [] : await resume(phase, learner);
  meter.skip(reports.length);
  for (const report of reports) note(report);
  let saved = reports.length;
  const savepoint = async (): Promise<void> => {
    if (trial || reports.length === saved) return;
    await keep(phase, learner, reports);
    saved = reports.length;
  };
  let shown = performance.now();
  for (let step = reports.length; step < steps; step++) {
    if (phase.signal.aborted) await savepoint();
    stopIfAsked(phase.signal);
    const report = await learner.trainStep(batchOf(step), options.objective);
    if (step === 0) sayMismatch(phase, report);
    reports.push(report);
    note(report);
    meter.advance(1, report.tokens);
    // Readers of a training of hours should not wait for its end.
    if (!trial && performance.now() - shown > SETTLE_MS) {
      await phase.settle();
      shown = performance.now();
    }
    if (every > 0 && (step + 1) % every === 0 && step + 1 < steps) await savepoint();
  }
  const tenth = Math.max(1, Math.round(steps / 10));
  const meanLoss = (some: readonly StepReport[]): number | null =>
    some.length === 0 ? null : mean(some.map(({ loss }) => loss));
  return {
    examples: examples.length,
    seen: Math.round(
      (steps * examples.length) / Math.max(1, stepsPerEpoch(examples.length, options.optimizer.batchSize)),
    ),
    steps,
    firstLoss: meanLoss(reports.slice(0, tenth)),
    lastLoss: meanLoss(reports.slice(-tenth)),
  };
}

/** Gives the batch of a step: of nearly equal size, so that the last one of an epoch is no noisier than the others. */
function batches(
  examples: readonly Example[],
  purpose: string,
  { optimizer, seed, objective }: FitOptions,
): (step: number) => Example[] {
  const perEpoch = stepsPerEpoch(examples.length, optimizer.batchSize);
  let shuffled = { epoch: -1, examples: [] as Example[] };
  return (step) => {
    const epoch = Math.floor(step / perEpoch);
    if (shuffled.epoch !== epoch) {
      const draw = random(seed, `${purpose}/epoch-${epoch}`);
      const groups = objective ? [...groupBy(examples, ({ problem }) => problem).values()] : [];
      shuffled = { epoch, examples: objective ? draw.shuffle(groups).flat() : draw.shuffle(examples) };
    }
    const edge = (part: number): number => Math.round((part * examples.length) / perEpoch);
    return shuffled.examples.slice(edge(step % perEpoch), edge((step % perEpoch) + 1));
  };
}

function stepsPerEpoch(examples: number, batchSize: number): number {
  return Math.ceil(examples / batchSize);
}

/** Before the first step of an iteration the weights are those that sampled. */
function sayMismatch(phase: Phase, { mismatchMean, mismatchMax }: StepReport): void {
  if (mismatchMean === undefined || mismatchMax === undefined) return;
  const [most, average] = [mismatchMax, mismatchMean].map((value) => value.toExponential(1));
  const how = mismatchMax === 0 ? 'are the same' : `differ by at most ${most}, ${average} on average`;
  phase.say(`${phase.name}: log-probabilities in sampling and in training ${how}`);
}

function record(phase: Phase, report: StepReport): void {
  phase.count('trained', report.tokens);
  phase.record('step', { ...report });
}

/** Restores the newest savepoint that verifies and gives the reports of the steps behind it. */
async function resume(phase: Phase, learner: Trained): Promise<StepReport[]> {
  for (const name of (await savepoints(phase)).reverse()) {
    const dir = join(phase.work, name);
    const fault = await faultOf(dir);
    if (fault) {
      phase.say(`passed over ${name} of ${phase.name}: ${fault}`);
      continue;
    }
    await learner.restore(dir);
    return [...((await aboutOf(dir)) as unknown as StepReport[])];
  }
  return [];
}

async function keep(phase: Phase, learner: Trained, reports: readonly StepReport[]): Promise<void> {
  const older = await savepoints(phase);
  const dir = join(phase.work, `step-${String(reports.length).padStart(8, '0')}`);
  await commitCheckpoint(dir, reports as unknown as Json, (aside) => learner.save(aside, { withTrainer: true }));
  for (const name of older) await removeDurable(join(phase.work, name));
  await phase.settle();
}

async function savepoints(phase: Phase): Promise<string[]> {
  return (await listNames(phase.work)).filter((name) => /^step-\d{8}$/.test(name));
}
