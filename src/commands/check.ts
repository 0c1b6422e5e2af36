// `mstar check <dir>`: loads a model folder and, if asked, a data set with its pictures; writes nothing.
// Leaves the model to engine/check.ts and the records to data/.
import { dirname } from 'node:path';
import type { CommandModule } from 'yargs';
import { UserError } from '../core/errors.js';
import { Forms, openProblems, type ReadOptions } from '../data/problems.js';
import { checkModel } from '../engine/check.js';
import { PictureStore } from '../images/store.js';
import { type DataFlags, dataFlags, flagOf, readingOf } from './data-flags.js';

interface Arguments extends DataFlags {
  readonly dir: string;
  readonly data?: string;
  readonly maxImagePixels: number;
}

const command: CommandModule<object, Arguments> = {
  command: 'check <dir>',
  describe: 'load a checkpoint, and a data set if given, run one tiny forward, write nothing',
  builder: (yargs) =>
    dataFlags(yargs)
      .positional('dir', { type: 'string', demandOption: true, describe: 'model folder in Hugging Face form' })
      .option('data', { type: 'string', describe: 'data set to read, pictures included' })
      .option('max-image-pixels', {
        type: 'number',
        default: 50_000_000,
        describe: 'largest picture that is decoded, in pixels',
      }) as never,
  async handler({ dir, data, maxImagePixels, ...flags }) {
    const reading = readingOf(flags);
    const [alone] = Object.keys(reading);
    if (data === undefined && alone !== undefined) throw new UserError(`--data: missing beside ${flagOf(alone)}`);
    const model = await checkModel(dir, { device: 'cpu', dtype: 'float32', threads: 0 });
    const count = (value: number): string => value.toLocaleString('en-US');
    console.log(`model       ${model.backbone}, ${model.kind}`);
    console.log(
      `parameters  ${count(model.parameters)} as ${model.dtypes.join(' and ')} in ${model.files} file${model.files === 1 ? '' : 's'}`,
    );
    console.log(`vocabulary  ${count(model.vocabulary)} tokens`);
    console.log(`picture     640 x 480 becomes ${model.tiles} tiles, ${count(model.imageTokens)} tokens`);
    console.log(`forward     ${model.forwardTokens} tokens, finite`);
    if (data !== undefined)
      for (const line of await checkData(data, { imageRoot: dirname(data), ...reading }, maxImagePixels))
        console.log(`data        ${line}`);
    console.log('ok');
  },
};

/** Reads every problem and decodes every picture. Throws UserError on the first that cannot be used. */
async function checkData(file: string, reading: ReadOptions, maxPixels: number): Promise<string[]> {
  const pictures = new PictureStore({ maxPixels, cacheBytes: 64 * 2 ** 20 });
  const forms = new Forms();
  let problems = 0;
  let images = 0;
  const onWarning = (warning: string): void => console.error(`warning: ${warning}`);
  for await (const problem of openProblems(file, { ...reading, onWarning, onFormat: forms.onFormat })) {
    forms.add(problem);
    for (const source of problem.images) {
      await pictures.get(source);
      images++;
    }
    problems++;
  }
  return [`${forms.format}: ${problems} problems, ${images} pictures, ${forms.hinted} hint lines`, ...forms.lines()];
}

export default command;
