// From rollouts to training examples: pseudo labels where the answer is not known (P12), which responses are eligible, what the
// selection rule keeps, and the counts.
import type { Config } from '../config/schema.js';
import { random } from '../core/random.js';
import type { Example, Problem, Verdict } from '../core/types.js';
import type { ChoiceCounts } from '../record/results.js';
import { isLuckyResponse, type RatedResponse, type Rollout } from '../record/rollout.js';
import { weightedVote } from '../reward/vote.js';
import { type SelectFunction, selectBy, type Weighted } from './custom.js';
import { distinctCorrect, type SelectionRule, select } from './select.js';

interface Chosen {
  readonly problem: Problem;
  readonly sample: number;
  readonly rated: RatedResponse;
  readonly weight: number;
}

export const NOTHING_CHOSEN: ChoiceCounts = {
  problems: 0,
  failed: 0,
  sampled: 0,
  unreadable: 0,
  cutOff: 0,
  correct: 0,
  distinct: 0,
  luckyDistinct: 0,
  selected: 0,
  kept: [],
  luckySelected: 0,
};

/** The chosen responses of some problems. */
export class Choice {
  readonly #rule: SelectionRule;
  readonly #seed: number;
  readonly #key: string;
  readonly #select: SelectFunction | undefined;
  readonly #sums: { -readonly [count in keyof ChoiceCounts]: ChoiceCounts[count] } = { ...NOTHING_CHOSEN };
  readonly #kept: number[] = [];
  #chosen: Chosen[] = [];

  /**
   * @param key names the draws of the rule `random` and of `cap`, together with the seed
   * @param select chooses instead of the rule
   */
  constructor(rule: SelectionRule, seed: number, key: string, select?: SelectFunction) {
    this.#rule = rule;
    this.#seed = seed;
    this.#key = key;
    this.#select = select;
  }

  /** Ready for a loss, without the answer in the prompt. */
  get examples(): Example[] {
    return this.#chosen.map(({ problem, rated, weight }) => ({
      problem,
      variant: 'solve',
      response: rated.response.tokens,
      ...(weight !== 1 && { weight }),
    }));
  }

  /** Chosen samples by problem id. */
  get selected(): ReadonlyMap<string, ReadonlySet<number>> {
    const selected = new Map<string, Set<number>>();
    for (const { problem, sample } of this.#chosen) {
      selected.set(problem.id, (selected.get(problem.id) ?? new Set()).add(sample));
    }
    return selected;
  }

  get counts(): ChoiceCounts {
    const luckySelected = countLucky(this.#chosen.map(({ rated }) => rated));
    const kept = Array.from(this.#kept, (problems) => problems ?? 0);
    return { ...this.#sums, selected: this.#chosen.length, kept, luckySelected };
  }

  /** Chooses among the responses to each problem. */
  async add(rollouts: readonly Rollout[], signal?: AbortSignal): Promise<void> {
    const sums = this.#sums;
    for (const { problem, responses, error } of rollouts) {
      const finished = responses.flatMap((rated, sample) =>
        rated.response.finish === 'stop' ? [{ ...rated, sample }] : [],
      );
      const distinct = distinctCorrect(
        finished.map(({ sample, response, grade, reward }) => {
          return { sample, text: response.text, verdict: grade.verdict, reward: reward ?? 0 };
        }),
      );
      const rated = (sample: number): RatedResponse => responses[sample] as RatedResponse;
      sums.problems++;
      sums.failed += error === undefined ? 0 : 1;
      sums.sampled += responses.length;
      sums.unreadable += responses.filter(({ grade }) => grade.verdict === 'unreadable').length;
      sums.cutOff += responses.length - finished.length;
      sums.correct += responses.filter(({ grade }) => grade.verdict === 'correct').length;
      sums.distinct += distinct.length;
      sums.luckyDistinct += countLucky(distinct.map(({ sample }) => rated(sample)));
      const samples = this.#select
        ? await selectBy(this.#select, problem, finished, signal)
        : select(distinct, this.#rule, { seed: this.#seed, key: `${this.#key}/${problem.id}` }).map(unweighted);
      this.#kept[samples.length] = (this.#kept[samples.length] ?? 0) + 1;
      for (const { sample, weight } of samples) this.#chosen.push({ problem, sample, rated: rated(sample), weight });
    }
  }

  /** Keeps at most this many of the chosen responses, drawn by the seed, in their order. */
  cap(most: number): void {
    if (this.#chosen.length <= most) return;
    const order = random(this.#seed, `${this.#key}/cap`).order(this.#chosen.length).slice(0, most);
    this.#chosen = order.sort((a, b) => a - b).map((place) => this.#chosen[place] as Chosen);
  }
}

const unweighted = (sample: number): Weighted => ({ sample, weight: 1 });

function countLucky(responses: readonly RatedResponse[]): number {
  return responses.filter(isLuckyResponse).length;
}

/** A rule as the settings have it: its threshold may have to be searched for. */
export type Rule = SelectionRule | { readonly rule: 'threshold'; readonly threshold: 'search' };

/** The rule that the settings name. */
export function selectionRule({ evolve }: Config): Rule {
  const { rule, k, threshold } = evolve.select;
  if (rule === 'threshold') return threshold === 'search' ? { rule, threshold } : { rule, threshold };
  return rule === 'all' ? { rule } : { rule, k };
}

/** Whether a rule looks at the PRM's rewards. */
export function needsReward({ rule }: Pick<Rule, 'rule'>): boolean {
  return rule === 'top' || rule === 'threshold';
}

/**
 * Votes with the rewards of the responses; one without a reward weighs nothing. The true answer is not looked at but for `right`.
 * @returns the rollout with verdicts by the vote: responses that agree with it count as correct, the others as wrong; no vote,
 *   none is. `right`: whether the vote is the true answer, for the journal only; null where no response was readable
 */
export function pseudoLabel(rollout: Rollout): { readonly rollout: Rollout; readonly right: boolean | null } {
  const { responses } = rollout;
  const answers = responses.map(({ grade }) => grade.normalised);
  // Rewards are raw head outputs: below zero they would vote against their own answer.
  const vote = weightedVote(
    answers,
    responses.map(({ reward }) => Math.max(0, reward ?? 0)),
  );
  const verdictOf = (answer: string | null): Verdict => {
    if (answer === null) return 'unreadable';
    return vote !== null && answer === vote.answer ? 'correct' : 'wrong';
  };
  const judged = responses.map((rated) => ({
    ...rated,
    grade: {
      ...rated.grade,
      verdict: verdictOf(rated.grade.normalised),
      reason: `pseudo label: ${vote?.answer ?? 'none'}`,
    },
  }));
  const right = vote === null ? null : responses[vote.sample]?.grade.verdict === 'correct';
  return { rollout: { ...rollout, responses: judged }, right };
}
