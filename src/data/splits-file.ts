// The split of a run, written down: which problem is in which part, by id.
import { existsSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { makeFolder } from '../core/files.js';
import { readJson } from '../core/json.js';
import { checked } from '../core/schema.js';
import { checkOverlap, type Splits } from './splits.js';

export const SPLITS_FILE = 'splits.json';

/** Writes splits.json into a run folder unless it is there. Throws UserError where two parts share a problem. */
export async function writeSplits(dir: string, seed: number, splits: Splits): Promise<void> {
  checkOverlap({ ...splits });
  const file = join(dir, SPLITS_FILE);
  if (existsSync(file)) return;
  const { labelled, unlabelled, test, validation, outOfDomain } = splits;
  const named = { test, validation, labelled, unlabelled, ...(outOfDomain.length > 0 && { outOfDomain }) };
  const parts = Object.entries(named).map(([name, problems]) => {
    const ids = JSON.stringify(problems.map(({ id }) => id));
    return `  ${JSON.stringify(name)}: { "count": ${problems.length}, "ids": ${ids} }`;
  });
  await makeFolder(dirname(file));
  const handle = await open(`${file}.new`, 'w');
  try {
    await handle.writeFile(`{\n  "seed": ${seed},\n${parts.join(',\n')}\n}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
}

const part = z.object({ count: z.int() });
const counts = z.object({
  labelled: part,
  unlabelled: part,
  validation: part,
  test: part,
  outOfDomain: part.optional(),
});

/** How many problems each part of a run has. Throws UserError where its splits.json is missing or damaged. */
export async function readSplitCounts(dir: string): Promise<Record<keyof Splits, number>> {
  const file = join(dir, SPLITS_FILE);
  const { outOfDomain, ...parts } = checked(counts, await readJson(file), file);
  return {
    labelled: parts.labelled.count,
    unlabelled: parts.unlabelled.count,
    validation: parts.validation.count,
    test: parts.test.count,
    outOfDomain: outOfDomain?.count ?? 0,
  };
}
