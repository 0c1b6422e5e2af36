// `mstar check <dir>`: loads a model folder and, if asked, a data set with its pictures; writes nothing.
// Leaves the model to engine/check.ts and the records to data/.
import { dirname } from 'node:path';
import type { CommandModule } from 'yargs';
import { UserError } from '../core/errors.js';
import { openProblems } from '../data/problems.js';
import { checkModel } from '../engine/check.js';
import type { Renderer } from '../engine/renderer.js';

interface Arguments {
  readonly dir: string;
  readonly data?: string;
  readonly imageRoot?: string;
  readonly maxImagePixels: number;
  readonly device: 'cpu' | 'cuda';
}

const command: CommandModule<object, Arguments> = {
  command: 'check <dir>',
  describe: 'load a checkpoint, and a data set if given, run one tiny forward, write nothing',
  builder: (yargs) =>
    yargs
      .positional('dir', { type: 'string', demandOption: true, describe: 'model folder in Hugging Face form' })
      .option('data', { type: 'string', describe: 'data set to read, pictures included' })
      .option('image-root', {
        type: 'string',
        describe: 'folder that holds the pictures of --data; the folder of the data when left out',
      })
      .option('device', { choices: ['cpu', 'cuda'], default: 'cpu', describe: 'where the forward is run' })
      .option('max-image-pixels', {
        type: 'number',
        default: 50_000_000,
        describe: 'largest picture that is decoded, in pixels',
      }) as never,
  async handler({ dir, data, imageRoot, maxImagePixels, device }) {
    if (data === undefined && imageRoot !== undefined) {
      throw new UserError('--data: missing, wanted the data set whose pictures are in --image-root');
    }
    let read: DataCount | undefined;
    const model = await checkModel(dir, { device, dtype: 'float32', threads: 0, maxImagePixels }, async (prompts) => {
      if (data !== undefined) read = await countData(data, imageRoot ?? dirname(data), prompts);
    });
    const count = (value: number): string => value.toLocaleString('en-US');
    console.log(`model       ${model.backbone}, ${model.kind}`);
    console.log(
      `parameters  ${count(model.parameters)} as ${model.dtypes.join(' and ')} in ${model.files} file${model.files === 1 ? '' : 's'}`,
    );
    console.log(`vocabulary  ${count(model.vocabulary)} tokens`);
    console.log(`positions   ${count(model.positions)} of a prompt and its response together`);
    console.log(`picture     640 x 480 becomes ${model.tiles} tiles, ${count(model.imageTokens)} tokens`);
    console.log(`forward     ${model.forwardTokens} tokens, finite`);
    if (read) {
      console.log(`data        ${read.problems} problems, ${read.images} pictures`);
      const named = read.long.slice(0, MOST_NAMED).join(', ');
      if (read.long.length > 0) {
        throw new UserError(
          `${data}: prompts: ${read.long.length} of ${read.problems} leave no position for a response (${named}${read.long.length > MOST_NAMED ? ', ...' : ''}), wanted fewer than ${model.positions} tokens; a run passes over them`,
        );
      }
    }
    console.log('ok');
  },
};

const MOST_NAMED = 5;

interface DataCount {
  problems: number;
  images: number;
  /** Problems whose prompt leaves no position for a response. */
  readonly long: string[];
}

/** Reads every problem, decodes every picture and measures every prompt. Throws UserError on the first that cannot be used. */
async function countData(file: string, imageRoot: string, prompts: Renderer): Promise<DataCount> {
  const count: DataCount = { problems: 0, images: 0, long: [] };
  const onWarning = (warning: string): void => console.error(`warning: ${warning}`);
  for await (const problem of openProblems(file, { imageRoot, onWarning })) {
    const { tokens, images } = await prompts.anyPrompt(problem, 'solve');
    count.problems++;
    count.images += images.length;
    if (tokens.length >= prompts.positions) count.long.push(`${problem.id}: ${tokens.length} tokens`);
  }
  return count;
}

export default command;
