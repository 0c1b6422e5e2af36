// The true reasoning of generated problems, from the data set of the run.
import { dirname, join } from 'node:path';
import { UserError } from '../../core/errors.js';
import { openProblems } from '../../data/problems.js';
import type { RunData } from './read.js';

/** True steps by problem id, for those of `wanted` that have any; none where the data set is gone or has changed. */
export async function readTruths(
  run: RunData,
  wanted: ReadonlySet<string>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const truths = new Map<string, readonly string[]>();
  const [file, imageRoot] = dataOf(run);
  let left = wanted.size;
  try {
    for await (const { id, truth } of openProblems(file, { imageRoot, onMissingPicture: () => {} })) {
      if (left === 0) break;
      if (!wanted.has(id)) continue;
      left--;
      if (truth) truths.set(id, truth.steps);
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  return truths;
}

function dataOf(run: RunData): [file: string, imageRoot: string] {
  const [file, root] = [run.setting('data.file'), run.setting('data.imageRoot')];
  if (typeof file === 'string') return [file, typeof root === 'string' ? root : dirname(file)];
  return [join(run.dir, 'problems', 'problems.json'), join(run.dir, 'problems', 'data_images')];
}
