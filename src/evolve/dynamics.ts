// Measures the policy on the validation problems (P13): greedy accuracy, Pass@K, their gap and Reward-Pass@2 per temperature.
import { UserError } from '../core/errors.js';
import type { Problem } from '../core/types.js';
import { measureGreedy, measureSamples, measureSteps } from '../measure/rollouts.js';
import type { Measurement, SampleMeasure } from '../record/results.js';
import type { Rollout } from '../record/rollout.js';
import { type CollectedRows, type Collection, collect, writeCollections } from '../rollout/collect.js';
import type { Phase } from '../run/phase.js';
import { chooseTemperature } from './explore.js';
import { type Job, type PolicyAt, sampleSettings } from './job.js';
import type { MeasureArgs } from './phases.js';

/** Samples the validation problems, at the temperatures of the settings and the one in use; chooses one where that is due. */
export async function dynamics(
  job: Job,
  phase: Phase,
  { at, iteration, temperature, over }: MeasureArgs,
): Promise<Measurement> {
  const { config, run, data } = job;
  const problems = data.validation.slice(0, config.dynamics.problems || undefined);
  const choice = choosesAfter(job, iteration, over);
  const grid = new Set([...config.dynamics.temperatures, temperature, ...(choice ? config.explore.temperatures : [])]);
  const policy = await job.models.policy(at);
  const { greedy, samples, steps, rows } = await measure(job, phase, at, problems, [...grid], config.dynamics.samples);
  await writeCollections(phase, run.dir, `rollouts/${phase.name}.parquet`, rows, sampleSettings(job));
  const candidates = samples.filter((one) => config.explore.temperatures.includes(one.temperature));
  const scores = candidates.map((one) => ({
    temperature: one.temperature,
    rewardPassAt2: one.rewardPassAt2 ?? Number.NaN,
  }));
  if (choice && candidates.some(({ rewardPassAt2 }) => rewardPassAt2 === null)) {
    const found = `none of the ${problems.length} validation problems could be sampled and scored`;
    throw new UserError(`explore.temperatures: ${found}, wanted one (the journal says why each failed)`);
  }
  const decision = choice ? chooseTemperature(scores, temperature) : null;
  return { iteration, version: policy.version, greedy, samples, steps, decision };
}

/** Whether the temperature is chosen anew after an iteration; not after the last, as nothing is sampled for training then. */
export function choosesAfter({ config }: Pick<Job, 'config'>, iteration: number, over: boolean): boolean {
  const { adaptive, every } = config.explore;
  return adaptive && iteration > 0 && iteration % every === 0 && !over;
}

/** Whether the policy is measured after an iteration. */
export function isMeasured(job: Pick<Job, 'config'>, iteration: number, over: boolean): boolean {
  return over || iteration % job.config.dynamics.every === 0 || choosesAfter(job, iteration, over);
}

/**
 * Greedy and sampled measures of a policy on some problems, with the rows to write.
 * @param nameOf names the pass at a temperature, unique in the phase
 */
export async function measure(
  job: Job,
  phase: Phase,
  at: PolicyAt,
  problems: readonly Problem[],
  temperatures: readonly number[],
  k: number,
  nameOf: (temperature: number) => string = (temperature) => `t${temperature}`,
): Promise<Pick<Measurement, 'greedy' | 'samples' | 'steps'> & { rows: CollectedRows[] }> {
  const { config, models } = job;
  const settings = sampleSettings(job);
  const policy = await models.policy(at);
  const { version } = policy;
  const rows: CollectedRows[] = [];
  const gather = async (collection: Collection): Promise<Rollout[]> => {
    const gathered: Rollout[] = [];
    for await (const rollouts of collect(phase, policy, collection, settings)) gathered.push(...rollouts);
    rows.push({ collection, version });
    return gathered;
  };
  const shared = { problems, variant: 'solve' } as const;
  const title = `${phase.name}: greedy`;
  const greedy = measureGreedy(await gather({ ...shared, name: 'greedy', title, n: 1, temperature: 0 }), config.seed);
  const samples: SampleMeasure[] = [];
  const scored: Rollout[] = [];
  for (const temperature of [...temperatures].sort((a, b) => a - b)) {
    const reward = { scorer: await models.scorer(), aggregate: config.prm.aggregate, wanted: () => true };
    const title = `${phase.name}: T ${temperature}`;
    const rollouts = await gather({ ...shared, name: nameOf(temperature), title, n: k, temperature, reward });
    samples.push(measureSamples(rollouts, k, temperature, greedy.accuracy));
    scored.push(...rollouts);
  }
  return { greedy, samples, steps: measureSteps(scored), rows };
}
