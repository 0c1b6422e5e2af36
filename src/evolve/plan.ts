// The work of a whole job in responses and examples, before it starts: what progress and ETA count down from.
// An estimate where the work depends on results; the phases correct it as they learn more.
import type { PlannedWork } from '../run/progress.js';
import { isFilled, isOver, type Reached, START, shareDone, stepsOfNext } from './budget.js';
import { needsReward, type Rule, selectionRule } from './choose.js';
import { choosesAfter, isMeasured } from './dynamics.js';
import { countSteps } from './fit.js';
import type { Job } from './job.js';
import { takesUnlabelled } from './pseudo.js';

/** Share of responses taken to be right and different, until it is known. */
const USEFUL = 0.5;
/** Steps of a response, until it is known. */
const STEPS = 4;

/** How far to go; each stage includes those before it. */
export type Stage = 'warmup' | 'label' | 'train-prm' | 'evolve';

type Sizes = Pick<Job, 'config' | 'data'>;

/** @param reached iterations that are done, from which the length of the others is estimated */
export function planWork(job: Sizes, until: Stage, reached: Reached = START): PlannedWork[] {
  const work = new Work();
  const { warmup, prm } = job.config;
  const labelled = job.data.labelled.length;
  if (warmup.enabled) {
    const sampled = (warmup.questions || labelled) * warmup.samples;
    const examples = Math.ceil(Math.min(warmup.maxExamples, sampled * USEFUL));
    work.sample('warmup', 'warmup', sampled);
    work.train('warmup', countSteps(examples, warmup.optimizer), warmup.optimizer);
    if (until === 'warmup') return work.parts;
    if (prm.convergeEpochs > 0) {
      const longer = { ...warmup.optimizer, epochs: prm.convergeEpochs };
      work.train('converge', countSteps(examples, longer), longer);
    }
  }
  if (until === 'warmup') return work.parts;
  const asked = Math.min(prm.questions, labelled);
  const pairs = Math.min(prm.pairs, asked * Math.min(prm.maxPerQuestion, prm.samples));
  work.sample('label', 'responses', asked * prm.samples);
  work.sample('label', 'completions', pairs * (STEPS - 1) * prm.completions, 0.5);
  if (until === 'label') return work.parts;
  const heldOut = Math.round(pairs * prm.heldOut);
  work.train('train-prm', countSteps(pairs - heldOut, prm.optimizer), prm.optimizer);
  work.score('train-prm', '', heldOut);
  if (until === 'evolve') planIterations(job, work, reached);
  return work.parts;
}

