// One iteration (P5, P6): samples, grades and scores the next problems, selects, trains on what was selected.

import type { Problem } from '../core/types.js';
import { intervalSlices, shuffledEpochs } from '../data/splits.js';
import type { IterationResult } from '../record/results.js';
import type { RatedResponse } from '../record/rollout.js';
import { type Collection, collect, writeCollections } from '../rollout/collect.js';
import type { Phase } from '../run/phase.js';
import { problemsPerIteration, type Reached, unlabelledPerIteration } from './budget.js';
import { Choice, needsReward } from './choose.js';
import { warmupExamples } from './completer.js';
import { improve } from './improve.js';
import { type Job, type Sizes, sampleSettings } from './job.js';
import { type IterationArgs, iterationName, phases, resultsOf } from './phases.js';
import { pseudoLabel } from './pseudo.js';

/** The iteration after those of `reached`. */
export async function selfTrain(
  job: Job,
  phase: Phase,
  { rule, reached, from, temperature }: IterationArgs,
): Promise<IterationResult> {
  if (job.config.evolve.method === 'sft') return fineTune(job, phase, reached);
  const number = reached.iterations + 1;
  const { config, run, models } = job;
  const settings = sampleSettings(job);
  const { epoch, problems } = labelledProblems(job, number);
  const extra = unlabelledProblems(job, reached);
  const { answers } = config.evolve.unlabelled;
  const policy = await models.policy(from);
  const { version } = policy;
  const reward = needsReward(rule) ? await rewardCorrect(job) : undefined;
  const known: Collection = {
    name: 'rollouts',
    title: `iteration ${number}`,
    problems: answers === 'oracle' ? [...problems, ...extra] : problems,
    variant: 'solve',
    n: config.evolve.n,
    temperature,
    reward,
  };
  const choice = new Choice(rule, config.seed, phase.draws, job.custom?.select);
  for await (const rollouts of collect(phase, policy, known, settings)) await choice.add(rollouts);
  const collections = [known];
  if (answers === 'pseudo' && extra.length > 0) {
    const hidden = { ...known, name: 'unlabelled', problems: extra, reward: await rewardAll(job) };
    collections.push(hidden);
    const votes = { problems: 0, voted: 0, right: 0 };
    for await (const rollouts of collect(phase, policy, hidden, settings)) {
      const labelled = rollouts.map(pseudoLabel);
      votes.problems += labelled.length;
      votes.voted += labelled.filter(({ right }) => right !== null).length;
      votes.right += labelled.filter(({ right }) => right === true).length;
      await choice.add(labelled.map(({ rollout }) => rollout));
    }
    phase.record('pseudo', votes);
  }
  phase.record('choice', { ...choice.counts });
  const { sampled, correct, selected } = choice.counts;
  if (selected === 0)
    phase.say(`iteration ${number}: none of ${sampled} responses (${correct} right) was selected, the weights stay`);
  const rows = collections.map((collection) => ({ collection, version, selected: choice.selected }));
  await writeCollections(phase, run.dir, `rollouts/${phase.name}.parquet`, rows, settings);
  const to = iterationName(number);
  const { origin, training } = await improve(job, phase, from, to, choice.examples, reached);
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

/** The method sft: the one iteration, on the warm-up's examples; its counts are those of the warm-up. */
async function fineTune(job: Job, phase: Phase, reached: Reached): Promise<IterationResult> {
  const examples = await warmupExamples(job);
  const to = iterationName(1);
  const { origin, training } = await improve(job, phase, 'warmup', to, examples, reached);
  const [warmup] = resultsOf(phases.warmup, job.run.journal.commits, job.run.dir);
  if (!warmup) throw new Error('fine-tuning on the examples of a warm-up that was not done');
  const { choice } = warmup;
  const { temperature } = job.config.warmup;
  return { iteration: 1, epoch: 0, temperature, origin, unlabelled: 0, choice, training };
}

/** Problems of iteration 1, 2, ... (P6). */
export function labelledProblems(job: Sizes, number: number): { readonly epoch: number; readonly problems: Problem[] } {
  const { config, data } = job;
  const order = shuffledEpochs(data.labelled.length, config.seed);
  const { epoch, problems: places } = intervalSlices(order, problemsPerIteration(job))(number - 1);
  return { epoch, problems: places.flatMap((place) => data.labelled[place] ?? []) };
}

/** Unlabelled problems of an iteration (P12), as many as labelled ones where there are so many; none before they are mixed in. */
function unlabelledProblems(job: Job, reached: Reached): readonly Problem[] {
  const { config, data } = job;
  const size = unlabelledPerIteration(job, reached);
  if (size === 0) return [];
  const order = shuffledEpochs(data.unlabelled.length, config.seed);
  const { problems: places } = intervalSlices(order, size)(reached.mixed);
  return places.flatMap((place) => data.unlabelled[place] ?? []);
}

/** The vote weighs every response. */
async function rewardAll({ config, models }: Job): Promise<NonNullable<Collection['reward']>> {
  return { scorer: await models.scorer(), aggregate: config.prm.aggregate, wanted: () => true };
}

/** Only correct responses can be selected (P9), so only they are scored. */
export async function rewardCorrect({ config, models }: Job): Promise<NonNullable<Collection['reward']>> {
  const wanted = ({ grade }: RatedResponse): boolean => grade.verdict === 'correct';
  return { scorer: await models.scorer(), aggregate: config.prm.aggregate, wanted };
}
