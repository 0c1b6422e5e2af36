// Reads a table of rollouts problem by problem, with what the PRM made of every step; verdicts are those that the run
// saw.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Candidate } from '../../evolve/select.js';
import { type RolloutRow, readGroups } from '../../record/groups.js';

export interface ScoredStep {
  /** Null where it was not scored. */
  readonly score: number | null;
  /** By the true reasoning; null where that is not known. */
  readonly right: boolean | null;
}

export interface ScoredResponse {
  readonly sample: number;
  readonly text: string;
  readonly finish: string;
  readonly verdict: 'correct' | 'wrong' | 'unreadable';
  readonly reward: number | null;
  /** Right answer by a chain with a wrong step; null where the true reasoning is not known. */
  readonly lucky: boolean | null;
  /** Length in tokens. */
  readonly tokens: number;
  readonly steps: readonly ScoredStep[];
}

/** A problem with its responses from one policy at one temperature, in sample order; none where it could not be sampled. */
export interface AskedProblem {
  readonly problem: string;
  readonly question: string;
  readonly temperature: number;
  readonly responses: readonly ScoredResponse[];
}

const COLUMNS = ['problem', 'question', 'sample', 'text', 'finish', 'verdict', 'reward', 'lucky', 'steps'] as const;
type Row = RolloutRow<(typeof COLUMNS)[number]>;

/** Path of a table of the run; undefined where it is not there. */
export function tableOf(run: string, name: string): string | undefined {
  const path = join(run, 'rollouts', `${name}.parquet`);
  return existsSync(path) ? path : undefined;
}

/** @throws UserError where the file is not a table of rollouts */
export async function* readProblems(file: string): AsyncGenerator<AskedProblem> {
  for await (const rows of readGroups(file, COLUMNS)) yield toProblem(rows);
}

function toProblem(rows: readonly Row[]): AskedProblem {
  const { problem, question, temperature } = rows[0] as Row;
  const responses = rows.flatMap((one): ScoredResponse[] => {
    const { sample, verdict } = one;
    if (sample === null || verdict === 'error') return [];
    const { text, finish, reward, lucky, token_count: tokens, steps } = one;
    const kept = { text: text ?? '', finish: finish ?? '', tokens: tokens ?? 0, steps: steps ?? [] };
    return [{ sample, verdict, reward, lucky, ...kept }];
  });
  return { problem, question, temperature, responses };
}

/** What can be selected: as in the run, responses that ended by themselves. */
export function candidatesOf({ responses }: AskedProblem): Candidate[] {
  return responses.flatMap(({ sample, text, finish, verdict, reward }) =>
    finish === 'stop' ? [{ sample, text, verdict, reward: reward ?? Number.NaN }] : [],
  );
}
