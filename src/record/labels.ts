// labels.jsonl: one labelled response a line, what the PRM is trained on. Columns: docs/run-folder.md.
import { open, stat } from 'node:fs/promises';
import { z } from 'zod';
import { checked } from '../core/schema.js';
import type { Verdict } from '../core/types.js';
import { readRecords } from '../data/records.js';

/** A response with the Monte-Carlo label of each of its steps. */
export interface LabelledResponse {
  /** Problem id. */
  readonly problem: string;
  readonly sample: number;
  readonly verdict: Verdict;
  readonly text: string;
  readonly tokens: readonly number[];
  /** `end`: tokens up to the end of the step; `label`: share of right completions, 0..1; `right`: generated problems only. */
  readonly steps: readonly { readonly end: number; readonly label: number; readonly right?: boolean }[];
}

export async function writeLabels(path: string, labels: Iterable<LabelledResponse>): Promise<void> {
  const handle = await open(path, 'w');
  try {
    let piece = '';
    for (const label of labels) {
      piece += `${JSON.stringify(label)}\n`;
      if (piece.length < 1 << 20) continue;
      await handle.appendFile(piece);
      piece = '';
    }
    await handle.appendFile(piece);
  } finally {
    await handle.close();
  }
}

/** Far above any response. */
const MAX_LINE_BYTES = 64 * 2 ** 20;

const step = z.object({
  end: z.number().int().min(1),
  label: z.number().min(0).max(1),
  right: z.boolean().optional(),
});
const response = z
  .object({
    problem: z.string().min(1),
    sample: z.number().int().min(0),
    verdict: z.enum(['correct', 'wrong', 'unreadable']),
    text: z.string(),
    tokens: z
      .array(
        z
          .number()
          .int()
          .min(0)
          .max(2 ** 31 - 1),
      )
      .min(1),
    steps: z.array(step).min(1),
  })
  .refine(
    ({ steps, tokens }) =>
      steps.every(({ end }, i) => end > (steps[i - 1]?.end ?? 0)) && steps.at(-1)?.end === tokens.length,
    { path: ['steps'], message: 'ends that rise to the number of tokens' },
  );

/** @throws UserError `file:line: field: found, wanted` on a line that is not a labelled response */
export async function readLabels(path: string): Promise<LabelledResponse[]> {
  const labels: LabelledResponse[] = [];
  // A run whose every response failed labels none.
  if ((await stat(path)).size === 0) return labels;
  for await (const { at, value } of readRecords(path, MAX_LINE_BYTES))
    labels.push(checked<LabelledResponse>(response, value, `${path}:${at.line}`));
  return labels;
}
