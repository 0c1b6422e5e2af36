// The recipe of M-STaR, start to end: warm-up, PRM, then iterations that sample, reward, select, improve and explore.
// Each line is a phase that a run folder commits once; what a phase does is in the file of its name.
import type { Problem } from '../core/types.js';
import { intervalSlices, shuffledEpochs } from '../data/splits.js';
import { label } from '../label/label.js';
import { type Collection, collect, writeCollections } from '../rollout/collect.js';
import type { RatedResponse } from '../rollout/rollout.js';
import type { Phase } from '../run/phase.js';
import { Choice, needsReward, selectionRule } from './choose.js';
import { dynamics } from './dynamics.js';
import { type IterationResult, improve } from './improve.js';
import { type Job, type PolicyAt, sampleSettings } from './job.js';
import { planWork, questionsPerIteration, type Stage } from './plan.js';
import { pseudoLabel, takesUnlabelled } from './pseudo.js';
import { type Summary, summarise } from './summary.js';
import { finalTest, test } from './test.js';
import { trainPrm } from './train-prm.js';
import { warmup } from './warmup.js';

/** Runs the recipe up to a stage; phases that the run folder has committed are not done again. */
export async function evolve(job: Job, until: Stage = 'evolve'): Promise<Summary> {
  const { config, run } = job;
  run.progress.plan(planWork(job, until));
  if (config.warmup.enabled) await run.phase('warmup', (phase) => warmup(job, phase));
  if (until !== 'warmup') await run.phase('label', (phase) => labels(job, phase));
  if (until === 'train-prm' || until === 'evolve') await run.phase('train-prm', (phase) => trainPrm(job, phase));
  if (until === 'evolve') await iterate(job);
  return summarise(job);
}

async function iterate(job: Job): Promise<void> {
  const { config, run } = job;
  let at: PolicyAt = 'warmup';
  let { temperature } = config.evolve;
  await run.phase('test-base', (phase) => test(job, phase, 'base'));
  if (config.warmup.enabled) await run.phase('test-warmup', (phase) => test(job, phase, 'warmup'));
  await run.phase('dynamics-0000', (phase) => dynamics(job, phase, 'warmup', 0, temperature));
  for (let iteration = 1; iteration <= config.evolve.iterations; iteration++) {
    const number = String(iteration).padStart(4, '0');
    const from = at;
    at = `iter-${number}`;
    await run.phase(at, (phase) => selfTrain(job, phase, iteration, from, temperature));
    const standing = await run.phase(`dynamics-${number}`, (phase) => dynamics(job, phase, at, iteration, temperature));
    temperature = standing.decision?.chosen ?? temperature;
    await run.phase(`test-${at}`, (phase) => test(job, phase, at));
  }
  await run.phase('test-final', (phase) => finalTest(job, phase, at, temperature));
}

/** One iteration: sample, grade and score the next questions, select, train on what was selected. */
async function selfTrain(
  job: Job,
  phase: Phase,
  iteration: number,
  from: PolicyAt,
  temperature: number,
): Promise<IterationResult> {
  const { config, run, data, models } = job;
  const { n } = config.evolve;
  const settings = sampleSettings(config);
  const order = shuffledEpochs(data.labelled.length, config.seed);
  const { epoch, questions } = intervalSlices(order, questionsPerIteration(job))(iteration - 1);
  const problems = questions.flatMap((place) => data.labelled[place] ?? []);
  const policy = await models.policy(from);
  const { version } = policy;
  const rule = selectionRule(config);
  const title = `iteration ${iteration}/${config.evolve.iterations}`;
  const extra = unlabelledProblems(job, iteration);
  const { answers } = config.evolve.unlabelled;
  const reward = needsReward(rule) ? await rewardCorrect(job) : undefined;
  const known: Collection = {
    name: 'rollouts',
    title,
    problems: answers === 'oracle' ? [...problems, ...extra] : problems,
    variant: 'solve',
    n,
    temperature,
    reward,
  };
  const choice = new Choice(rule, config.seed, phase.name);
  for await (const rollouts of collect(phase, policy, known, settings)) choice.add(rollouts);
  const collections = [known];
  if (answers === 'pseudo' && extra.length > 0) {
    const hidden = { ...known, name: 'unlabelled', problems: extra, reward: await rewardAll(job) };
    collections.push(hidden);
    const votes = { questions: 0, voted: 0, right: 0 };
    for await (const rollouts of collect(phase, policy, hidden, settings)) {
      const labelled = rollouts.map(pseudoLabel);
      votes.questions += labelled.length;
      votes.voted += labelled.filter(({ right }) => right !== null).length;
      votes.right += labelled.filter(({ right }) => right === true).length;
      choice.add(labelled.map(({ rollout }) => rollout));
    }
    phase.record('pseudo', votes);
  }
  phase.record('choice', { ...choice.counts });
  const rows = collections.map((collection) => ({ collection, version, selected: choice.selected }));
  await writeCollections(phase, run.dir, `rollouts/${phase.name}.parquet`, rows, settings);
  const { origin, training } = await improve(job, phase, from, phase.name as PolicyAt, choice.examples);
  return { iteration, epoch, temperature, origin, choice: choice.counts, training };
}

/** Unlabelled questions of an iteration (P12), as many as labelled ones where there are so many; none before they are mixed in. */
function unlabelledProblems(job: Job, iteration: number): readonly Problem[] {
  const { config, data } = job;
  const { iterations, unlabelled } = config.evolve;
  if (unlabelled.answers === 'none' || data.unlabelled.length === 0) return [];
  if (!takesUnlabelled(iteration, iterations, unlabelled.after)) return [];
  const begun = iteration - 1 - Math.round(unlabelled.after * iterations);
  const order = shuffledEpochs(data.unlabelled.length, config.seed);
  const { questions } = intervalSlices(order, Math.min(questionsPerIteration(job), data.unlabelled.length))(begun);
  return questions.flatMap((place) => data.unlabelled[place] ?? []);
}

/** The vote weighs every response. */
async function rewardAll({ config, models }: Job): Promise<NonNullable<Collection['reward']>> {
  return { scorer: await models.scorer(), aggregate: config.prm.aggregate, wanted: () => true };
}

/** Only correct responses can be selected (P9), so only they are scored. */
async function rewardCorrect({ config, models }: Job): Promise<NonNullable<Collection['reward']>> {
  const wanted = ({ grade }: RatedResponse): boolean => grade.verdict === 'correct';
  return { scorer: await models.scorer(), aggregate: config.prm.aggregate, wanted };
}

async function labels({ config, run, data, models }: Job, phase: Phase): ReturnType<typeof label> {
  return label(phase, run.dir, await models.policy('warmup'), data.labelled, config.prm, sampleSettings(config));
}
