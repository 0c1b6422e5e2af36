// The work of a whole job in responses and examples, before it starts: what progress and ETA count down from.
// An estimate where the work depends on results; the phases correct it as they learn more.
import type { PlannedWork } from '../run/progress.js';
import { needsReward, selectionRule } from './choose.js';
import { choosesAfter } from './dynamics.js';
import { countSteps } from './fit.js';
import type { Job } from './job.js';
import { takesUnlabelled } from './pseudo.js';

/** Share of responses taken to be right and different, until it is known. */
const USEFUL = 0.5;
/** Steps of a response, until it is known. */
const STEPS = 4;

/** How far to go; each stage includes those before it. */
export type Stage = 'warmup' | 'label' | 'train-prm' | 'evolve';

export function planWork({ config, data }: Pick<Job, 'config' | 'data'>, until: Stage): PlannedWork[] {
  const { warmup, prm, evolve, dynamics } = config;
  const labelled = data.labelled.length;
  const work: PlannedWork[] = [];
  const sample = (phase: string, part: string, count: number, length = 1) =>
    work.push({ phase, kind: 'sample', part, count, length });
  const score = (phase: string, part: string, count: number) => work.push({ phase, kind: 'score', part, count });
  const train = (phase: string, examples: number, optimizer: Parameters<typeof countSteps>[1]) =>
    work.push({ phase, kind: 'train', count: countSteps(Math.ceil(examples), optimizer), length: optimizer.batchSize });
  const stand = (phase: string, problems: number, temperatures: readonly number[], samples: number): void => {
    sample(phase, 'greedy', problems);
    for (const temperature of temperatures) {
      sample(phase, `t${temperature}`, problems * samples);
      score(phase, `t${temperature}`, problems * samples);
    }
  };

  if (warmup.enabled) {
    const sampled = (warmup.questions || labelled) * warmup.samples;
    sample('warmup', 'warmup', sampled);
    train('warmup', Math.min(warmup.maxExamples, sampled * USEFUL), warmup.optimizer);
  }
  if (until === 'warmup') return work;
  const asked = Math.min(prm.questions, labelled);
  const pairs = Math.min(prm.pairs, asked * Math.min(prm.maxPerQuestion, prm.samples));
  sample('label', 'responses', asked * prm.samples);
  sample('label', 'completions', pairs * (STEPS - 1) * prm.completions, 0.5);
  if (until === 'label') return work;
  train('train-prm', pairs, prm.optimizer);
  if (until === 'train-prm') return work;

  const validation = Math.min(dynamics.problems || data.validation.length, data.validation.length);
  const rule = selectionRule(config);
  const questions = questionsPerIteration({ config, data });
  const kept = rule.rule === 'top' || rule.rule === 'random' ? rule.k : evolve.n * USEFUL;
  stand('test-base', data.test.length, [], 0);
  if (warmup.enabled) stand('test-warmup', data.test.length, [], 0);
  stand('dynamics-0000', validation, dynamics.temperatures, dynamics.samples);
  for (let iteration = 1; iteration <= evolve.iterations; iteration++) {
    const number = String(iteration).padStart(4, '0');
    sample(`iter-${number}`, 'rollouts', questions * evolve.n);
    if (
      evolve.unlabelled.answers !== 'none' &&
      takesUnlabelled(iteration, evolve.iterations, evolve.unlabelled.after)
    ) {
      const more = Math.min(questions, data.unlabelled.length) * evolve.n;
      if (evolve.unlabelled.answers === 'pseudo') {
        sample(`iter-${number}`, 'unlabelled', more);
        score(`iter-${number}`, 'unlabelled', more);
      } else sample(`iter-${number}`, 'rollouts', more);
    }
    if (needsReward(rule)) score(`iter-${number}`, 'rollouts', questions * evolve.n * USEFUL);
    train(`iter-${number}`, questions * kept, evolve.optimizer);
    const chosen = choosesAfter({ config }, iteration) ? config.explore.temperatures : [];
    stand(`dynamics-${number}`, validation, [...new Set([...dynamics.temperatures, ...chosen])], dynamics.samples);
    stand(`test-iter-${number}`, data.test.length, [], 0);
  }
  const tested = Math.min(config.test.problems || data.test.length, data.test.length);
  work.push({ phase: 'test-final', kind: 'sample', part: 'greedy', count: tested });
  work.push({ phase: 'test-final', kind: 'sample', part: 'final', count: tested * config.test.samples });
  work.push({ phase: 'test-final', kind: 'score', part: 'final', count: tested * config.test.samples });
  return work;
}

/** Labelled questions that an iteration consumes (P6): a count, or a share of all, at least one. */
export function questionsPerIteration({ config, data }: Pick<Job, 'config' | 'data'>): number {
  const { interval } = config.evolve;
  const labelled = data.labelled.length;
  if (typeof interval === 'number') return Math.min(interval, labelled);
  return Math.max(1, Math.min(labelled, Math.round((Number.parseFloat(interval) / 100) * labelled)));
}

/**
 * Optimizer steps of the policy over all iterations, as if the rule found all it may keep: what its warm-up ratio counts
 * over, known before the first iteration so that one schedule spans them all.
 */
export function plannedSteps({ config, data }: Pick<Job, 'config' | 'data'>): number {
  const { iterations, n, optimizer } = config.evolve;
  const rule = selectionRule(config);
  const perQuestion = rule.rule === 'top' || rule.rule === 'random' ? rule.k : n;
  return iterations * countSteps(questionsPerIteration({ config, data }) * perQuestion, optimizer);
}
