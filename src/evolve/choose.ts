// From rollouts to training examples: pseudo labels where the answer is not known (P12), which responses are eligible, what the
// selection rule keeps, and the counts.
import type { Config } from '../config/schema.js';
import { sum } from '../core/lists.js';
import { type Random, random } from '../core/random.js';
import type { Example, Problem, Sampled, Verdict } from '../core/types.js';
import { parseQuestion } from '../data/question.js';
import type { ChoiceCounts } from '../record/results.js';
import { isLuckyResponse, type RatedResponse, type Rollout } from '../record/rollout.js';
import { weightedVote } from '../reward/vote.js';
import { type SelectFunction, selectBy, type Weighted } from './custom.js';
import { advantagesOf, type GroupRule, rewardIn } from './group.js';
import { eligible, type Repeats, type SelectionRule, select } from './select.js';

/** No more of a response than training needs: an iteration may choose more than a million. */
interface Chosen {
  readonly problem: Problem;
  readonly sample: number;
  readonly tokens: Int32Array;
  readonly weight: number;
  /** By a group rule, in place of a weight. */
  readonly sampled: Sampled | undefined;
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
  readonly #rule: SearchedRule;
  readonly #seed: number;
  readonly #key: string;
  readonly #repeats: Repeats;
  readonly #select: SelectFunction | undefined;
  readonly #sums: { -readonly [count in keyof ChoiceCounts]: ChoiceCounts[count] } = { ...NOTHING_CHOSEN };
  readonly #kept: number[] = [];
  readonly #groups = { rewards: 0, tokens: 0, flat: 0 };
  readonly #most: number;
  readonly #ranks: Random;
  #chosen: Chosen[] = [];
  #count = 0;
  #luckyByChance = 0;

  /**
   * @param key names the draws of the rule `random` and of `cap`, together with the seed
   * @param repeats whether the rule sees responses of the same text
   * @param select chooses instead of the rule
   * @param most chosen responses that are kept, drawn by the seed among all that were chosen, in their order
   */
  constructor(
    rule: SearchedRule,
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
    return this.#chosen.map(({ problem, tokens, weight, sampled }) => ({
      problem,
      variant: 'solve',
      response: tokens,
      ...(weight !== 1 && { weight }),
      ...(sampled && { sampled }),
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
    const counts = { ...this.#sums, selected: this.#chosen.length, kept, luckySelected };
    if (this.#rule.rule !== 'group') return { ...counts, luckyByChance: this.#byChance };
    const { rewards, tokens, flat } = this.#groups;
    const meanOf = (total: number): number | null => (counts.sampled > 0 ? total / counts.sampled : null);
    return { ...counts, groups: { reward: meanOf(rewards), tokens: meanOf(tokens), flat } };
  }

  /** A limit draws among all that were chosen, so of the lucky ones among them it leaves the same share. */
  get #byChance(): number {
    return this.#count === 0 ? 0 : (this.#luckyByChance * this.#chosen.length) / this.#count;
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
      const open = this.#repeats === 'drop' ? distinct : eligible(candidates, 'keep');
      const samples =
        this.#rule.rule === 'group'
          ? this.#compare(responses, this.#rule)
          : this.#select
            ? await selectBy(this.#select, problem, finished, signal)
            : select(open, this.#rule, { seed: this.#seed, key: `${this.#key}/${problem.id}` }).map(unweighted);
      const luckyOpen = countLucky(open.map(({ sample }) => rated(sample)));
      this.#luckyByChance += open.length === 0 ? 0 : (samples.length * luckyOpen) / open.length;
      this.#kept[samples.length] = (this.#kept[samples.length] ?? 0) + 1;
      for (const { sample, weight: given } of samples) {
        const one = rated(sample);
        const isCompared = this.#rule.rule === 'group';
        const sampled = isCompared ? { advantage: given, logprobs: one.response.logprobs.slice() } : undefined;
        const weight = isCompared ? 1 : given;
        const rank = this.#most === Number.POSITIVE_INFINITY ? 0 : this.#ranks.uniform(this.#count);
        this.#count++;
        // A copy: the response may be a view of all that its chunk was read from.
        const tokens = one.response.tokens.slice();
        this.#chosen.push({ problem, sample, tokens, weight, sampled, lucky: isLuckyResponse(one) === true, rank });
      }
    }
    if (this.#chosen.length >= this.#most + MOST_SPARE) this.#draw();
  }

  /** All responses to a problem with their advantages, those cut off too; none where they are all worth the same. */
  #compare(responses: readonly RatedResponse[], rule: GroupRule): Weighted[] {
    const rewards = responses.map((rated) => rewardIn(rated, rule));
    const advantages = advantagesOf(rewards, rule.scale);
    this.#groups.rewards += sum(rewards);
    this.#groups.tokens += sum(responses.map(({ response }) => response.tokens.length));
    this.#groups.flat += responses.length > 0 && !advantages ? 1 : 0;
    const compared = (advantages ?? []).map((weight, sample) => ({ sample, weight }));
    return compared.filter(({ sample }) => (responses[sample] as RatedResponse).response.tokens.length > 0);
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

/** A rule that says of responses whether, or by which advantage, they are trained on. */
export type SearchedRule = SelectionRule | GroupRule;
/** A rule as the settings have it: its threshold may have to be searched for. */
export type Rule = SearchedRule | { readonly rule: 'threshold'; readonly threshold: 'search' };

/** The rule that the settings name. */
export function selectionRule({ evolve }: Config): Rule {
  if (evolve.method === 'grpo') return { rule: 'group', prm: evolve.grpo.prm, scale: evolve.grpo.scale };
  const { rule, k, threshold } = evolve.select;
  if (rule === 'threshold') return threshold === 'search' ? { rule, threshold } : { rule, threshold };
  return rule === 'all' ? { rule } : { rule, k };
}

/** Whether a rule looks at the PRM's rewards. */
export function needsReward(rule: Rule): boolean {
  return rule.rule === 'group' ? rule.prm > 0 : rule.rule === 'top' || rule.rule === 'threshold';
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
  // The number of a reward function knows the answer.
  const judged = responses.map(({ grade: { score: _, ...grade }, ...rated }) => ({
    ...rated,
    grade: {
      ...grade,
      verdict: verdictOf(grade.normalised),
      reason: `pseudo label: ${vote?.answer ?? 'none'}`,
    },
  }));
  const right = vote === null ? null : responses[vote.sample]?.grade.verdict === 'correct';
  return { rollout: { ...rollout, responses: judged }, right };
}
