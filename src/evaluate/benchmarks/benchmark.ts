// What a benchmark is besides its file format and its protocol: which problems count, in which tables, and what counts as one question.
// Leaves reading to data/formats and grading to reward/protocol.
import type { Problem } from '../../core/types.js';

export interface Table {
  readonly title: string;
  /** Row of a problem; undefined: in no row. */
  of(problem: Problem): string | undefined;
}

export interface Benchmark {
  readonly name: string;
  readonly description: string;
  /** Name that the official protocols know the benchmark by. */
  readonly taskFormat: string;
  /** Whether a problem counts. */
  keeps(problem: Problem): boolean;
  readonly tables: readonly Table[];
  /** Problems of the same key are one question, right only if all of them are (circular); undefined: each is one. */
  question?(problem: Problem): string;
}

/** A table by a tag of the problems. */
export const byTag = (title: string, tag: string, names: Readonly<Record<string, string>> = {}): Table => ({
  title,
  of: ({ tags }) => {
    const value = tags?.[tag];
    return value === undefined ? undefined : (names[value] ?? value);
  },
});

export const bySource: Table = { title: 'source', of: ({ source }) => source || 'unknown' };
export const all = (): boolean => true;
