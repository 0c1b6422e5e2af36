// The labelled responses that the PRM is not trained on, and prm-held-out.jsonl: what it makes of them.
import { open, readFile } from 'node:fs/promises';
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { random } from '../core/random.js';
import { checked } from '../core/schema.js';
import type { LabelledResponse } from './labels.js';

/** Name of the file in the run folder. */
export const HELD_OUT_FILE = 'prm-held-out.jsonl';

const response = z.object({
  problem: z.string(),
  sample: z.number().int().min(0),
  verdict: z.enum(['correct', 'wrong', 'unreadable']),
  steps: z
    .array(
      z.object({
        end: z.number().int().min(1),
        label: z.number().min(0).max(1),
        score: z.number(),
        right: z.boolean().optional(),
      }),
    )
    .min(1),
});

/** A response as in labels.jsonl, with the score of each step in place of text and tokens. */
export type HeldOutResponse = z.output<typeof response>;

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
  const counts = new Map<string, number>();
  for (const { problem } of labelled) counts.set(problem, (counts.get(problem) ?? 0) + 1);
  const order = random(seed, 'prm/held-out').shuffle([...counts.keys()]);
  const out = new Set<string>();
  let responses = 0;
  for (const problem of order.slice(0, -1)) {
    if (responses >= share * labelled.length) break;
    out.add(problem);
    responses += counts.get(problem) as number;
  }
  return {
    training: labelled.filter(({ problem }) => !out.has(problem)),
    heldOut: labelled.filter(({ problem }) => out.has(problem)),
  };
}

/** Writes the new file `path`. */
export async function writeHeldOut(path: string, responses: readonly HeldOutResponse[]): Promise<void> {
  const handle = await open(path, 'w');
  try {
    await handle.writeFile(responses.map((one) => `${JSON.stringify(one)}\n`).join(''));
  } finally {
    await handle.close();
  }
}

/** @throws UserError on a line that is not a scored response */
export async function readHeldOut(path: string): Promise<HeldOutResponse[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line, i) => {
    const place = `${path}:${i + 1}`;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw new UserError(`${place}: response: damaged, wanted one in JSON`);
    }
    return checked(response, value, place);
  });
}
