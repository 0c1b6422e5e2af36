// `mstar data FILE`: what a data set holds, printed, as JSON and as a page to look at.
import { UserError } from '../core/errors.js';
import { dataFormats } from '../data/formats/registry.js';
import { describeData } from '../jobs/describe-data.js';
import { inputName, rootOf, withInput } from './input.js';
import { displayOf, printResult, verb } from './result.js';
import { dataFlags, readingOf } from './sample-flags.js';

const formats = await dataFormats();

export default verb({
  command: 'data [data]',
  describe: 'what a data set holds: counts, lengths, pictures, what is odd, some problems to look at',
  builder: (yargs) =>
    dataFlags(yargs)
      .positional('data', {
        type: 'string',
        describe: 'data set; its format is told by its contents; - for standard input',
      })
      .demandOption('data')
      .option('out', { type: 'string', describe: 'page to write (HTML, stands alone)' })
      .option('format', {
        choices: formats.map(({ name }) => name),
        describe: formats.map(({ name, description }) => `${name}: ${description}`).join('\n'),
      })
      .option('model', { type: 'string', describe: 'model folder whose tokenizer counts the tokens of the questions' })
      .option('headers-only', {
        type: 'boolean',
        default: false,
        describe: 'do not decode the pictures: faster, and one that is cut off passes',
      })
      .option('sheet', { type: 'number', default: 24, describe: 'problems to show' })
      .example('$0 data problems.json', 'counts, and what is odd')
      .example('$0 data train_samples_all_tuning.json --image-root data_images --out data.html', 'MathV360K')
      .example('$0 data MMBench_DEV_EN_V11.tsv --out mmbench.html', 'pictures inside the file'),
  async handler({ data: file, out, model, sheet, headersOnly, ...flags }) {
    if (!Number.isInteger(sheet) || sheet < 0 || sheet > 500)
      throw new UserError(`--sheet: ${sheet}, wanted a whole number up to 500`);
    const display = displayOf(flags);
    let said = performance.now();
    const started = said;
    const onProgress = (problems: number): void => {
      const now = performance.now();
      if (now - said < 2000) return;
      said = now;
      display.say(
        `${problems.toLocaleString('en-US')} problems, ${Math.round((problems / (now - started)) * 1000).toLocaleString('en-US')} a second`,
      );
    };
    const name = inputName(file);
    const reading = { ...rootOf(file), ...readingOf(flags), sheet, headersOnly, display };
    const census = await withInput(file, (input) => describeData(input, { ...reading, out, model, name, onProgress }));
    const { problems, pictures, repeats, notes, warnings, seconds } = census;
    const lines = [
      `${census.format}: ${problems.toLocaleString('en-US')} problems, ${pictures.distinct.toLocaleString('en-US')} different pictures (${pictures.missing} missing, ${pictures.unreadable} unreadable), ${repeats.same} repeated with the same answer, ${repeats.conflicting} with another, ${warnings.count} odd records, in ${seconds.toFixed(1)} s`,
      ...[...pictures.examples, ...warnings.examples].map((line) => `  ${line}`),
      ...notes,
      ...(out === undefined ? [] : [`page: ${out}`]),
    ];
    printResult(flags, { ...census, file: name }, lines, out);
    // What is said is whole; the data set is not.
    if (pictures.missing + pictures.unreadable > 0) process.exitCode = 1;
  },
});
