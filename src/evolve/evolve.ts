// The recipe of M-STaR, start to end: warm-up, PRM, then iterations that sample, reward, select, improve and explore.
// Each line is a phase that a run folder commits once; what a phase does is in the file of its name.
import { label } from '../label/label.js';
import type { Phase } from '../run/phase.js';
import { isOver, reach, START } from './budget.js';
import { selectionRule } from './choose.js';
import { completer, converge } from './converge.js';
import { dynamics, isMeasured } from './dynamics.js';
import { Idle } from './idle.js';
import { selfTrain } from './iteration.js';
import { type Job, type PolicyAt, sampleSettings } from './job.js';
import { planWork, type Stage } from './plan.js';
import { searchAlpha } from './search-alpha.js';
import { type Summary, summarise } from './summary.js';
import { finalTest, test } from './test.js';
import { trainPrm } from './train-prm.js';
import { warmup } from './warmup.js';

/** Runs the recipe up to a stage; phases that the run folder has committed are not done again. */
export async function evolve(job: Job, until: Stage = 'evolve'): Promise<Summary> {
  const { config, run } = job;
  run.plan(planWork(job, until));
  if (config.warmup.enabled) await run.phase('warmup', (phase) => warmup(job, phase));
  if (until !== 'warmup') {
    if (completer(config) === 'converged') await run.phase('converge', (phase) => converge(job, phase));
    await run.phase('label', (phase) => labels(job, phase));
  }
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
  const away = async (of: PolicyAt): Promise<void> => {
    if (job.data.outOfDomain.length === 0) return;
    await run.phase(`away-${of}`, (phase) => test(job, phase, of, 'outOfDomain'));
  };
  await away('base');
  if (config.warmup.enabled) await away('warmup');
  await run.phase('dynamics-0000', (phase) => dynamics(job, phase, 'warmup', 0, temperature, false));
  const chosen = selectionRule(config);
  const rule =
    chosen.rule === 'threshold' && chosen.alpha === 'search'
      ? await run.phase('search-alpha', (phase) => searchAlpha(job, phase, temperature))
      : chosen;
  const idle = new Idle(job);
  for (let reached = START; !isOver(config.evolve, reached); ) {
    const iteration = reached.iterations + 1;
    const number = String(iteration).padStart(4, '0');
    const [from, before] = [at, reached];
    at = `iter-${number}`;
    const result = await run.phase(at, (phase) => selfTrain(job, phase, rule, before, from, temperature));
    reached = reach(reached, result);
    idle.check(result);
    const over = isOver(config.evolve, reached);
    run.plan(planWork(job, 'evolve', reached));
    if (isMeasured(job, iteration, over)) {
      const standing = await run.phase(`dynamics-${number}`, (phase) =>
        dynamics(job, phase, at, iteration, temperature, over),
      );
      temperature = standing.decision?.chosen ?? temperature;
    }
    if (over || iteration % config.test.every === 0) await run.phase(`test-${at}`, (phase) => test(job, phase, at));
  }
  await away(at);
  await run.phase('test-final', (phase) => finalTest(job, phase, at, temperature));
}

async function labels({ config, run, data, models }: Job, phase: Phase): ReturnType<typeof label> {
  const policy = await models.policy(completer(config));
  return label(phase, run.dir, policy, data.labelled, config.prm, sampleSettings(config));
}
