// `mstar check <dir>`: loads a model folder and, if asked, a data set with its pictures; writes nothing.
// Leaves the model to engine/check.ts and the records to data/.
import type { CommandModule } from 'yargs';
import { UserError } from '../core/errors.js';
import { printable } from '../core/printable.js';
import { openProblems } from '../data/problems.js';
import { checkModel } from '../engine/check.js';
import { PictureStore } from '../images/store.js';

interface Arguments {
  readonly dir: string;
  readonly data?: string;
  readonly imageRoot?: string;
  readonly maxImagePixels: number;
}

const command: CommandModule<object, Arguments> = {
  command: 'check <dir>',
  describe: 'load a checkpoint, and a data set if given, run one tiny forward, write nothing',
  builder: (yargs) =>
    yargs
      .positional('dir', { type: 'string', demandOption: true, describe: 'model folder in Hugging Face form' })
      .option('data', { type: 'string', describe: 'data set to read, pictures included' })
      .option('image-root', { type: 'string', describe: 'folder that holds the pictures of --data' })
      .option('max-image-pixels', {
        type: 'number',
        default: 50_000_000,
        describe: 'largest picture that is decoded, in pixels',
      }) as never,
  async handler({ dir, data, imageRoot, maxImagePixels }) {
    if ((data === undefined) !== (imageRoot === undefined)) {
      throw new UserError(
        `${data === undefined ? '--data' : '--image-root'}: missing, wanted both --data and --image-root or none`,
      );
    }
    const model = await checkModel(dir, { device: 'cpu', dtype: 'float32', threads: 0 });
    const count = (value: number): string => value.toLocaleString('en-US');
    console.log(`model       ${model.backbone}, ${model.kind}`);
    console.log(
      `parameters  ${count(model.parameters)} as ${model.dtypes.join(' and ')} in ${model.files} file${model.files === 1 ? '' : 's'}`,
    );
    console.log(`vocabulary  ${count(model.vocabulary)} tokens`);
    console.log(`picture     640 x 480 becomes ${model.tiles} tiles, ${count(model.imageTokens)} tokens`);
    console.log(`forward     ${model.forwardTokens} tokens, finite`);
    if (data !== undefined && imageRoot !== undefined)
      console.log(`data        ${await checkData(data, imageRoot, maxImagePixels)}`);
    console.log('ok');
  },
};

/** Reads every problem and decodes every picture. Throws UserError on the first that cannot be used. */
async function checkData(file: string, imageRoot: string, maxPixels: number): Promise<string> {
  const pictures = new PictureStore({ maxPixels, cacheBytes: 64 * 2 ** 20 });
  let problems = 0;
  let images = 0;
  for await (const problem of openProblems(file, {
    imageRoot,
    onWarning: (warning) => console.error(`warning: ${printable(warning)}`),
  })) {
    for (const source of problem.images) {
      await pictures.get(source);
      images++;
    }
    problems++;
  }
  return `${problems} problems, ${images} pictures`;
}

export default command;
