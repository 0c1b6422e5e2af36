// Rollouts as JSON lines, one per response, for readers without parquet. Fields: docs/run-folder.md.
import { open } from 'node:fs/promises';
import type { Rollout } from './rollout.js';

/** What became of a response: its verdict, or `error` for a problem that could not be sampled. */
export type Outcome = 'correct' | 'wrong' | 'unreadable' | 'error';

/** Writes the new file `path`. */
export async function writeRolloutLines(path: string, chunks: AsyncIterable<readonly Rollout[]>): Promise<void> {
  const handle = await open(path, 'w');
  try {
    for await (const rollouts of chunks) {
      const lines = rollouts.flatMap(linesOf).map((line) => `${JSON.stringify(line)}\n`);
      await handle.appendFile(lines.join(''));
    }
  } finally {
    await handle.close();
  }
}

function linesOf({ problem, responses, error }: Rollout): object[] {
  const about = { problem: problem.id, source: problem.source, answer: problem.answer };
  if (error !== undefined) return [{ ...about, sample: null, outcome: 'error' satisfies Outcome, reason: error }];
  return responses.map(({ response, grade }, sample) => ({
    ...about,
    sample,
    outcome: grade.verdict satisfies Outcome,
    reason: grade.reason,
    extracted: grade.extracted,
    normalised: grade.normalised,
    finish: response.finish,
    tokens: response.tokens.length,
    text: response.text,
  }));
}

/** Responses by outcome; a failed problem counts once as `error`. */
export type OutcomeCounts = Readonly<Record<Outcome, number>>;

export function countOutcomes(rollouts: readonly Rollout[], before?: OutcomeCounts): OutcomeCounts {
  const counts = { correct: 0, wrong: 0, unreadable: 0, error: 0, ...before };
  for (const { responses, error } of rollouts) {
    if (error !== undefined) counts.error++;
    for (const { grade } of responses) counts[grade.verdict]++;
  }
  return counts;
}
