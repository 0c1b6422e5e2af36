// Chooses the responses of one problem that become training examples (P10): four pure rules.
import { random } from '../core/random.js';
import type { Verdict } from '../core/types.js';
import { dedupe } from '../reward/dedupe.js';
import { byReward } from '../reward/vote.js';

/** One response of a problem, as the rules see it. `sample` is its index among the samples of the problem. */
export interface Candidate {
  readonly sample: number;
  readonly text: string;
  readonly verdict: Verdict;
  /** PRM reward; rules `all` and `random` do not read it. */
  readonly reward: number;
}

/** `all` and `random` are the baselines without PRM, `top` with k = 2 is the paper's best, `threshold` keeps reward >= threshold. */
export type SelectionRule =
  | { readonly rule: 'all' }
  | { readonly rule: 'random'; readonly k: number }
  | { readonly rule: 'top'; readonly k: number }
  | { readonly rule: 'threshold'; readonly threshold: number };

/** Whether responses of the same text all count, or the one of the lowest sample index alone. */
export type Repeats = 'keep' | 'drop';

/** The correct responses, ascending by sample. */
export function eligible<C extends Candidate>(candidates: readonly C[], repeats: Repeats): C[] {
  const ordered = [...candidates].sort((a, b) => a.sample - b.sample);
  const correct = ordered.filter(({ verdict }) => verdict === 'correct');
  return repeats === 'drop' ? dedupe(correct) : correct;
}

/**
 * Applies the rule to what `eligible` left. Equal rewards rank by the lower sample index.
 * @param draw names the draws of `random`: seed of the run and a key that is unique for iteration and problem
 * @returns sample indices, ascending
 */
export function select(
  among: readonly Candidate[],
  rule: SelectionRule,
  draw: { readonly seed: number; readonly key: string },
): number[] {
  return applyRule(among, rule, draw)
    .map(({ sample }) => sample)
    .sort((a, b) => a - b);
}

function applyRule(
  among: readonly Candidate[],
  rule: SelectionRule,
  draw: { readonly seed: number; readonly key: string },
): readonly Candidate[] {
  switch (rule.rule) {
    case 'all':
      return among;
    case 'random':
      return random(draw.seed, `select/${draw.key}`).shuffle(among).slice(0, rule.k);
    case 'top':
      return byReward(among).slice(0, rule.k);
    case 'threshold':
      return among.filter((candidate) => candidate.reward >= rule.threshold);
  }
}
