// Which settings may differ between a run folder and the command that resumes its run, for instance after the run ran out
// of memory.
import type { z } from 'zod';
import { EngineError, UserError } from '../core/errors.js';
import { resolvePath } from './load.js';
import { defaultAt } from './settings.js';

/** Decides whether the bytes depend on what is computed together. */
interface Together {
  readonly device: 'cpu' | 'cuda';
  readonly deterministic: boolean;
}

/** How the engine computes. */
interface Computing extends Together {
  /** Bytes of the model's weights on disk. */
  readonly weightBytes: number;
}

/**
 * Weights that take no more are of a model whose threads take whole rows and micro-batches. Those of a larger one share each operation
 * (`is_large` in native/engine/loss.cpp: from 2^28 numbers), and some sums are then cut by their number.
 */
const SMALL_BYTES = 2 ** 29;

/** What runs did that were begun before there was a setting, where that is not its default of today. */
const BEFORE: Readonly<Record<string, unknown>> = {
  'warmup.repeats': 'drop',
  'evolve.select.repeats': 'drop',
  'evolve.sft.on': 'chains',
  'prm.enabled': true,
};

/**
 * Tells why a setting (its dotted name) in which two runs differ (its values as JSON) matters, in words that may be none; null
 * where the bytes of the run do not depend on it.
 * @param scored whether a PRM scores the responses
 * @param within whose settings they are; those of a recipe when left out
 */
export function whyItMatters(
  computing: Computing,
  scored: boolean,
  within?: z.ZodType,
): (difference: {
  readonly key: string;
  readonly before: string;
  readonly now: string;
  readonly known?: number;
}) => string | null {
  const alone = isAlone(computing);
  const instead = alone ? '; kvGib may change' : '';
  const together = 'on a GPU without deterministic the bytes depend on what is computed together';
  return ({ key, before, now, known = 0 }) => {
    // A run outlives an upgrade: what there was no setting for then was done as its default says.
    const done =
      before === 'not set' ? JSON.stringify(BEFORE[key] ?? defaultAt(key.split('.'), known, within)) : undefined;
    if (done === now) return null;
    if (key.startsWith('custom.')) return 'it names a function that the program gave, in place of ours';
    // Paths, in recipes and in the jobs that sample.
    if (
      /^(model\.path|prm\.path|(data|data\.outOfDomain|warmup\.from|prm\.labels)\.(file|imageRoot)|model|data|imageRoot|prm)$/.test(
        key,
      )
    )
      return samePath(before, now) ? null : '';
    if (key === 'model.tokenBudget') return `the sums of an optimizer step depend on it${instead}`;
    if (/^(run\.)?chunk$/.test(key)) {
      if (scored) return `the PRM scores the responses of a chunk together${instead}`;
      return alone ? null : together;
    }
    if (/^(model\.)?kvGib$/.test(key)) return alone ? null : together;
    if (/^(model\.)?threads$/.test(key))
      return computing.weightBytes <= SMALL_BYTES ? null : 'the threads of a model of this size share sums';
    if (/^model\.(recompute|offload)$/.test(key)) return null;
    return done === undefined ? '' : `before there was the setting, runs did as with ${done}`;
  };
}

/** An error of a job; where memory ran out, a UserError that says which settings bound it and how the job goes on. */
export function memoryFault(error: unknown, computing: Together): unknown {
  if (!(error instanceof EngineError) || error.code !== 'ERR_MEMORY') return error;
  const wanted = isAlone(computing)
    ? 'a lower kvGib, with which the same command goes on, or in another folder a lower tokenBudget or chunk'
    : 'a lower kvGib, tokenBudget or chunk, in another folder as the bytes depend on them';
  return new UserError(`memory: ${error.message}, wanted ${wanted}`, 'ERR_MEMORY');
}

/** Whether each response is computed as if it were alone. */
function isAlone({ device, deterministic }: Together): boolean {
  return device === 'cpu' || deterministic;
}

/** Whether two texts name one place: a path as it was written, and the same made absolute. */
function samePath(before: string, now: string): boolean {
  const [one, other] = [before, now].map((text) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return undefined;
    }
  });
  return typeof one === 'string' && typeof other === 'string' && resolvePath(one) === resolvePath(other);
}
