// `mstar check [--model] DIR`: loads a model folder and, if asked, a data set with its pictures; writes nothing.
// Leaves the model to engine/check.ts and the records to data/.
import type { CommandModule } from 'yargs';
import { resolvePath } from '../config/load.js';
import { UserError } from '../core/errors.js';
import { Forms, openProblems, type ReadOptions } from '../data/problems.js';
import { checkModel } from '../engine/check.js';
import { PictureStore } from '../images/store.js';
import { type DataFlags, dataFlags, flagOf, readingOf } from './data-flags.js';
import { rootOf, withInput } from './input.js';
import { type CommonFlags, displayOf, printResult } from './result.js';

interface Arguments extends DataFlags, CommonFlags {
  readonly model: string;
  readonly data?: string;
  readonly device: 'cpu' | 'cuda';
  readonly maxImagePixels: number;
}

const command: CommandModule<object, Arguments> = {
  command: 'check [model]',
  describe: 'load a checkpoint, and a data set if given, run one tiny forward, write nothing',
  builder: (yargs) =>
    dataFlags(yargs)
      .positional('model', { type: 'string', describe: 'model folder in Hugging Face form' })
      .demandOption('model')
      .option('data', { type: 'string', describe: 'data set to read, pictures included; - for standard input' })
      .option('device', { choices: ['cpu', 'cuda'] as const, default: 'cpu' as const, describe: 'where to compute' })
      .option('max-image-pixels', {
        type: 'number',
        default: 50_000_000,
        describe: 'largest picture that is decoded, in pixels',
      })
      .example('$0 check InternVL2-2B', 'is this checkpoint usable?')
      .example('$0 check InternVL2-2B --data problems.json --image-root data_images', 'and this data set?')
      .example('$0 check InternVL2-2B --device cuda', 'does the GPU compute?') as never,
  async handler({ model: dir, data, device, maxImagePixels, ...flags }) {
    const reading = readingOf(flags);
    const [alone] = Object.keys(reading);
    if (data === undefined && alone !== undefined)
      throw new UserError(`${flagOf(alone)}: given without --data, wanted both or neither`);
    const model = await checkModel(resolvePath(dir), { device, dtype: 'float32', threads: 0 });
    const checked =
      data === undefined
        ? undefined
        : await checkData(data, { imageRoot: rootOf(data), ...reading }, maxImagePixels, flags);
    const count = (value: number): string => value.toLocaleString('en-US');
    const { lines, ...counts } = checked ?? {};
    printResult(flags, { model, ...(checked && { data: counts }) }, [
      `model       ${model.backbone}, ${model.kind}`,
      `parameters  ${count(model.parameters)} as ${model.dtypes.join(' and ')} in ${model.files} file${model.files === 1 ? '' : 's'}`,
      `vocabulary  ${count(model.vocabulary)} tokens`,
      `picture     640 x 480 becomes ${model.tiles} tile${model.tiles === 1 ? '' : 's'}, ${count(model.imageTokens)} tokens`,
      `forward     ${model.forwardTokens} tokens, finite, on ${device}`,
      ...(lines ?? []).map((line) => `data        ${line}`),
      'ok',
    ]);
  },
};

/** Reads every problem and decodes every picture. Throws UserError on the first that cannot be used. */
async function checkData(file: string, reading: ReadOptions, maxPixels: number, flags: CommonFlags) {
  const store = new PictureStore({ maxPixels, cacheBytes: 64 * 2 ** 20 });
  const forms = new Forms();
  const display = displayOf(flags);
  const onWarning = (warning: string): void => display.say(`warning: ${warning}`);
  let problems = 0;
  let pictures = 0;
  await withInput(file, async (input) => {
    for await (const problem of openProblems(input, { ...reading, onWarning, onFormat: forms.onFormat })) {
      forms.add(problem);
      for (const source of problem.images) {
        await store.get(source);
        pictures++;
      }
      problems++;
    }
  });
  const { format } = forms;
  return {
    format,
    problems,
    pictures,
    lines: [`${format}: ${problems} problems, ${pictures} pictures`, ...forms.lines()],
  };
}

export default command;
