// Runs side by side for a program or `mstar runs --compare`: as data and, where it is wanted, as a page.
import { writeOutput } from '../run/output.js';
import { type Comparison, compareRuns as compare, readRuns } from '../views/compare/comparison.js';

/** What a comparison of runs writes. */
export interface CompareOptions {
  /** Page to write, with the curves of the runs over each other. */
  readonly html?: string;
}

/**
 * The settings in which 2 to 8 runs differ, finished or not, and their test accuracies by checkpoint.
 * @throws UserError on another number of folders, or one that holds no run
 */
export async function compareRuns(folders: readonly string[], { html }: CompareOptions = {}): Promise<Comparison> {
  const runs = await readRuns(folders);
  if (html !== undefined) {
    // Charts take longer to load than the rest: only who wants them pays.
    const [{ describeComparison }, { documentText }] = await Promise.all([
      import('../views/compare/page.js'),
      import('../page/document.js'),
    ]);
    const page = documentText(describeComparison(runs), html);
    await writeOutput({ flag: '--html', path: html }, (sink) => sink(page));
  }
  return compare(runs);
}
