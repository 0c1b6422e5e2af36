// The curves of a run as scalars, one journal event after the other: so they are the same while the run goes on and after it.
// Leaves where they are written to metrics.ts and their file formats to tensorboard.ts.
import { checked } from '../../core/schema.js';
import * as schema from '../schema.js';
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
        return this.#step(checked(schema.step, event, JOURNAL));
      case 'choice':
        return choice(checked(schema.choiceEvent, event, JOURNAL));
      case 'pseudo':
        return pseudo(checked(schema.pseudo, event, JOURNAL));
      case 'commit':
        return this.#commit(checked(schema.commit, event, JOURNAL));
      default:
        return [];
    }
  }

  #step({ phase, loss, lr, gradNorm }: schema.Step): Point[] {
    const policy = phase.startsWith('iter-');
    const step = policy ? ++this.#policySteps : (this.#steps.get(phase) ?? 0) + 1;
    if (!policy) this.#steps.set(phase, step);
    return points(phase, step, policy ? 'train' : phase, { loss, learning_rate: lr, grad_norm: gradNorm });
  }

  #commit({ phase, result }: { readonly phase: string; readonly result: unknown }): Point[] {
    const read = <T>(shape: Parameters<typeof checked<T>>[0]): T => checked(shape, result, `${JOURNAL}: ${phase}`);
    if (phase === 'test-final') return final(phase, read(schema.final));
    if (phase.startsWith('test-')) return this.#test(phase, read(schema.test));
    if (phase.startsWith('away-')) return away(phase, read(schema.test));
    if (phase === 'train-prm')
      return points(phase, 0, 'prm', { held_out_mse: read<schema.Prm>(schema.prm).heldOut?.mse });
    if (phase.startsWith('dynamics-')) return standing(phase, read(schema.standing));
    if (!phase.startsWith('iter-')) return [];
    const { iteration, temperature } = read(schema.iteration);
    return points(phase, iteration, 'rollout', { temperature });
  }

  #test(phase: string, { at, greedy: { accuracy } }: schema.Test): Point[] {
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

function away(phase: string, { at, greedy: { accuracy } }: schema.Test): Point[] {
  const name = at === 'base' ? 'base_accuracy' : 'accuracy';
  return points(phase, iterationOf(at), 'out_of_domain', { [name]: accuracy });
}

function choice({ phase, sampled, unreadable, correct, selected }: schema.ChoiceEvent): Point[] {
  // The warm-up samples with the answer given, so it is no point of these curves.
  if (!phase.startsWith('iter-')) return [];
  const all = Math.max(1, sampled);
  return points(phase, iterationOf(phase), 'rollout', {
    correct: correct / all,
    unreadable: unreadable / all,
    selected,
  });
}

function pseudo({ phase, questions, voted, right }: schema.Pseudo): Point[] {
  return points(phase, iterationOf(phase), 'pseudo', {
    voted: questions > 0 ? voted / questions : null,
    accuracy: voted > 0 ? right / voted : null,
  });
}

function standing(phase: string, { iteration, greedy, samples, steps, decision }: schema.Standing): Point[] {
  return [
    ...points(phase, iteration, 'dynamics', { greedy: greedy.accuracy }),
    ...samples.flatMap((one) => points(phase, iteration, 'dynamics', measures(one), `/T${one.temperature}`)),
    ...points(phase, iteration, 'prm', { auc: steps?.auc, accuracy: steps?.accuracy }),
    ...points(phase, iteration, 'explore', { temperature: decision?.chosen }),
  ];
}

function final(phase: string, { at, greedy, samples, steps }: schema.Final): Point[] {
  return points(phase, iterationOf(at), 'final', {
    greedy: greedy.accuracy,
    ...measures(samples),
    temperature: samples.temperature,
    prm_auc: steps?.auc,
    prm_accuracy: steps?.accuracy,
  });
}

function measures({ k, passAt1, passAtK, gap, rewardPassAt2 }: schema.Samples): Record<string, number | null> {
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
