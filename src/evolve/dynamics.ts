// Measures the policy: on the validation problems (P13), where the sampling temperature of the next iterations is chosen from
// the scores (P14), and on the test (P15, in-domain), which no decision looks at.
import { UserError } from '../core/errors.js';
import type { Problem } from '../core/types.js';
import { measureGreedy, measureSamples, measureSteps } from '../measure/rollouts.js';
import type { FinalResult, Measurement, SampleMeasure, TemperatureDecision, TestResult } from '../record/results.js';
import type { Rollout } from '../record/rollout.js';
import { type CollectedRows, type Collection, collect, writeCollections } from '../rollout/collect.js';
import type { Phase } from '../run/phase.js';
import { type Job, type PolicyAt, rewardOf, sampleSettings } from './job.js';
import type { MeasureArgs } from './phases.js';
import type { Repeats } from './select.js';

/** Samples the validation problems, at the temperatures of the settings and the one in use; chooses one where that is due. */
export async function dynamics(
  job: Job,
  phase: Phase,
  { at, iteration, temperature, over }: MeasureArgs,
): Promise<Measurement> {
  const { config, data } = job;
  const problems = data.validation.slice(0, config.dynamics.problems || undefined);
  const choice = choosesAfter(job, iteration, over);
  const grid = new Set([...config.dynamics.temperatures, temperature, ...(choice ? config.explore.temperatures : [])]);
  const policy = await job.models.policy(at);
  const { greedy, samples, steps } = await measure(job, phase, at, problems, [...grid], config.dynamics.samples);
  const candidates = samples.filter((one) => config.explore.temperatures.includes(one.temperature));
  const scores = scoresOf(candidates, config.evolve.select.repeats);
  if (choice && candidates.some(({ rewardPassAt2 }) => rewardPassAt2 === null)) {
    const found = `none of the ${problems.length} validation problems could be sampled and scored`;
    throw new UserError(`explore.temperatures: ${found}, wanted one (the journal says why each failed)`);
  }
  const decision = choice ? chooseTemperature(scores, temperature) : null;
  return { iteration, version: policy.version, greedy, samples, steps, decision };
}

/** Reward-Pass@2 at each temperature among what a selection would see: all responses, or those of different text. */
export function scoresOf(
  samples: readonly SampleMeasure[],
  repeats: Repeats,
): { readonly temperature: number; readonly rewardPassAt2: number }[] {
  const measure = repeats === 'drop' ? 'rewardPassAt2Distinct' : 'rewardPassAt2';
  return samples.map((one) => ({ temperature: one.temperature, rewardPassAt2: one[measure] ?? Number.NaN }));
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
 * Greedy and sampled measures of a policy on some problems; writes their rows.
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
): Promise<Pick<Measurement, 'greedy' | 'samples' | 'steps'>> {
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
    const reward = config.prm.enabled ? await rewardOf(job) : undefined;
    const title = `${phase.name}: T ${temperature}`;
    const rollouts = await gather({ ...shared, name: nameOf(temperature), title, n: k, temperature, reward });
    samples.push(measureSamples(rollouts, k, temperature, greedy.accuracy));
    scored.push(...rollouts);
  }
  await writeCollections(phase, `rollouts/${phase.name}.parquet`, rows, settings);
  return { greedy, samples, steps: measureSteps(scored) };
}

/**
 * Picks the temperature with the highest Reward-Pass@2 on the validation problems, 0..1; ties go to the lower temperature (the paper leaves them open).
 * @throws RangeError on an empty list or a score that is not a number
 */
export function chooseTemperature(
  scores: readonly { readonly temperature: number; readonly rewardPassAt2: number }[],
  previous: number,
): TemperatureDecision {
  if (scores.length === 0) throw new RangeError('no temperature was scored');
  const bad = scores.find((score) => Number.isNaN(score.rewardPassAt2) || Number.isNaN(score.temperature));
  if (bad) throw new RangeError(`score of temperature ${bad.temperature}: ${bad.rewardPassAt2}, wanted a number`);
  const ascending = [...scores].sort((a, b) => a.temperature - b.temperature);
  const best = Math.max(...ascending.map((score) => score.rewardPassAt2));
  const tied = ascending.filter((score) => score.rewardPassAt2 === best).map((score) => score.temperature);
  return { chosen: tied[0] as number, previous, best, tied, scores: ascending };
}

/** Greedy accuracy on all problems of a test. */
export async function test(job: Job, phase: Phase, at: PolicyAt, part: 'test' | 'outOfDomain'): Promise<TestResult> {
  const { greedy } = await measure(job, phase, at, job.data[part], [], 1);
  return { at, greedy };
}

/** Pass@K and Reward-Pass@2 on `test.problems` of the test problems, beside greedy on the same ones. */
export async function finalTest(
  job: Job,
  phase: Phase,
  { at, temperature }: { readonly at: PolicyAt; readonly temperature: number },
): Promise<FinalResult> {
  const { config, data } = job;
  const problems = data.test.slice(0, config.test.problems || undefined);
  const k = config.test.samples;
  const { greedy, samples, steps } = await measure(job, phase, at, problems, [temperature], k, () => 'final');
  return { at, greedy, samples: samples[0] as SampleMeasure, steps };
}
