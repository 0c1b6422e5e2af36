// What evaluation.json holds: every number of an evaluation with its interval. Shares are 0..1, differences -1..1.
import type { Interval } from '../measure/bootstrap.js';

/** Share of right questions by one protocol. */
export interface Score {
  readonly protocol: string;
  /** Of one response; the mean over samples where there are several. */
  readonly accuracy: Interval;
  /** Counting the first rotation of each question alone; null where questions have no rotations. */
  readonly vanilla: Interval | null;
  /** Share of responses in which the protocol finds no answer; a problem that could not be sampled has n of them. */
  readonly unreadable: number;
}

/** A measure of samples by how many of them it sees: accuracy, or Pass@N. */
export interface Curve {
  readonly name: string;
  readonly points: readonly (Interval & { readonly n: number })[];
}

/** `first` minus `second` on the same questions. */
export interface Difference extends Interval {
  readonly first: string;
  readonly second: string;
}

export interface PartRow {
  readonly part: string;
  readonly questions: number;
  readonly accuracy: Interval;
  /** At all n samples, by name as in `curves`; none where there is one response per problem. */
  readonly sampled: Readonly<Record<string, Interval>>;
  readonly unreadable: number;
}

export interface PartTable {
  readonly title: string;
  readonly rows: readonly PartRow[];
}

/** All responses from one policy at one temperature. */
export interface SetTables {
  /** `greedy`, `T = 0.7`... */
  readonly name: string;
  readonly temperature: number;
  readonly version: number;
  /** Responses per problem. */
  readonly n: number;
  readonly questions: number;
  /** Problems, each rotation of a question counted. */
  readonly problems: number;
  /** Problems that could not be sampled: their responses count as not correct. */
  readonly failed: number;
  /** Whether every response has a reward; without them nothing is ranked or weighted. */
  readonly scored: boolean;
  /** Share of responses that ended at the limit on tokens. */
  readonly cutOff: number;
  readonly meanTokens: number;
  /** The protocol of the tables first. */
  readonly scores: readonly Score[];
  readonly curves: readonly Curve[];
  readonly differences: readonly Difference[];
  readonly parts: readonly PartTable[];
}

/** A wrong or unreadable first response. */
export interface WrongAnswer {
  readonly set: string;
  readonly problem: string;
  readonly question: string;
  readonly images: readonly string[];
  readonly answer: string;
  readonly text: string;
  readonly finish: string;
  readonly verdict: string;
  readonly reason: string;
}

export interface JudgeUse {
  readonly model: string;
  /** Distinct responses without an answer that it was shown, and those in which it found one. */
  readonly asked: number;
  readonly read: number;
}

/** Every number of an evaluation with its interval: what evaluation.json holds. */
export interface Evaluation {
  readonly format: 1;
  readonly benchmark: { readonly name: string; readonly title: string } | null;
  /** Whose verdicts the curves, the parts and the wrong answers show. */
  readonly protocol: string;
  readonly describe: string;
  readonly judge: JudgeUse | null;
  readonly bootstrap: { readonly level: number; readonly resamples: number; readonly seed: number };
  /** Names of the tables that were read. */
  readonly files: readonly string[];
  /** Problems that the benchmark leaves out. */
  readonly leftOut: number;
  readonly sets: readonly SetTables[];
  readonly wrong: readonly WrongAnswer[];
}
