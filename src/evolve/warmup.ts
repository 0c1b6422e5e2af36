// The warm-up (P3): chains of thought sampled with the answer given, those that reach it kept, fine-tuning without it. And the
// completer (P7, P8): the warm-up trained on its own examples for longer. It samples the completions that step labels are made
// from, and the PRM starts from its weights.

import { join } from 'node:path';
import type { Config } from '../config/schema.js';
import { stopIfAsked, UserError } from '../core/errors.js';
import type { Policy } from '../core/ports.js';
import { random } from '../core/random.js';
import type { Example, Problem } from '../core/types.js';
import type { WrittenExample } from '../data/problems.js';
import { readSelected } from '../record/groups.js';
import type { FitReport, WarmupResult } from '../record/results.js';
import { type Collection, collect, writeCollections } from '../rollout/collect.js';
import { requireOutputs } from '../run/outputs.js';
import type { Phase } from '../run/phase.js';
import { Choice, NOTHING_CHOSEN } from './choose.js';
import { countSteps, fit, fitOptions, optimizerSettings } from './fit.js';
import { type Job, type PolicyAt, sampleSettings } from './job.js';

/** Makes the checkpoint `warmup`. */
export async function warmup(job: Job, phase: Phase): Promise<WarmupResult> {
  const { config, data, models } = job;
  const { problems, samples, temperature, repeats, maxPerProblem, maxExamples } = config.warmup;
  const settings = sampleSettings(job);
  const policy = await models.policy('base');
  if (job.given?.examples) {
    const onFailed = (problem: Problem, reason: string): void =>
      phase.record('failed', { problem: problem.id, reason });
    const examples = await encodeGiven(job, job.given.examples, policy, onFailed);
    if (examples.length === 0)
      throw new UserError('warmup.from: no example can be used, wanted at least one (the journal says why)');
    const choice = { ...NOTHING_CHOSEN, problems: job.given.examples.length, selected: examples.length };
    return { choice, training: await trainWarmup(job, phase, policy, examples) };
  }
  const shuffled = random(config.seed, 'warmup/questions').shuffle(data.labelled);
  const collection: Collection = {
    name: 'warmup',
    title: 'warm-up',
    problems: problems > 0 ? shuffled.slice(0, problems) : shuffled,
    variant: 'givenAnswer',
    n: samples,
    temperature,
  };
  const rule = maxPerProblem > 0 ? ({ rule: 'random', k: maxPerProblem } as const) : ({ rule: 'all' } as const);
  const choice = new Choice(rule, config.seed, 'warmup', repeats, undefined, maxExamples);
  for await (const rollouts of collect(phase, policy, collection, settings)) await choice.add(rollouts);
  phase.record('choice', { ...choice.counts });
  if (choice.counts.selected === 0) {
    const { sampled, correct } = choice.counts;
    const remedy =
      correct > 0
        ? `${correct} were cut off: raise sampling.maxTokens`
        : 'raise warmup.problems or warmup.samples, or change prompt.givenAnswer';
    throw new UserError(`warm-up: none of ${sampled} responses reached its answer, wanted at least one (${remedy})`);
  }
  const rows = { collection, version: policy.version, selected: choice.selected };
  await writeCollections(phase, 'rollouts/warmup.parquet', [rows], settings);
  return { choice: choice.counts, training: await trainWarmup(job, phase, policy, choice.examples) };
}

async function trainWarmup(
  { config, models }: Job,
  phase: Phase,
  policy: Policy,
  examples: readonly Example[],
): Promise<FitReport> {
  const { optimizer } = config.warmup;
  await policy.resetOptimizer(optimizerSettings(optimizer, countSteps(examples.length, optimizer)));
  const training = await fit(phase, policy, examples, fitOptions(config, optimizer));
  await phase.save('warmup', 'policy', (dir) => policy.save(dir));
  // Later phases start from the folder, as they would after a restart: saving may round the weights.
  await models.forgetPolicy();
  return training;
}

/** Those of the given examples that the limit leaves, in the tokens of the policy and in their order. */
async function encodeGiven(
  { config, run }: Pick<Job, 'config' | 'run'>,
  given: readonly WrittenExample[],
  policy: Policy,
  onFailed: (problem: Problem, reason: string) => void = () => {},
): Promise<Example[]> {
  const places = random(config.seed, 'warmup/cap').order(given.length).slice(0, config.warmup.maxExamples);
  const examples: Example[] = [];
  for (const place of places.sort((a, b) => a - b)) {
    stopIfAsked(run.signal);
    const { problem, response } = given[place] as WrittenExample;
    try {
      const { tokens } = await policy.encodeSteps(problem, response, [response.length], true);
      examples.push({ problem, variant: 'solve', response: tokens });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      onFailed(problem, error.message);
    }
  }
  return examples;
}

/** Where the completer's weights are: the warm-up's own where it is not trained longer. */
export function completerAt({ warmup, prm }: Config): PolicyAt {
  return warmup.enabled && prm.completerEpochs > 0 ? 'completer' : 'warmup';
}

/** The examples of the warm-up: those that were given, or from the table that it left. `at`: weights to open a policy with. */
export async function warmupExamples(job: Job, at: PolicyAt): Promise<Example[]> {
  const { run, data, models, given } = job;
  if (given?.examples) return encodeGiven(job, given.examples, await models.policy(at));
  const table = 'rollouts/warmup.parquet';
  await requireOutputs(run.dir, [table]);
  return readSelected(join(run.dir, table), data.labelled);
}

/** Makes the checkpoint `completer`. */
export async function trainCompleter(job: Job, phase: Phase): Promise<FitReport> {
  const { config, models } = job;
  const optimizer = { ...config.warmup.optimizer, epochs: config.prm.completerEpochs };
  const examples = await warmupExamples(job, 'warmup');
  const policy = await models.learner('warmup', optimizerSettings(optimizer, countSteps(examples.length, optimizer)));
  const training = await fit(phase, policy, examples, fitOptions(config, optimizer));
  await phase.save('completer', 'completer', (dir) => policy.save(dir));
  // Later phases start from the folder, as they would after a restart: saving may round the weights.
  await models.forgetPolicy();
  return training;
}
