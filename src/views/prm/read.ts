// Reads a table of rollouts problem by problem, with what the PRM made of every step; verdicts are those that the run
// saw.
import { type RolloutRow, readGroups } from '../../record/groups.js';

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
  /** `score` is null where it was not scored; `right` by the true reasoning, null where that is not known. */
  readonly steps: readonly { readonly score: number | null; readonly right: boolean | null }[];
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
