// Finds the threshold of the selection rule `threshold` by grid search on the validation problems (P10). The paper names
// no more than the step of the grid and the problems. Here the first iteration is sampled once, the warm-up is trained on
// it with each threshold, and the greedy accuracy on the validation problems decides.
import { measureGreedy } from '../measure/rollouts.js';
import type { ThresholdDecision } from '../record/results.js';
import { countTokens, type Rollout } from '../record/rollout.js';
import { type Collection, collect, writeCollections } from '../rollout/collect.js';
import { generate } from '../rollout/generate.js';
import type { Phase } from '../run/phase.js';
import { plannedSteps, START } from './budget.js';
import { Choice } from './choose.js';
import { fit, optimizerSettings } from './fit.js';
import { labelledProblems, optimizerOfNext } from './iteration.js';
import { isCorrect, type Job, rewardOf, sampleSettings } from './job.js';

type ThresholdScore = ThresholdDecision['scores'][number];

/** Tries each threshold and takes the best; the weights that the trials made are thrown away. */
export async function searchThreshold(job: Job, phase: Phase, temperature: number): Promise<ThresholdDecision> {
  const { config, models } = job;
  const settings = sampleSettings(job);
  const { problems } = labelledProblems(job, START, false);
  const policy = await models.policy('warmup');
  const { version } = policy;
  const { n, select } = config.evolve;
  const shared = { title: 'thresholds', variant: 'solve', n, temperature, problems } as const;
  const collection: Collection = { ...shared, name: 'rollouts', reward: await rewardOf(job, isCorrect) };
  const rollouts: Rollout[] = [];
  for await (const some of collect(phase, policy, collection, settings)) rollouts.push(...some);
  await writeCollections(phase, `rollouts/${phase.name}.parquet`, [{ collection, version }], settings);
  const scores: ThresholdScore[] = [];
  for (const threshold of [...select.thresholds].sort((a, b) => a - b)) {
    const { value } = await phase.unit(`threshold-${threshold}`, () => tryThreshold(job, phase, threshold, rollouts));
    phase.count('trained', value.trained);
    phase.count('sampled', value.sampled);
    scores.push(value.score);
  }
  const decision = chooseThreshold(scores);
  phase.record('threshold', { ...decision, scores: scores.map((score) => ({ ...score })) });
  // The next phase samples with the warm-up, not with the last trial.
  await models.forgetPolicy();
  return decision;
}

async function tryThreshold(
  job: Job,
  phase: Phase,
  threshold: number,
  rollouts: readonly Rollout[],
): Promise<{ score: ThresholdScore; trained: number; sampled: number }> {
  const { config, data, models } = job;
  const choice = new Choice({ rule: 'threshold', threshold }, config.seed, phase.draws, config.evolve.select.repeats);
  await choice.add(rollouts);
  const { selected, kept } = choice.counts;
  if (selected === 0) return { score: { threshold, selected, kept, steps: 0, accuracy: null }, trained: 0, sampled: 0 };
  await models.forgetPolicy();
  const optimizer = optimizerOfNext(config, START, selected);
  const learner = await models.learner('warmup', optimizerSettings(optimizer, plannedSteps(job)));
  let trained = 0;
  const training = await fit(phase, learner, choice.examples, {
    optimizer,
    seed: config.seed,
    every: 0,
    trial: ({ tokens }) => {
      trained += tokens;
    },
  });
  const { seed, delimiter, grader, maxTokens, topK, topP } = sampleSettings(job);
  const draw = {
    variant: 'solve',
    n: 1,
    sampling: { temperature: 0, topK, topP, maxTokens },
    seed,
    purpose: `${phase.draws}/greedy`,
    delimiter,
    grader,
  } as const;
  const meter = phase.meter('sample', `threshold ${threshold}: greedy`, 'greedy');
  const problems = data.validation.slice(0, config.dynamics.problems || undefined);
  const greedy = await generate(learner, problems, draw, { signal: phase.signal, meter });
  const { accuracy } = measureGreedy(greedy, seed);
  return {
    score: { threshold, selected, kept, steps: training.steps, accuracy },
    trained,
    sampled: countTokens(greedy),
  };
}

/** The highest accuracy; of equals the lowest threshold, which keeps most. Thresholds that keep nothing come last. */
export function chooseThreshold(scores: readonly ThresholdScore[]): ThresholdDecision {
  const ascending = [...scores].sort((a, b) => a.threshold - b.threshold);
  const rank = ({ accuracy }: ThresholdScore): number => accuracy ?? Number.NEGATIVE_INFINITY;
  const best = Math.max(...ascending.map(rank));
  const tied = ascending.filter((score) => rank(score) === best).map(({ threshold }) => threshold);
  return { chosen: tied[0] as number, tied, scores: ascending };
}
