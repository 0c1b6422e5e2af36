// What a data set holds, for programs and for `mstar data`: counts as data and, where it is wanted, a page to look at.
import { basename } from 'node:path';
import { openFolder } from '../checkpoint/folder.js';
import { describeModel } from '../engine/open.js';
import { type FindOptions, findData, findPlace } from '../hub/places.js';
import { checkOutput, writeOutput } from '../run/output.js';
import type { Display } from '../run/terminal.js';
import type { Census, CensusOptions } from '../views/dataset/census.js';

/** What is looked at in a data set, and where the page about it goes. */
export interface DescribeOptions extends Partial<Omit<CensusOptions, 'countTokens'>> {
  /** Page to write (HTML, stands alone). */
  readonly out?: string | undefined;
  /** Model folder whose tokenizer counts the tokens of the questions. */
  readonly model?: string | undefined;
  /** The data set's name on the page; that of its file when left out. */
  readonly name?: string | undefined;
  /** Where a download is shown. */
  readonly display?: Display;
}

/**
 * Reads a data set once, all pictures included unless `headersOnly` is set; pictures lie beside the file unless `imageRoot` is.
 * A picture that is missing or unreadable is counted.
 * @throws UserError on the first record that cannot be used, or where the page must not be written
 */
export async function describeData(file: string, options: DescribeOptions = {}): Promise<Census> {
  const { out, model, name = file, display, ...rest } = options;
  const output = out === undefined ? undefined : { flag: '--out', path: out, others: [file] };
  if (output) await checkOutput(output);
  const countTokens = model === undefined ? undefined : await tokenCounter(model, { display });
  const { file: place, reading } = await findData(file, rest, { display });
  // Charts take long to load: only programs that write a page pay for them.
  const [{ takeCensus }, { describeDataset }, { documentText }] = await Promise.all([
    import('../views/dataset/census.js'),
    import('../views/dataset/page.js'),
    import('../page/document.js'),
  ]);
  const { census, sample } = await takeCensus(place, { ...reading, ...(countTokens && { countTokens }) });
  if (output) {
    const page = documentText(await describeDataset(basename(name), census, sample), output.path);
    await writeOutput(output, (sink) => sink(page));
  }
  return census;
}

async function tokenCounter(model: string, options: FindOptions): Promise<(text: string) => number> {
  const { tokenizer } = await describeModel(await openFolder(await findPlace(model, options)));
  return (text) => tokenizer.encode(text).length;
}
