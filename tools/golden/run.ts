// Checks a golden folder: a tiny model folder with what the reference code computes on it. What a folder lacks is not
// checked.
import { openFolder } from '#src/checkpoint/folder.js';
import { UserError } from '#src/core/errors.js';
import { checkExtra } from './extras.js';
import { layoutOf } from './layouts.js';
import { checkCase } from './network.js';
import { checkTokenizer } from './prompts.js';
import { type Line, Report } from './report.js';
import { type Compute, withModel } from './session.js';
import { checkPrm, checkSft } from './training.js';

/** Every line of the run, in order; each is given to `print` as it is known. Throws UserError when the folder cannot be read. */
export async function runGolden(
  dir: string,
  print: (line: string) => void,
  compute: Compute = { device: 'cpu', dtype: 'float32' },
): Promise<readonly Line[]> {
  const report = new Report(print, compute.dtype !== 'float32');
  const folder = await openFolder(dir);
  const golden = await withModel(dir, compute, 'none', async (model) => {
    const read = await (await layoutOf(model.backbone)).read(folder, model.backbone);
    const { tokenizer, cases } = read;
    if (tokenizer) await report.attempt(tokenizer.place, () => checkTokenizer(report, model, tokenizer));
    for (const input of cases) await report.attempt(input.place, () => checkCase(report, model, input));
    return read;
  });
  for (const extra of golden.extras)
    await report.attempt(extra.place, () => checkExtra(report, folder, compute, extra));
  const { sft, prm } = golden;
  // A step changes the model, so each has its own.
  if (sft) {
    const check = () => withModel(dir, compute, 'none', (model) => checkSft(report, model, sft));
    await report.attempt(sft.prompt.place, check);
  }
  if (prm) {
    const check = () => withModel(dir, compute, 'mean', (model) => checkPrm(report, model, prm));
    await report.attempt(prm.prompt.place, check);
  }
  if (report.lines.length === 0) throw new UserError(`${dir}: cases: none, wanted a golden folder`);
  return report.lines;
}
