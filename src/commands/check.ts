// `mstar check [--model] DIR`: loads a model folder and, if asked, a data set with its pictures; writes nothing.
import { flagOf } from '../config/sample.js';
import { UserError } from '../core/errors.js';
import type { ModelSummary } from '../engine/check.js';
import { type CheckedData, check as checkJob } from '../jobs/check.js';
import { inputName, rootOf, withInput } from './input.js';
import { displayOf, printResult, verb } from './result.js';
import { dataFlags, limitsOf, pictureFlags, readingOf } from './sample-flags.js';

export default verb({
  command: 'check [model]',
  describe: 'load a checkpoint, and a data set if given, run one tiny forward, write nothing',
  builder: (yargs) =>
    pictureFlags(dataFlags(yargs))
      .positional('model', { type: 'string', describe: 'model folder in Hugging Face form, or hf:ORG/NAME' })
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
      .example('$0 check InternVL2-2B --device cuda', 'does the GPU compute?'),
  async handler({ model: dir, data, device, maxImagePixels, ...flags }) {
    const reading = readingOf(flags);
    const limits = limitsOf(flags);
    const [alone] = Object.keys(reading);
    if (data === undefined && alone !== undefined)
      throw new UserError(`${flagOf(alone)}: given without --data, wanted both or neither`);
    const options = { device, maxImagePixels, ...limits, display: displayOf(flags) };
    const { model, data: read } =
      data === undefined
        ? await checkJob(dir, options)
        : await withInput(data, (file) => checkJob(dir, { ...options, data: { file, ...rootOf(data), ...reading } }));
    const { lines = [], ...counts } = read ?? {};
    if (data !== undefined && read) refuseLong(inputName(data), read, model);
    const count = (value: number): string => value.toLocaleString('en-US');
    printResult(flags, { model, ...(read && { data: counts }) }, [
      `model       ${model.backbone}, ${model.kind}`,
      `parameters  ${count(model.parameters)} as ${model.dtypes.join(' and ')} in ${model.files} file${model.files === 1 ? '' : 's'}`,
      `vocabulary  ${count(model.vocabulary)} tokens`,
      `positions   ${count(model.positions)} of a prompt and its response together`,
      `picture     640 x 480 becomes ${model.tiles} tile${model.tiles === 1 ? '' : 's'}, ${count(model.imageTokens)} tokens`,
      `forward     ${model.forwardTokens} tokens, finite, on ${device}`,
      ...lines.map((line) => `data        ${line}`),
      'ok',
    ]);
  },
});

const MOST_NAMED = 5;

function refuseLong(file: string, { long, problems }: CheckedData, { positions }: ModelSummary): void {
  if (long.length === 0) return;
  const named = `${long.slice(0, MOST_NAMED).join(', ')}${long.length > MOST_NAMED ? ', ...' : ''}`;
  throw new UserError(
    `${file}: prompts: ${long.length} of ${problems} leave no position for a response (${named}), wanted fewer than ${positions} tokens; a run passes over them`,
  );
}
