// The test (P15, in-domain): greedy accuracy of any checkpoint, and sampled measures of the last one. Nothing measured
// here is used for a decision.
import type { FinalResult, SampleMeasure, TestResult } from '../record/results.js';
import { writeCollections } from '../rollout/collect.js';
import type { Phase } from '../run/phase.js';
import { measure } from './dynamics.js';
import { type Job, type PolicyAt, sampleSettings } from './job.js';

/** Greedy accuracy on all problems of a test. */
export async function test(job: Job, phase: Phase, at: PolicyAt, part: 'test' | 'outOfDomain'): Promise<TestResult> {
  const { run, data } = job;
  const { greedy, rows } = await measure(job, phase, at, data[part], [], 1);
  await writeCollections(phase, run.dir, `rollouts/${phase.name}.parquet`, rows, sampleSettings(job));
  return { at, greedy };
}

/** Pass@K and Reward-Pass@2 on `test.problems` of the test problems, beside greedy on the same ones. */
export async function finalTest(
  job: Job,
  phase: Phase,
  { at, temperature }: { readonly at: PolicyAt; readonly temperature: number },
): Promise<FinalResult> {
  const { config, run, data } = job;
  const problems = data.test.slice(0, config.test.problems || undefined);
  const k = config.test.samples;
  const { greedy, samples, steps, rows } = await measure(job, phase, at, problems, [temperature], k, () => 'final');
  await writeCollections(phase, run.dir, `rollouts/${phase.name}.parquet`, rows, sampleSettings(job));
  return { at, greedy, samples: samples[0] as SampleMeasure, steps };
}
