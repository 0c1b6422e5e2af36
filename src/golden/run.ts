// Checks a golden folder: a tiny model folder with what the reference code computes on it.
// Leaves the checks themselves to the files beside it. What a folder lacks is not checked.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { checkCase } from './cases.js';
import { checkOverride, checkTiling, checkTokenizer } from './extras.js';
import { exists } from './files.js';
import { type Line, Report } from './report.js';
import { withModel } from './session.js';
import { checkPrm, checkSft } from './training.js';

/** Every line of the run, in order; each is given to `print` as it is known. Throws UserError when the folder cannot be read. */
export async function runGolden(folder: string, print: (line: string) => void): Promise<readonly Line[]> {
  const report = new Report(print);
  const extra = join(folder, 'extra');
  await withModel(folder, 'none', async (model) => {
    const tokenizerCases = join(extra, 'tokenizer_cases.json');
    if (await exists(tokenizerCases)) await checkTokenizer(report, model, tokenizerCases, 'extra/tokenizer');
    const tiling = join(extra, 'tiling_table.json');
    if (await exists(tiling)) await checkTiling(report, model, tiling, 'extra/tiling');
    for (const name of await foldersIn(join(folder, 'cases')))
      await checkCase(report, model, join(folder, 'cases', name), `cases/${name}`);
  });
  for (const name of await foldersIn(extra)) await checkOverride(report, folder, join(extra, name), `extra/${name}`);
  const sft = join(folder, 'sft');
  if (await exists(sft)) await withModel(folder, 'none', (model) => checkSft(report, model, sft, 'sft'));
  const prm = join(folder, 'prm');
  if (await exists(prm)) await withModel(folder, 'mean', (model) => checkPrm(report, model, prm, 'prm'));
  if (report.lines.length === 0) throw new UserError(`${folder}: cases: none, wanted a golden folder`);
  return report.lines;
}

async function foldersIn(dir: string): Promise<string[]> {
  if (!(await exists(dir))) return [];
  const entries = await readdir(dir, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}