function planIterations(job: Sizes, work: Work, reached: Reached): void {
  const { config, data } = job;
  const { evolve, dynamics, test } = config;
  const validation = Math.min(dynamics.problems || data.validation.length, data.validation.length);
  const rule = selectionRule(config);
  const questions = questionsPerIteration(job);
  const each = stepsPerIteration(job, rule, reached);
  const stand = (phase: string, temperatures: readonly number[]): void => {
    work.sample(phase, 'greedy', validation);
    for (const temperature of temperatures) {
      work.sample(phase, `t${temperature}`, validation * dynamics.samples);
      work.score(phase, `t${temperature}`, validation * dynamics.samples);
    }
  };
  work.sample('test-base', 'greedy', data.test.length);
  if (config.warmup.enabled) work.sample('test-warmup', 'greedy', data.test.length);
  const checkpoints = config.warmup.enabled ? ['base', 'warmup', 'last'] : ['base', 'last'];
  for (const at of checkpoints) work.sample(`away-${at}`, 'greedy', data.outOfDomain.length);
  stand('dynamics-0000', dynamics.temperatures);
  if (rule.rule === 'threshold' && rule.alpha === 'search') {
    const { alphas } = evolve.select;
    work.sample('search-alpha', 'rollouts', questions * evolve.n);
    work.score('search-alpha', 'rollouts', questions * evolve.n * USEFUL);
    work.train('search-alpha', alphas.length * each, evolve.optimizer);
    work.sample('search-alpha', 'greedy', alphas.length * validation);
  }
  for (let at = START; !isOver(evolve, at); ) {
    const iteration = at.iterations + 1;
    const phase = `iter-${String(iteration).padStart(4, '0')}`;
    const mixed =
      evolve.unlabelled.answers !== 'none' && takesUnlabelled(shareDone(evolve, at), evolve.unlabelled.after);
    const steps = isFilled(evolve) ? stepsOfNext(evolve, at) : each;
    at = { iterations: iteration, steps: at.steps + steps, mixed: at.mixed + (mixed ? 1 : 0) };
    const over = isOver(evolve, at);
    const more = mixed ? Math.min(questions, data.unlabelled.length) * evolve.n : 0;
    const pseudo = mixed && evolve.unlabelled.answers === 'pseudo';
    if (evolve.method !== 'sft') {
      work.sample(phase, 'rollouts', questions * evolve.n + (pseudo ? 0 : more));
      if (needsReward(rule)) work.score(phase, 'rollouts', questions * evolve.n * USEFUL);
    }
    if (pseudo) {
      work.sample(phase, 'unlabelled', more);
      work.score(phase, 'unlabelled', more);
    }
    work.train(phase, Math.round(steps), evolve.optimizer);
    if (isMeasured(job, iteration, over)) {
      const chosen = choosesAfter(job, iteration, over) ? config.explore.temperatures : [];
      stand(phase.replace('iter', 'dynamics'), [...new Set([...dynamics.temperatures, ...chosen])]);
    }
    if (over || iteration % test.every === 0) work.sample(`test-${phase}`, 'greedy', data.test.length);
  }
  const tested = Math.min(test.problems || data.test.length, data.test.length);
  work.sample('test-final', 'greedy', tested);
  work.sample('test-final', 'final', tested * test.samples);
  work.score('test-final', 'final', tested * test.samples);
}

class Work {
  readonly parts: PlannedWork[] = [];

  sample(phase: string, part: string, count: number, length = 1): void {
    this.parts.push({ phase, kind: 'sample', part, count, length });
  }

  score(phase: string, part: string, count: number): void {
    this.parts.push({ phase, kind: 'score', part, count });
  }

  train(phase: string, steps: number, { batchSize }: { readonly batchSize: number }): void {
    this.parts.push({ phase, kind: 'train', count: steps, length: batchSize });
  }
}

/** Optimizer steps of an iteration: the mean of those that are done, or as many as the rule may be expected to keep. */
function stepsPerIteration(job: Sizes, rule: Rule, reached: Reached): number {
  if (reached.steps > 0) return reached.steps / reached.iterations;
  const { n, optimizer } = job.config.evolve;
  const kept = rule.rule === 'top' || rule.rule === 'random' ? rule.k : n * USEFUL;
  return Math.max(1, countSteps(Math.ceil(questionsPerIteration(job) * kept), optimizer));
}

/** Labelled questions that an iteration consumes (P6): a count, or a share of all, at least one. */
export function questionsPerIteration({ config, data }: Pick<Job, 'config' | 'data'>): number {
  const { interval } = config.evolve;
  const labelled = data.labelled.length;
  if (typeof interval === 'number') return Math.min(interval, labelled);
  return Math.max(1, Math.min(labelled, Math.round((Number.parseFloat(interval) / 100) * labelled)));
}

/**
 * Optimizer steps of the policy over all iterations, what its warm-up ratio counts over, known before the first iteration so
 * that one schedule spans them all: `evolve.steps`, or fewer where the iterations end before, as if the rule found all
 * it may keep.
 */
export function plannedSteps(job: Sizes): number {
  const { iterations, steps, evenly, n, optimizer } = job.config.evolve;
  if (evenly) return steps;
  const rule = selectionRule(job.config);
  const perQuestion = rule.rule === 'top' || rule.rule === 'random' ? rule.k : n;
  const most = iterations * countSteps(questionsPerIteration(job) * perQuestion, optimizer);
  if (steps === 0) return most;
  return iterations === 0 ? steps : Math.min(steps, most);
}
