// Seeded splits of a data set (P2) and the order in which iterations consume it (P6).
import { UserError } from '../core/errors.js';
import { random } from '../core/random.js';
import type { Problem } from '../core/types.js';
import { groups, type KeyOf } from './content.js';

/** The parts of P2; no problem, and no repeat of a problem's pictures and question, is in two of them. */
export interface Splits {
  /** Answers may be used for training. */
  readonly labelled: Problem[];
  /** Answers are hidden from training. */
  readonly unlabelled: Problem[];
  /** In-domain test. */
  readonly test: Problem[];
  /** Global validation. */
  readonly validation: Problem[];
  /** Of the out-of-domain test, another data set; empty where none is given. */
  readonly outOfDomain: Problem[];
}

/**
 * Splits by seed: of the shuffled problems the first `test` are test, the next `validation` validation, then come the
 * labelled ones (their share of all, or what is left), the rest is unlabelled. With a labelled half this is the paper's
 * split: test and validation come out of the unlabelled half. Repeats of one problem move together, so a part may be
 * larger than asked by the repeats of one problem.
 * @param sizes problems of test and validation; the share of all that is labelled, the paper's half when left out
 * @param keyOf tells repeats: of `contentKeys`, by what problems hold; when left out by the names of their pictures
 * @throws UserError where nothing is left for training, or next to nothing of what was asked for
 */
export function splitProblems(
  problems: readonly Problem[],
  sizes: { readonly test: number; readonly validation: number; readonly labelled?: number },
  seed: number,
  keyOf: KeyOf = contentKey,
): Splits {
  const queue = random(seed, 'split').shuffle(groups(problems, keyOf));
  let next = 0;
  const take = (count: number): Problem[] => {
    const taken: Problem[] = [];
    while (taken.length < count && next < queue.length) taken.push(...(queue[next++] as Problem[]));
    return taken;
  };
  const test = take(sizes.test);
  const validation = take(sizes.validation);
  const share = Math.round(problems.length * (sizes.labelled ?? 0.5));
  const labelled = take(share);
  if (labelled.length === 0) {
    const wanted = `more than the ${sizes.test} of test and ${sizes.validation} of validation`;
    throw new UserError(`data: ${problems.length} problems, wanted ${wanted}`);
  }
  // So few, and fewer than half of those asked for, are a mistake.
  if (labelled.length < 32 && labelled.length < share / 2) {
    const left = `${labelled.length} of ${problems.length} problems left to train on by ${test.length} for test and ${validation.length} for validation`;
    throw new UserError(
      `splits: ${left}, wanted the ${share} of splits.labelled (lower splits.test and splits.validation, or splits.labelled to mean it)`,
    );
  }
  return { labelled, unlabelled: queue.slice(next).flat(), test, validation, outOfDomain: [] };
}

/**
 * The problems of a data set that are not in an out-of-domain set too, by contents.
 * @param repeats what is done where there are others
 * @param onDrop told how many were dropped
 * @throws UserError where repeats are to be refused, with their number and the first of them
 */
export function apartFrom(
  outOfDomain: readonly Problem[],
  problems: readonly Problem[],
  keyOf: KeyOf,
  repeats: 'refuse' | 'drop',
  onDrop: (count: number) => void,
): Problem[] {
  const ids = new Map(outOfDomain.map((problem) => [keyOf(problem), problem.id]));
  const apart = problems.filter((problem) => !ids.has(keyOf(problem)));
  const shared = problems.length - apart.length;
  if (shared === 0) return apart;
  if (repeats === 'drop') {
    onDrop(shared);
    return apart;
  }
  const first = problems.find((problem) => ids.has(keyOf(problem))) as Problem;
  throw new UserError(
    `data.outOfDomain: ${shared} of ${problems.length} problems of the data are also in it (${JSON.stringify(first.id)} is its ${JSON.stringify(ids.get(keyOf(first)))}), wanted none (data.outOfDomain.repeats=drop takes them out of the data)`,
  );
}

/**
 * Refuses parts that share a problem (same pictures and question, whatever the id).
 * @param parts named lists, for example the files of training, validation and test
 * @param keyOf as of `splitProblems`
 * @throws UserError naming the first shared problem and both parts
 */
export function checkOverlap(parts: Readonly<Record<string, readonly Problem[]>>, keyOf: KeyOf = contentKey): void {
  const owners = new Map<string, { part: string; id: string }>();
  for (const [part, problems] of Object.entries(parts)) {
    for (const problem of problems) {
      const key = keyOf(problem);
      const owner = owners.get(key);
      if (owner && owner.part !== part) {
        throw new UserError(
          `data: problem ${JSON.stringify(problem.id)} of ${part} is also ${JSON.stringify(owner.id)} of ${owner.part}, wanted parts that do not overlap`,
        );
      }
      owners.set(key, { part, id: problem.id });
    }
  }
}

/** Pictures of the same names and same question text, same key; reads no picture. */
export function contentKey(problem: Problem): string {
  return [...problem.images.map((image) => ('path' in image ? image.path : image.name)), problem.question].join('\0');
}

/** A fresh seeded permutation of the indices of `count` problems for every epoch (0, 1, ...). */
export function shuffledEpochs(count: number, seed: number): (epoch: number) => readonly number[] {
  return (epoch) => random(seed, `epoch/${epoch}`).order(count);
}

/** Iterations that an epoch of `count` problems is cut into: what remains of it is one where it is half an interval or more. */
export function intervalsPerEpoch(count: number, problemsPerIteration: number): number {
  return Math.max(1, Math.round(count / problemsPerIteration));
}

/**
 * Cuts the endless sequence of epochs into iterations. Each iteration takes `problemsPerIteration` problems (at most
 * one epoch). Where fewer than half as many remain at the end of an epoch, its last iteration takes them as well. No
 * problem is skipped, and none occurs twice in an iteration.
 * @returns the slice of an iteration (0, 1, ...), problem indices in the order they are taken, as a pure function, so that a
 *   resumed run asks for any of them
 */
export function intervalSlices(
  order: ReturnType<typeof shuffledEpochs>,
  problemsPerIteration: number,
): (iteration: number) => { readonly epoch: number; readonly problems: readonly number[] } {
  if (!(Number.isInteger(problemsPerIteration) && problemsPerIteration >= 1)) {
    throw new RangeError(`problems per iteration: ${problemsPerIteration}, wanted an integer of at least 1`);
  }
  const count = order(0).length;
  if (count === 0) throw new RangeError('no problems to slice');
  const perEpoch = intervalsPerEpoch(count, problemsPerIteration);
  return (iteration) => {
    const epoch = Math.floor(iteration / perEpoch);
    const place = iteration % perEpoch;
    const start = place * problemsPerIteration;
    const end = place + 1 === perEpoch ? count : start + problemsPerIteration;
    return { epoch, problems: order(epoch).slice(start, end) };
  };
}
