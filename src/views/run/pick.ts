// Chooses the problems of an iteration that tell most about it. Pure; ties go to the earlier problem.
import type { ProblemStats } from '../../record/tables.js';

/** A problem to show and, in a few words, why. */
export interface Pick {
  readonly problem: string;
  readonly why: string;
}

interface Rule {
  readonly why: string;
  fits(stats: ProblemStats): boolean;
  /** Larger is shown first; file order where it is left out. */
  weight?(stats: ProblemStats): number;
}

const kept = ({ soundReward, refusedLuckyReward }: ProblemStats): number =>
  (soundReward ?? 0) - (refusedLuckyReward ?? 0);

/** In order; each gives at most one problem that no earlier rule took. */
const RULES: readonly Rule[] = [
  {
    why: 'kept a right chain, refused a lucky one',
    fits: (one) =>
      one.soundReward !== null && one.refusedLuckyReward !== null && one.luckySelected === 0 && kept(one) > 0,
    weight: kept,
  },
  {
    why: 'fooled: kept a lucky chain, refused a right one',
    fits: ({ luckySelected, soundRefused }) => luckySelected > 0 && soundRefused > 0,
    weight: ({ luckySelected, soundRefused }) => luckySelected * 1000 + soundRefused,
  },
  {
    why: 'multiple choice, some right and some wrong',
    fits: ({ multipleChoice, correct, responses }) => multipleChoice && correct > 0 && correct < responses,
    weight: ({ correct, responses }) => Math.min(correct, responses - correct),
  },
  { why: 'a single right response', fits: ({ correct, responses }) => correct === 1 && responses > 1 },
  { why: 'all wrong', fits: ({ correct, responses }) => correct === 0 && responses > 0 },
  { why: 'all right', fits: ({ correct, responses }) => responses > 0 && correct === responses },
  {
    why: 'some responses cut off or unreadable',
    fits: ({ unfinished }) => unfinished > 0,
    weight: ({ unfinished }) => unfinished,
  },
  { why: 'could not be sampled', fits: ({ error }) => error },
];

/** At most `most` problems: one for each rule that fits any, then others as they come. */
export function pickProblems(problems: readonly ProblemStats[], most: number): Pick[] {
  const picked = new Map<string, string>();
  const free = (): ProblemStats[] => problems.filter(({ problem }) => !picked.has(problem));
  for (const { why, fits, weight = () => 0 } of RULES) {
    const fitting = free().filter(fits);
    if (fitting.length === 0 || picked.size >= most) continue;
    const best = fitting.reduce((a, b) => (weight(b) > weight(a) ? b : a));
    picked.set(best.problem, why);
  }
  for (const { problem } of free().slice(0, Math.max(0, most - picked.size))) picked.set(problem, 'as it came');
  return [...picked].map(([problem, why]) => ({ problem, why }));
}
