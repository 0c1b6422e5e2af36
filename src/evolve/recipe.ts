// The recipe of M-STaR, start to end: warm-up, PRM, then iterations that sample, reward, select, improve and explore.
// phases.ts says what each phase is and does; evolve.ts does them and counts their work, both by this one walk.
import type { Phase } from '../run/phase.js';
import { Idle, isOver, reach, START } from './budget.js';
import { type SearchedRule, selectionRule } from './choose.js';
import { isMeasured } from './dynamics.js';
import type { Work } from './evolve.js';
import type { Job, PolicyAt, Sizes } from './job.js';
import { iterationName, type PhaseKind, padded, phases } from './phases.js';
import { completerAt } from './warmup.js';

/** How far to go; each stage includes those before it. */
export type Stage = 'warmup' | 'label' | 'train-prm' | 'evolve';

/** The phases in their order; each is yielded when it is due and answered with its result, done or expected. */
export function* recipe(job: Sizes, until: Stage): Generator<Due, void, unknown> {
  const { config, data } = job;
  if (config.warmup.enabled) yield* due(job, phases.warmup);
  if (until === 'warmup') return;
  if (until !== 'evolve' || (config.prm.enabled && config.prm.path === undefined)) {
    if (completerAt(config) === 'completer') yield* due(job, phases.completer);
    yield* due(job, phases.label);
    if (until === 'label') return;
    yield* due(job, phases.prm);
    if (until === 'train-prm') return;
  }

  const first: readonly PolicyAt[] = config.warmup.enabled ? ['base', 'warmup'] : ['base'];
  const outOfDomain = data.outOfDomain.length > 0;
  for (const at of first) yield* due(job, phases.test, at, at);
  for (const at of outOfDomain ? first : []) yield* due(job, phases.outOfDomain, at, at);
  let at: PolicyAt = 'warmup';
  let { temperature } = config.evolve;
  yield* due(job, phases.dynamics, { at, iteration: 0, temperature, over: false }, padded(0));
  const chosen = selectionRule(config);
  const rule: SearchedRule =
    chosen.rule === 'threshold' && chosen.threshold === 'search'
      ? { rule: 'threshold', threshold: (yield* due(job, phases.threshold, temperature)).chosen }
      : chosen;

  const idle = new Idle(job);
  for (let reached = START; !isOver(config.evolve, reached); ) {
    const iteration = reached.iterations + 1;
    const args = { rule, reached, from: at, temperature };
    const result = yield* due(job, phases.iteration, args, padded(iteration));
    at = iterationName(iteration);
    reached = reach(reached, result);
    idle.check(result);
    const over = isOver(config.evolve, reached);
    if (isMeasured(job, iteration, over)) {
      const measured = yield* due(job, phases.dynamics, { at, iteration, temperature, over }, padded(iteration));
      temperature = measured?.decision?.chosen ?? temperature;
    }
    if (over || iteration % config.test.every === 0) yield* due(job, phases.test, at, at);
  }
  if (outOfDomain) yield* due(job, phases.outOfDomain, at, at);
  yield* due(job, phases.finalTest, { at, temperature });
}

/** A phase whose turn it is. */
export interface Due {
  readonly kind: unknown;
  readonly name: string;
  /** Stands for it in the names of random draws. */
  readonly draws: string;
  plan(work: Work): void;
  expected(): unknown;
  run(job: Job, phase: Phase): Promise<unknown>;
}

/** @param about what stands in the name for `*` */
function* due<A, R, E>(
  job: Sizes,
  kind: PhaseKind<A, R, E>,
  ...[args, about = '']: unknown extends A ? [] : [args: A, about?: string]
): Generator<Due, R | E, unknown> {
  const told = args as A;
  const result = yield {
    kind,
    name: kind.name.replace('*', about),
    draws: (kind.draws ?? kind.name).replace('*', about),
    plan: (work) => kind.plan(work, job, told),
    expected: () => kind.expected(job, told),
    run: (whole, phase) => kind.run(whole, phase, told),
  };
  return result as R | E;
}
