// labels.jsonl: one labelled response a line, what the PRM is trained on. Columns: docs/run-folder.md.
// Leaves making labels to completions.ts.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { UserError } from '../core/errors.js';
import type { Verdict } from '../core/types.js';

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

/** @throws UserError on a line that is no labelled response */
export async function readLabels(path: string): Promise<LabelledResponse[]> {
  const labels: LabelledResponse[] = [];
  for await (const text of createInterface({
    input: createReadStream(path, 'utf8'),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    labels.push(parseLabel(text, `${path}:${labels.length + 1}`));
  }
  return labels;
}

function parseLabel(text: string, place: string): LabelledResponse {
  try {
    const value = JSON.parse(text) as LabelledResponse;
    const whole = value.steps.every(({ end, label }) => Number.isInteger(end) && label >= 0 && label <= 1);
    if (whole && value.tokens.length > 0 && value.steps.at(-1)?.end === value.tokens.length) return value;
  } catch {
    // The one refusal below covers every kind of damage.
  }
  throw new UserError(
    `${place}: label: damaged, wanted a labelled response (delete the run's labels.jsonl to stop using it)`,
  );
}
