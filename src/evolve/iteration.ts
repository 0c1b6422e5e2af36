// One iteration (P5, P6): samples, grades and scores the next problems, selects, trains on what was selected. The method
// decides which weights, optimizer and schedule go on from the iteration before and which start afresh.

import type { Config, OptimizerConfig } from '../config/schema.js';
import type { Policy } from '../core/ports.js';
import type { Example, PolicyObjective, Problem } from '../core/types.js';
import { intervalSlices, shuffledEpochs } from '../data/splits.js';
import type { FitReport, IterationResult } from '../record/results.js';
import { type Collection, collect, writeCollections } from '../rollout/collect.js';
import type { Phase } from '../run/phase.js';
import { isFilled, problemsPerIteration, type Reached, stepsOfNext, unlabelledPerIteration } from './budget.js';
import { Choice, NOTHING_CHOSEN, needsReward, pseudoLabel, withoutAnswerType } from './choose.js';
import { countSteps, fit, fitOptions, optimizerSettings } from './fit.js';
import { objectiveOf, withReference } from './group.js';
import { isCorrect, type Job, type PolicyAt, rewardOf, type Sizes, sampleSettings } from './job.js';
import { type IterationArgs, iterationName, phases, resultsOf } from './phases.js';
import { warmupExamples } from './warmup.js';

/** The iteration after those of `reached`. */
export async function selfTrain(
  job: Job,
  phase: Phase,
  { rule, reached, from, temperature }: IterationArgs,
): Promise<IterationResult> {
  if (job.config.evolve.method === 'sft') return fineTune(job, phase, reached);
  const number = reached.iterations + 1;
  const { config, models } = job;
  const settings = sampleSettings(job);
  const extra = unlabelledProblems(job, reached);
  const { epoch, problems } = labelledProblems(job, reached, extra.length > 0);
  const { answers } = config.evolve.unlabelled;
  const policy = await models.policy(from);
  const { version } = policy;
  const objective = objectiveOf(config, temperature);
  const reward = needsReward(rule) ? await rewardOf(job, isCorrect) : undefined;
  const known: Collection = {
    name: 'rollouts',
    title: `iteration ${number}`,
    problems: answers === 'oracle' ? [...problems, ...extra] : problems,
    variant: 'solve',
    n: config.evolve.n,
    temperature,
    reward,
    scaledLogprobs: objective !== undefined,
  };
  const choice = new Choice(rule, config.seed, phase.draws, config.evolve.select.repeats, job.custom?.select);
  for await (const rollouts of collect(phase, policy, known, settings)) await choice.add(rollouts, phase.signal);
  const collections = [known];
  if (answers === 'pseudo' && extra.length > 0) {
    const hidden = {
      ...known,
      name: 'unlabelled',
      problems: extra.map(withoutAnswerType),
      reward: await rewardOf(job),
    };
    collections.push(hidden);
    const votes = { problems: 0, voted: 0, right: 0 };
    for await (const rollouts of collect(phase, policy, hidden, settings)) {
      const labelled = rollouts.map(pseudoLabel);
      votes.problems += labelled.length;
      votes.voted += labelled.filter(({ right }) => right !== null).length;
      votes.right += labelled.filter(({ right }) => right === true).length;
      await choice.add(
        labelled.map(({ rollout }) => rollout),
        phase.signal,
      );
    }
    phase.record('pseudo', votes);
  }
  const { groups, ...counts } = choice.counts;
  phase.record('choice', { ...counts, ...(groups && { groups: { ...groups } }) });
  const { sampled, correct, selected } = counts;
  if (selected === 0)
    phase.say(`iteration ${number}: none of ${sampled} responses (${correct} right) was selected, the weights stay`);
  const rows = collections.map((collection) => ({ collection, version, selected: choice.selected }));
  const to = iterationName(number);
  const examples = objective?.kl ? await withReference(job, phase, choice.examples, temperature) : choice.examples;
  // The table is written while the engine trains.
  const [{ origin, training }] = await together(
    improve(job, phase, from, to, examples, reached, objective),
    writeCollections(phase, `rollouts/${phase.name}.parquet`, rows, settings),
  );
  return {
    iteration: number,
    epoch,
    temperature,
    origin,
    unlabelled: extra.length,
    choice: choice.counts,
    training,
  };
}

/** Both results; where one fails, its error once the other is over too: nothing goes on after the phase. */
async function together<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return Promise.all([one, other]);
}

