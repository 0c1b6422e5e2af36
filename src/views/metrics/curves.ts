// Turns the events of a journal, one after the other, into the curves of a run as scalars: the same ones while the run
// goes on and after it.
import { checked } from '../../core/schema.js';
import { isIteration, type PhaseKind, phases, resultsOf } from '../../evolve/phases.js';
import * as results from '../../record/results.js';
import type { Scalar } from './tensorboard.js';

/** A scalar with the phase that it is from; a tag has at most one for each step. */
export interface Point extends Scalar {
  readonly phase: string;
}

const JOURNAL = 'journal.jsonl';

/** Takes the events of a journal in their order. */
export class Curves {
  /** Optimizer steps of the policy over all iterations. */
  #policySteps = 0;
  /** Optimizer steps of warm-up and PRM, which count by themselves. */
  readonly #steps = new Map<string, number>();

  /** What an event adds; values that are not defined or not finite are left out. Throws UserError on an event of another form. */
  add(event: { readonly event: string }): Point[] {
    switch (event.event) {
      case 'step':
        return this.#step(checked(results.stepEvent, event, JOURNAL));
      case 'choice':
        return choice(checked(results.choiceEvent, event, JOURNAL));
      case 'pseudo':
        return pseudo(checked(results.pseudoEvent, event, JOURNAL));
      case 'commit':
        return this.#commit(checked(results.commitEvent, event, JOURNAL));
      default:
        return [];
    }
  }

  #step({ phase, loss, lr, gradNorm, clipShare, kl, mismatchMean, mismatchMax }: results.StepEvent): Point[] {
    const policy = isIteration(phase);
    const step = policy ? ++this.#policySteps : (this.#steps.get(phase) ?? 0) + 1;
    if (!policy) this.#steps.set(phase, step);
    return points(phase, step, policy ? 'train' : phase, {
      ...{ loss, learning_rate: lr, grad_norm: gradNorm, clip_share: clipShare, kl },
      ...{ mismatch_mean: mismatchMean, mismatch_max: mismatchMax },
    });
  }

  #commit(commit: results.CommitEvent): Point[] {
    const { phase } = commit;
    const of = <R>(kind: PhaseKind<never, R>, pointsOf: (result: R) => Point[]): Point[] =>
      resultsOf(kind, [commit], JOURNAL).flatMap(pointsOf);
    return [
      ...of(phases.test, (test) => this.#test(phase, test)),
      ...of(phases.outOfDomain, ({ at, greedy: { accuracy } }) =>
        points(phase, iterationOf(at), 'out_of_domain', { [at === 'base' ? 'base_accuracy' : 'accuracy']: accuracy }),
      ),
      ...of(phases.finalTest, (final) => finalPoints(phase, final)),
      ...of(phases.prm, ({ heldOut }) => points(phase, 0, 'prm', { held_out_mse: heldOut?.mse })),
      ...of(phases.dynamics, (measured) => measurement(phase, measured)),
      ...of(phases.iteration, ({ iteration, temperature }) => points(phase, iteration, 'rollout', { temperature })),
    ];
  }

  #test(phase: string, { at, greedy: { accuracy } }: results.TestResult): Point[] {
    // The base model stands apart: it is on no axis of iterations.
    if (at === 'base') return points(phase, 0, 'test', { base_accuracy: accuracy });
    return [
      ...points(phase, iterationOf(at), 'test', { accuracy }),
      ...points(phase, this.#policySteps, 'test', { accuracy_by_step: accuracy }),
    ];
  }
}

/** All scalars of some events from the start of a run. */
export function curvesOf(events: readonly { readonly event: string }[]): Point[] {
  const curves = new Curves();
  return events.flatMap((event) => curves.add(event));
}

function choice({ phase, problems, sampled, unreadable, correct, selected, groups }: results.ChoiceEvent): Point[] {
  // The warm-up samples with the answer given, so it is not a point of these curves.
  if (!isIteration(phase)) return [];
  const all = Math.max(1, sampled);
  return points(phase, iterationOf(phase), 'rollout', {
    correct: correct / all,
    unreadable: unreadable / all,
    selected,
    reward: groups?.reward,
    tokens: groups?.tokens,
    flat: groups && groups.flat / Math.max(1, problems),
  });
}

function pseudo({ phase, problems, voted, right }: results.PseudoEvent): Point[] {
  return points(phase, iterationOf(phase), 'pseudo', {
    voted: problems > 0 ? voted / problems : null,
    accuracy: voted > 0 ? right / voted : null,
  });
}

function measurement(phase: string, { iteration, greedy, samples, steps, decision }: results.Measurement): Point[] {
  return [
    ...points(phase, iteration, 'dynamics', { greedy: greedy.accuracy }),
    ...samples.flatMap((one) => points(phase, iteration, 'dynamics', measures(one), `/T${one.temperature}`)),
    ...points(phase, iteration, 'prm', { auc: steps?.auc, accuracy: steps?.accuracy }),
    ...points(phase, iteration, 'explore', { temperature: decision?.chosen }),
  ];
}

function finalPoints(phase: string, { at, greedy, samples, steps }: results.FinalResult): Point[] {
  return points(phase, iterationOf(at), 'final', {
    greedy: greedy.accuracy,
    ...measures(samples),
    temperature: samples.temperature,
    prm_auc: steps?.auc,
    prm_accuracy: steps?.accuracy,
  });
}

function measures({ k, passAt1, passAtK, gap, rewardPassAt2 }: results.SampleMeasure): Record<string, number | null> {
  return { pass_at_1: passAt1, [`pass_at_${k}`]: passAtK, gap, reward_pass_at_2: rewardPassAt2 };
}

function points(
  phase: string,
  step: number,
  group: string,
  values: Readonly<Record<string, number | null | undefined>>,
  after = '',
): Point[] {
  return Object.entries(values).flatMap(([name, value]) =>
    typeof value === 'number' && Number.isFinite(value)
      ? [{ step, tag: `${group}/${name}${after}`, value, phase }]
      : [],
  );
}

/** 3 of `iter-0003`; 0 of the start. */
function iterationOf(name: string): number {
  return Number(/-(\d+)$/.exec(name)?.[1] ?? 0);
}
