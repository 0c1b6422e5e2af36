// What a benchmark is: whose rule grades it, which of its problems count, what belongs together, and its sub-task
// tables.
import type { Problem } from '../../core/types.js';

/** What is known of a problem when its responses are graded: a problem that may be without its pictures. */
export type Asked = Omit<Problem, 'images' | 'truth'> & Partial<Pick<Problem, 'images'>>;

/** Accuracy by parts of the benchmark. */
export interface Parts {
  /** Heading of the table: `task`, `category`... */
  readonly title: string;
  /** The part or parts that a problem belongs to, as they stand in the table. */
  of(problem: Asked): readonly string[];
  /** Parts in the order of the table; others follow in alphabetical order. */
  readonly order?: readonly string[];
}

export interface Benchmark {
  /** File name in this folder, and the name on the command line. */
  readonly name: string;
  readonly title: string;
  /** Name of the protocol whose verdicts the tables show. */
  readonly protocol: string;
  /** Names of protocols whose accuracy stands beside it. */
  readonly besides: readonly string[];
  /** Whether a problem counts; all do where this is left out. */
  counts?(problem: Asked): boolean;
  /**
   * Which question a problem asks, and as which of its rotations, from 0. A question is right only if all its rotations
   * are; each problem is a question of its own where this is left out.
   */
  rotationOf?(problem: Asked): { readonly question: string; readonly rotation: number };
  readonly tables: readonly Parts[];
}

/** What a table shows for problems of which the data say nothing. */
export const UNKNOWN = 'not said';

/**
 * What the data set says of a problem under the first of these names that it has, without regard to case and to the
 * difference between `-`, `_` and a space; undefined where it has none. The one place that reads tags.
 */
export function tagOf({ tags }: Asked, ...names: readonly string[]): string | undefined {
  const plain = (name: string): string => name.toLowerCase().replace(/[-_]/g, ' ');
  for (const name of names) {
    const found = Object.entries(tags ?? {}).find(([key, value]) => plain(key) === plain(name) && value !== '');
    if (found) return found[1];
  }
  return undefined;
}

/** A table by one tag. `shown`: long values -> what the table shows, in its order. */
export function byTag(title: string, names: readonly string[], shown: Readonly<Record<string, string>> = {}): Parts {
  return {
    title,
    of: (problem) => {
      const value = tagOf(problem, ...names);
      return [value === undefined ? UNKNOWN : (shown[value] ?? value)];
    },
    order: [...new Set(Object.values(shown))],
  };
}

export const bySource: Parts = { title: 'source', of: ({ source }) => [source || UNKNOWN] };
export const byQuestionType: Parts = { title: 'question type', of: ({ questionType }) => [questionType] };
export const byAnswerType: Parts = { title: 'answer type', of: ({ answerType }) => [answerType] };
