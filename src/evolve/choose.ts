// From rollouts to training examples: pseudo labels where the answer is not known (P12), which responses are eligible, what the
// selection rule keeps, and the counts.
import type { Config } from '../config/schema.js';
import { type Random, random } from '../core/random.js';
import type { Example, Problem, Verdict } from '../core/types.js';
import { parseQuestion } from '../data/question.js';
import type { ChoiceCounts } from '../record/results.js';
import { isLuckyResponse, type RatedResponse, type Rollout } from '../record/rollout.js';
import { weightedVote } from '../reward/vote.js';
import { type SelectFunction, selectBy, type Weighted } from './custom.js';
import { eligible, type Repeats, type SelectionRule, select } from './select.js';

/** No more of a response than training needs: an iteration may choose more than a million. */
interface Chosen {
  readonly problem: Problem;
  readonly sample: number;
  readonly tokens: Int32Array;
  readonly weight: number;
  readonly lucky: boolean;
  /** Place in the draw that a limit makes. */
  readonly rank: number;
}

/** Beyond its limit, as many again are kept before the draw throws them out. */
const MOST_SPARE = 65_536;

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
  readonly #repeats: Repeats;
  readonly #select: SelectFunction | undefined;
  readonly #sums: { -readonly [count in keyof ChoiceCounts]: ChoiceCounts[count] } = { ...NOTHING_CHOSEN };
  readonly #kept: number[] = [];
  readonly #most: number;
  readonly #ranks: Random;
  #chosen: Chosen[] = [];
  #count = 0;

  /**
   * @param key names the draws of the rule `random` and of `cap`, together with the seed
   * @param repeats whether the rule sees responses of the same text
   * @param select chooses instead of the rule
   * @param most chosen responses that are kept, drawn by the seed among all that were chosen, in their order
   */
  constructor(
    rule: SelectionRule,
    seed: number,
    key: string,
    repeats: Repeats,
    select?: SelectFunction,
    most = Number.POSITIVE_INFINITY,
  ) {
    this.#rule = rule;
    this.#seed = seed;
    this.#key = key;
    this.#repeats = repeats;
    this.#select = select;
    this.#most = most;
    this.#ranks = random(seed, `${key}/cap`);
  }

  /** Ready for a loss, without the answer in the prompt. */
  get examples(): Example[] {
    this.#draw();
    return this.#chosen.map(({ problem, tokens, weight }) => ({
      problem,
      variant: 'solve',
      response: tokens,
      ...(weight !== 1 && { weight }),
    }));
  }

  /** Chosen samples by problem id. */
  get selected(): ReadonlyMap<string, ReadonlySet<number>> {
    this.#draw();
    const selected = new Map<string, Set<number>>();
    for (const { problem, sample } of this.#chosen) {
      selected.set(problem.id, (selected.get(problem.id) ?? new Set()).add(sample));
    }
    return selected;
  }

  /** Chosen responses in memory now. */
  get held(): number {
    return this.#chosen.length;
  }

  get counts(): ChoiceCounts {
    this.#draw();
    const luckySelected = this.#chosen.filter(({ lucky }) => lucky).length;
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
      const candidates = finished.map(({ sample, response, grade, reward }) => {
        return { sample, text: response.text, verdict: grade.verdict, reward: reward ?? 0 };
      });
      const distinct = eligible(candidates, 'drop');
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
        : select(this.#repeats === 'drop' ? distinct : eligible(candidates, 'keep'), this.#rule, {
            seed: this.#seed,
            key: `${this.#key}/${problem.id}`,
          }).map(unweighted);
      this.#kept[samples.length] = (this.#kept[samples.length] ?? 0) + 1;
      for (const { sample, weight } of samples) {
        const one = rated(sample);
        const rank = this.#most === Number.POSITIVE_INFINITY ? 0 : this.#ranks.uniform(this.#count);
        this.#count++;
        // A copy: the response may be a view of all that its chunk was read from.
        const tokens = one.response.tokens.slice();
        this.#chosen.push({ problem, sample, tokens, weight, lucky: isLuckyResponse(one) === true, rank });
      }
    }
    if (this.#chosen.length >= this.#most + MOST_SPARE) this.#draw();
  }

  /** Keeps the lowest ranks: whatever comes later, the others are not among them. */
  #draw(): void {
    if (this.#chosen.length <= this.#most) return;
    const ranks = Float64Array.from(this.#chosen, ({ rank }) => rank).sort();
    const limit = ranks[this.#most] as number;
    this.#chosen = this.#chosen.filter(({ rank }) => rank < limit);
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
 * A problem as far as it is known without its answer: where no hint line says what kind of value is wanted, the data set took the
 * type from the answer itself, and votes classed by it would be classed by what is hidden.
 */
export function withoutAnswerType(problem: Problem): Problem {
  if (problem.questionType === 'multi_choice') return problem;
  const { hinted = { answerType: 'text' as const } } = parseQuestion(problem.question);
  return { ...problem, answerType: hinted.answerType, precision: hinted.precision };
}

/**
 * Votes with the rewards of the responses; one without a reward weighs nothing. The true answer is not looked at but for `right`.
 * @returns the rollout with verdicts by the vote: responses that agree with it count as correct, the others as wrong; no vote,
 *   none is. `right`: whether the vote is the true answer, for the journal only; null where no response was readable
 */
export function pseudoLabel(rollout: Rollout): { readonly rollout: Rollout; readonly right: boolean | null } {
  const { responses } = rollout;
  const answers = responses.map(({ grade }) => grade.normalised);
  const vote = weightedVote(
    answers,
    responses.map(({ reward }) => reward ?? 0),
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
