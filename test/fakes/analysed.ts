// Problems with scored responses, as src/views/prm reads them from a table: for tests of its measures.
import type { AskedProblem, ScoredResponse } from '../../src/views/prm/read.js';

/** A correct response that stands for itself: text by sample, two steps, ten tokens. */
export function response(sample: number, change: Partial<ScoredResponse> = {}): ScoredResponse {
  return {
    sample,
    text: `text ${sample}`,
    finish: 'stop',
    verdict: 'correct',
    reward: 0.5,
    lucky: false,
    tokens: 10,
    steps: [
      { score: 0.5, right: true },
      { score: 0.5, right: true },
    ],
    ...change,
  };
}

/** A problem whose responses have these changes, in sample order. */
export function asked(problem: string, ...changes: readonly Partial<ScoredResponse>[]): AskedProblem {
  const responses = changes.map((change, sample) => response(sample, change));
  return { problem, question: `question ${problem}`, temperature: 1, responses };
}
