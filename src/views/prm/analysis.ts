// What prm.json holds: every number of the analysis of a PRM with its interval. Shares are 0..1, differences -1..1.

import type { SetTables } from '../../evaluate/evaluation.js';
import type { Interval } from '../../measure/bootstrap.js';

/** Choosing one answer among N samples; the shapes are those of `mstar evaluate`. */
export type Choosing = Omit<SetTables, 'parts'>;

/** What a PRM must reach before an experiment that selects by it is worth running (docs/experiments/plan.md). */
export const PRM_GATE = { soundWithin: 0.7, soundAuc: 0.75 };

/** Whether rewards put correct responses above others (wrong or unreadable). */
export interface Ranking {
  readonly problems: number;
  readonly correct: number;
  readonly other: number;
  /** Pairs of a correct response and another one to the same problem. */
  readonly pairs: number;
  /** Share of the pairs in which the correct one has the higher reward, ties counted half. */
  readonly pairAccuracy: Interval | null;
  /** Area under the ROC curve over the responses to all problems together. */
  readonly auc: Interval | null;
  /** Mean over problems of the area within each. */
  readonly aucWithin: Interval | null;
  /** Area under the ROC curve of the correct responses alone, right chains against lucky ones; null where the truth is not known. */
  readonly soundAuc: Interval | null;
  /** Means over problems of the area within each, of right chains and of lucky ones against what is not correct; null as above. */
  readonly soundWithin: Interval | null;
  readonly luckyWithin: Interval | null;
  /** Both areas reach what `PRM_GATE` asks for; null where one of them is not known. */
  readonly isGood: boolean | null;
  /** Responses by reward: those below 0 are in the first bin, those from 1 up in the last. */
  readonly bins: readonly {
    readonly low: number;
    readonly high: number;
    readonly correct: number;
    readonly other: number;
  }[];
}

/** The two distinct correct responses of highest reward against the other distinct correct ones. */
export interface Tops {
  /** Problems that have both. */
  readonly problems: number;
  readonly top: number;
  readonly rest: number;
  /** Properties of the top two by reward and of the rest of the correct, as means over problems of the means of each. */
  readonly rows: readonly {
    readonly measure: string;
    readonly problems: number;
    readonly top: Interval;
    readonly rest: Interval;
    readonly difference: Interval;
  }[];
  readonly relevance: { readonly model: string; readonly asked: number; readonly unreadable: number } | null;
}

/** Scores against Monte-Carlo labels, on responses that the PRM was not trained on; every step counts once. */
export interface Calibration {
  readonly problems: number;
  readonly responses: number;
  readonly steps: number;
  readonly mse: Interval;
  /** Mean label of the steps that were trained on, and the error of always saying it; null without labels.jsonl. */
  readonly trainingMean: number | null;
  readonly baselineMse: Interval | null;
  readonly gain: Interval | null;
  readonly correlation: Interval | null;
  /** Steps by score; the outer bins take what lies outside 0..1. Means are null where there is no step. */
  readonly scoreBins: readonly {
    readonly low: number;
    readonly high: number;
    readonly steps: number;
    readonly meanScore: number | null;
    readonly meanLabel: number | null;
  }[];
  /** Steps by label, or by tenths of it where there are many. */
  readonly labelBins: readonly { readonly label: number; readonly steps: number; readonly meanScore: number }[];
}

export interface Truth {
  /** Labels or scores against the true reasoning: positive is a step up to which all steps are right. */
  readonly rows: readonly {
    readonly what: 'labels' | 'scores';
    readonly on: string;
    readonly problems: number;
    readonly steps: number;
    /** Share of positive steps. */
    readonly sound: number;
    readonly auc: Interval | null;
    /** Share of steps on the right side of 0.5. */
    readonly accuracy: Interval;
  }[];
  /** AUC of labels minus AUC of scores on the held-out steps. */
  readonly difference: Interval | null;
}

/** Selection rules, all on the same responses. */
export interface Selection {
  readonly table: string;
  readonly temperature: number;
  readonly problems: number;
  readonly responses: number;
  readonly rules: readonly {
    readonly rule: string;
    readonly selected: number;
    /** Problems by the number of responses that the rule keeps: none, one, two... */
    readonly kept: readonly number[];
    /** Share of right answers by a wrong chain among the selected; null where the truth is not known or nothing is selected. */
    readonly lucky: Interval | null;
    /** The share to be expected if of each problem as many of its distinct correct responses were drawn at random. */
    readonly chance: Interval | null;
    /** `lucky` minus `chance`: what the rewards do, apart from which problems have how many responses. */
    readonly difference: Interval | null;
  }[];
}

/** What a process reward model is worth: what prm.json holds. Parts that the run has no data for are null. */
export interface PrmAnalysis {
  readonly format: 1;
  readonly bootstrap: { readonly level: number; readonly resamples: number; readonly seed: number };
  /** The table of `choosing`, `ranking` and `tops`. */
  readonly table: string;
  readonly temperature: number | null;
  /** What is not here and why, one sentence each. */
  readonly missing: readonly string[];
  readonly choosing: Choosing | null;
  readonly ranking: Ranking | null;
  readonly tops: Tops | null;
  readonly calibration: Calibration | null;
  readonly truth: Truth | null;
  readonly selection: Selection | null;
}
