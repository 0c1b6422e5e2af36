// The data rules of the PRM (P7): which problem-response pairs get labels. Pure functions of plain data.
import { random } from '../core/random.js';
import type { Problem } from '../core/types.js';
import type { RatedResponse, Rollout } from '../record/rollout.js';
import { dedupe } from '../reward/dedupe.js';

/** A problem and one of its responses. */
export interface Pair {
  readonly problem: Problem;
  /** Index of the response among the samples of the problem. */
  readonly sample: number;
  readonly rated: RatedResponse;
}

/**
 * Different responses of one problem, at most `most`: right and wrong ones in turn as far as both last, each kind in
 * seeded order. (The paper names the limit only; taking turns leaves the balance to come the most to choose from.)
 */
export function pairsOf({ problem, responses }: Rollout, most: number, seed: number): Pair[] {
  const pairs = responses.map((rated, sample) => ({ problem, sample, rated, text: rated.response.text }));
  const distinct = dedupe(pairs.filter(({ rated }) => rated.steps.length > 0));
  const shuffled = random(seed, `pairs/${problem.id}`).shuffle(distinct);
  const right = shuffled.filter(isRight);
  const wrong = shuffled.filter((pair) => !isRight(pair));
  const taken: Pair[] = [];
  for (let turn = 0; taken.length < most && turn < Math.max(right.length, wrong.length); turn++) {
    for (const pair of [right[turn], wrong[turn]]) if (pair && taken.length < most) taken.push(pair);
  }
  return taken
    .map(({ problem: of, sample, rated }) => ({ problem: of, sample, rated }))
    .sort((a, b) => a.sample - b.sample);
}

/**
 * At most `most` pairs in their given order. With `balance`, right : wrong and multiple choice : free form are 1 : 1 (where
 * the data has one type only, right : wrong alone), the largest such set up to `most`, drawn by the seed.
 */
export function choosePairs(pairs: readonly Pair[], most: number, balance: boolean, seed: number): Pair[] {
  const order = random(seed, 'pairs/choose').order(pairs.length);
  const places = balance ? balanced(pairs, order, most) : order.slice(0, most);
  return places.sort((a, b) => a - b).map((place) => pairs[place] as Pair);
}

function balanced(pairs: readonly Pair[], order: readonly number[], most: number): number[] {
  const cell = (right: boolean, choice: boolean): number[] =>
    order.filter((place) => {
      const pair = pairs[place] as Pair;
      return isRight(pair) === right && (pair.problem.questionType === 'multi_choice') === choice;
    });
  const cells = [cell(true, true), cell(false, false), cell(false, true), cell(true, false)] as const;
  const [rightChoice, wrongFree, wrongChoice, rightFree] = cells;
  if (rightChoice.length + wrongChoice.length === 0) return evenly(rightFree, wrongFree, Math.floor(most / 2));
  if (rightFree.length + wrongFree.length === 0) return evenly(rightChoice, wrongChoice, Math.floor(most / 2));
  // Both ratios are 1 : 1 exactly where the cells of each diagonal are equally large.
  const half = Math.floor(most / 2);
  const [one, other] = [Math.min(rightChoice.length, wrongFree.length), Math.min(wrongChoice.length, rightFree.length)];
  const first = Math.min(one, Math.max(Math.floor(half / 2), half - other));
  const second = Math.min(other, half - first);
  return [...evenly(rightChoice, wrongFree, first), ...evenly(wrongChoice, rightFree, second)];
}

function evenly(left: readonly number[], right: readonly number[], most: number): number[] {
  const each = Math.min(left.length, right.length, most);
  return [...left.slice(0, each), ...right.slice(0, each)];
}

function isRight({ rated }: Pick<Pair, 'rated'>): boolean {
  return rated.grade.verdict === 'correct';
}
