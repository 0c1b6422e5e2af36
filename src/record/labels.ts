// Labelled responses: labels.jsonl, what the PRM is made from, and prm-held-out.jsonl, what it makes of those that it was not
// trained on; one response a line. Columns: docs/run-folder.md.
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { groupBy } from '../core/lists.js';
import { random } from '../core/random.js';
import { checked } from '../core/schema.js';
import { readRecords } from '../data/records.js';

/** Names of the files in the run folder. */
export const LABELS_FILE = 'labels.jsonl';
export const HELD_OUT_FILE = 'prm-held-out.jsonl';

/** `end`: tokens up to the end of the step; `label`: share of right completions, 0..1; `right`: generated problems only. */
const step = z.object({ end: z.int().min(1), label: z.number().min(0).max(1), right: z.boolean().optional() });
const response = z.object({
  /** Its id. */
  problem: z.string().min(1),
  sample: z.int().min(0),
  verdict: z.enum(['correct', 'wrong', 'unreadable']),
});
const labelledResponse = response
  .extend({
    text: z.string(),
    tokens: z
      .array(
        z
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
/** A response with the Monte-Carlo label of each of its steps. */
export type LabelledResponse = Readonly<z.output<typeof labelledResponse>>;

const heldOutResponse = response.extend({ steps: z.array(step.extend({ score: z.number() })).min(1) });

/** A response as in labels.jsonl, with the score of each step in place of text and tokens. */
export type HeldOutResponse = z.output<typeof heldOutResponse>;

/**
 * Splits by whole problems, drawn by the seed: responses to one problem share the picture and much of their text, so one of
 * them in training would tell about the others. As many problems are held out as bring the share of responses to `share` or
 * over; one problem is left for training.
 */
export function splitHeldOut(
  labelled: readonly LabelledResponse[],
  share: number,
  seed: number,
): { readonly training: LabelledResponse[]; readonly heldOut: LabelledResponse[] } {
  const byProblem = groupBy(labelled, ({ problem }) => problem);
  const order = random(seed, 'prm/held-out').shuffle([...byProblem.keys()]);
  const out = new Set<string>();
  let responses = 0;
  for (const problem of order.slice(0, -1)) {
    if (responses >= share * labelled.length) break;
    out.add(problem);
    responses += byProblem.get(problem)?.length ?? 0;
  }
  return {
    training: labelled.filter(({ problem }) => !out.has(problem)),
    heldOut: labelled.filter(({ problem }) => out.has(problem)),
  };
}

/** @throws UserError `file:line: field: found, wanted` on a line that is not a labelled response */
export function readLabels(path: string): Promise<LabelledResponse[]> {
  return readLines(path, labelledResponse);
}

/** @throws UserError on a line that is not a scored response */
export function readHeldOut(path: string): Promise<HeldOutResponse[]> {
  return readLines(path, heldOutResponse);
}

async function readLines<T>(path: string, shape: z.ZodType<T>): Promise<T[]> {
  const values: T[] = [];
  // A run whose every response failed labels none.
  if ((await stat(path)).size === 0) return values;
  // Far above any response.
  const mostBytes = 64 * 2 ** 20;
  for await (const { at, value } of readRecords(path, mostBytes))
    values.push(checked(shape, value, `${path}:${at.line}`));
  return values;
}
