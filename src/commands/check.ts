// `mstar check [--model] DIR`: loads a model folder and, if asked, a data set with its pictures; writes nothing.
// Leaves the model to engine/check.ts and the records to data/.
import { dirname } from 'node:path';
import type { CommandModule } from 'yargs';
import { resolvePath } from '../config/load.js';
import { openProblems } from '../data/problems.js';
import { checkModel } from '../engine/check.js';
import { PictureStore } from '../images/store.js';
import { isStandardInput, withInput } from './input.js';
import { type CommonFlags, displayOf, printResult } from './result.js';

interface Arguments extends CommonFlags {
  readonly model: string;
  readonly data?: string;
  readonly imageRoot?: string;
  readonly device: 'cpu' | 'cuda';
  readonly maxImagePixels: number;
}

const command: CommandModule<object, Arguments> = {
  command: 'check [model]',
  describe: 'load a checkpoint, and a data set if given, run one tiny forward, write nothing',
  builder: (yargs) =>
    yargs
      .positional('model', { type: 'string', describe: 'model folder in Hugging Face form' })
      .demandOption('model')
      .option('data', { type: 'string', describe: 'data set to read, pictures included; - for standard input' })
      .option('image-root', {
        type: 'string',
        describe: 'folder that holds the pictures; the folder of the data when left out',
      })
      .option('device', { choices: ['cpu', 'cuda'] as const, default: 'cpu' as const, describe: 'where to compute' })
      .option('max-image-pixels', {
        type: 'number',
        default: 50_000_000,
        describe: 'largest picture that is decoded, in pixels',
      })
      .example('$0 check InternVL2-2B', 'is this checkpoint usable?')
      .example('$0 check InternVL2-2B --data problems.json --image-root data_images', 'and this data set?')
      .example('$0 check InternVL2-2B --device cuda', 'does the GPU compute?') as never,
  async handler({ model: dir, data, imageRoot, device, maxImagePixels, ...flags }) {
    const model = await checkModel(resolvePath(dir), { device, dtype: 'float32', threads: 0 });
    const checked =
      data === undefined
        ? undefined
        : await checkData(data, imageRoot ?? (isStandardInput(data) ? '.' : dirname(data)), maxImagePixels, flags);
    const count = (value: number): string => value.toLocaleString('en-US');
    printResult(flags, { model, ...(checked && { data: checked }) }, [
      `model       ${model.backbone}, ${model.kind}`,
      `parameters  ${count(model.parameters)} as ${model.dtypes.join(' and ')} in ${model.files} file${model.files === 1 ? '' : 's'}`,
      `vocabulary  ${count(model.vocabulary)} tokens`,
      `picture     640 x 480 becomes ${model.tiles} tile${model.tiles === 1 ? '' : 's'}, ${count(model.imageTokens)} tokens`,
      `forward     ${model.forwardTokens} tokens, finite, on ${device}`,
      ...(checked ? [`data        ${checked.problems} problems, ${checked.pictures} pictures`] : []),
      'ok',
    ]);
  },
};

/** Reads every problem and decodes every picture. Throws UserError on the first that cannot be used. */
async function checkData(
  file: string,
  imageRoot: string,
  maxPixels: number,
  flags: CommonFlags,
): Promise<{ problems: number; pictures: number }> {
  const store = new PictureStore({ maxPixels, cacheBytes: 64 * 2 ** 20 });
  const display = displayOf(flags);
  const onWarning = (warning: string): void => display.say(`warning: ${warning}`);
  let problems = 0;
  let pictures = 0;
  await withInput(file, async (input) => {
    for await (const problem of openProblems(input, { imageRoot, onWarning })) {
      for (const source of problem.images) {
        await store.get(source);
        pictures++;
      }
      problems++;
    }
  });
  return { problems, pictures };
}

export default command;