/** The method sft: the one iteration, on the labelled answers, or on the warm-up's examples with the counts of the warm-up. */
async function fineTune(job: Job, phase: Phase, reached: Reached): Promise<IterationResult> {
  const { config, run, models } = job;
  const onAnswers = config.evolve.sft.on === 'answers';
  const examples = onAnswers ? answerExamples(job, await models.policy('warmup')) : await warmupExamples(job, 'warmup');
  const to = iterationName(1);
  const { origin, training } = await improve(job, phase, 'warmup', to, examples, reached);
  const [warmup] = resultsOf(phases.warmup, run.journal.commits, run.dir);
  if (!onAnswers && !warmup) throw new Error('fine-tuning on the examples of a warm-up that was not done');
  const given = { ...NOTHING_CHOSEN, problems: examples.length, selected: examples.length };
  const choice = onAnswers || !warmup ? given : warmup.choice;
  const { temperature } = config.warmup;
  return { iteration: 1, epoch: 0, temperature, origin, unlabelled: 0, choice, training };
}

/** The labelled problems with their answers as responses, in the words of the settings. */
export function answerExamples(
  { config, data }: Pick<Job, 'config' | 'data'>,
  policy: Pick<Policy, 'encodeResponse'>,
): Example[] {
  return data.labelled.map((problem) => {
    const text = config.evolve.sft.text.replaceAll('{answer}', () => problem.answer);
    return { problem, variant: 'solve', response: policy.encodeResponse(text) };
  });
}

/**
 * Labelled problems of the next iteration (P6): an interval of them, or one half of an interval where unlabelled ones take the
 * place of the other, which is the labelled part of the iteration after it.
 */
export function labelledProblems(
  job: Sizes,
  { iterations, mixed }: Reached,
  isMixed: boolean,
): { readonly epoch: number; readonly problems: Problem[] } {
  const { config, data } = job;
  const order = shuffledEpochs(data.labelled.length, config.seed);
  // Once they are mixed in they stay, so the whole intervals came first.
  const interval = iterations - mixed + Math.floor(mixed / 2);
  const { epoch, problems: all } = intervalSlices(order, problemsPerIteration(job))(interval);
  const middle = Math.ceil(all.length / 2);
  const places = !isMixed ? all : mixed % 2 === 0 ? all.slice(0, middle) : all.slice(middle);
  return { epoch, problems: places.flatMap((place) => data.labelled[place] ?? []) };
}

/** Unlabelled problems of the next iteration (P12): half an interval where there are so many; none before they are mixed in. */
function unlabelledProblems(job: Job, reached: Reached): readonly Problem[] {
  const { config, data } = job;
  const size = unlabelledPerIteration(job, reached);
  if (size === 0) return [];
  const order = shuffledEpochs(data.unlabelled.length, config.seed);
  const { problems: places } = intervalSlices(order, size)(reached.mixed);
  return places.flatMap((place) => data.unlabelled[place] ?? []);
}

/**
 * Trains by the run's method and makes the checkpoint `to`; without examples the weights stay those of the origin.
 * @param from the policy that sampled the examples
 * @param reached before this iteration: the optimizer steps that are left end it
 * @param objective of the method grpo
 */
async function improve(
  job: Job,
  phase: Phase,
  from: PolicyAt,
  to: PolicyAt,
  examples: readonly Example[],
  reached: Reached,
  objective?: PolicyObjective,
): Promise<{ readonly origin: PolicyAt; readonly training: FitReport }> {
  const { config, models } = job;
  const { method } = config.evolve;
  const optimizer = optimizerOfNext(config, reached, examples.length);
  const origin = method === 'rest-em' ? 'warmup' : from;
  // A fresh optimizer has a schedule of its own, over the steps of this iteration alone.
  const inherits = method === 'continuous' || method === 'grpo';
  const fresh = inherits ? undefined : optimizerSettings(optimizer, countSteps(examples.length, optimizer));
  const policy = await models.learner(origin, fresh);
  const training = await fit(phase, policy, examples, fitOptions(config, optimizer, objective));
  await phase.save(to, 'policy', (dir) => policy.save(dir, { withTrainer: true }));
  models.advance(to);
  return { origin, training };
}

/** The optimizer of the next iteration, with its limit on steps, and as many passes as that takes where it is to be reached. */
export function optimizerOfNext(
  { evolve }: Pick<Config, 'evolve'>,
  reached: Reached,
  examples: number,
): OptimizerConfig {
  const optimizer = limited(evolve.optimizer, stepsOfNext(evolve, reached));
  if (!isFilled(evolve)) return optimizer;
  return {
    ...optimizer,
    epochs: Math.ceil(optimizer.maxSteps / Math.max(1, Math.ceil(examples / optimizer.batchSize))),
  };
}

/** An optimizer of at most `left` steps; 0 leaves its limit as it is. */
function limited(optimizer: OptimizerConfig, left: number): OptimizerConfig {
  const { maxSteps } = optimizer;
  if (left === 0) return optimizer;
  return { ...optimizer, maxSteps: maxSteps > 0 ? Math.min(maxSteps, left) : left };
}
