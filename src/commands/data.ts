// `mstar data FILE`: what a data set holds, as a page to look at and as JSON.
// Leaves counting and the page to report/dataset.
import { basename, dirname } from 'node:path';
import type { CommandModule } from 'yargs';
import { openFolder } from '../checkpoint/folder.js';
import { UserError } from '../core/errors.js';
import { dataFormats } from '../data/formats/registry.js';
import { describeModel } from '../engine/open.js';
import { writeDurable } from '../run/durable.js';
import { type DataFlags, dataFlags, readingOf } from './data-flags.js';

interface Arguments extends DataFlags {
  readonly file: string;
  readonly out: string;
  readonly model?: string;
  readonly json?: string;
  readonly sheet: number;
  readonly headersOnly: boolean;
}

const formats = await dataFormats();

const command: CommandModule<object, Arguments> = {
  command: 'data <file>',
  describe: 'what a data set holds: counts, lengths, pictures, what is odd, some problems to look at',
  builder: (yargs) =>
    dataFlags(yargs)
      .positional('file', {
        type: 'string',
        demandOption: true,
        describe: 'data set; its format is told by its contents',
      })
      .option('out', { type: 'string', demandOption: true, describe: 'page to write (HTML, stands alone)' })
      .option('format', {
        choices: formats.map(({ name }) => name),
        describe: formats.map(({ name, description }) => `${name}: ${description}`).join('\n'),
      })
      .option('model', { type: 'string', describe: 'model folder whose tokenizer counts the tokens of the questions' })
      .option('json', { type: 'string', describe: 'the same numbers as JSON' })
      .option('headers-only', {
        type: 'boolean',
        default: false,
        describe: 'do not decode the pictures: faster, and one that is cut off passes',
      })
      .option('sheet', { type: 'number', default: 24, describe: 'problems to show' })
      .example('$0 data train_samples_all_tuning.json --image-root data_images --out data.html', 'MathV360K')
      .example('$0 data MMBench_DEV_EN_V11.tsv --out mmbench.html', 'pictures inside the file') as never,
  async handler({ file, out, model, json, sheet, headersOnly, ...flags }) {
    if (!Number.isInteger(sheet) || sheet < 0 || sheet > 500)
      throw new UserError(`--sheet: ${sheet}, wanted a whole number up to 500`);
    const countTokens = model === undefined ? undefined : await tokenCounter(model);
    // Charts take long to load: only programs that write a page pay for them.
    const [{ takeCensus }, { datasetPage }] = await Promise.all([
      import('../report/dataset/census.js'),
      import('../report/dataset/page.js'),
    ]);
    let said = performance.now();
    const started = said;
    const onProgress = (problems: number): void => {
      const now = performance.now();
      if (now - said < 2000) return;
      said = now;
      console.error(
        `${problems.toLocaleString('en-US')} problems, ${Math.round((problems / (now - started)) * 1000).toLocaleString('en-US')} a second`,
      );
    };
    const { census, sample } = await takeCensus(file, {
      imageRoot: dirname(file),
      ...readingOf(flags),
      sheet,
      headersOnly,
      onProgress,
      ...(countTokens && { countTokens }),
    });
    await writeDurable(out, await datasetPage(basename(file), census, sample));
    if (json !== undefined) await writeDurable(json, `${JSON.stringify(census, null, 2)}\n`);
    const { problems, pictures, repeats, notes, warnings, seconds } = census;
    console.log(
      `${problems.toLocaleString('en-US')} problems, ${pictures.distinct.toLocaleString('en-US')} different pictures (${pictures.missing} missing, ${pictures.unreadable} unreadable), ${repeats.same} repeated with the same answer, ${repeats.conflicting} with another, ${warnings.count} odd records, in ${seconds.toFixed(1)} s`,
    );
    for (const line of notes) console.log(line);
    console.log(`page: ${out}`);
    // The page is whole; the data set is not.
    if (pictures.missing + pictures.unreadable > 0) process.exitCode = 1;
  },
};

async function tokenCounter(model: string): Promise<(text: string) => number> {
  const { tokenizer } = await describeModel(await openFolder(model));
  return (text) => tokenizer.encode(text).length;
}

export default command;
