// `mstar export RUN`: step labels or training examples of a run, as JSON lines for other trainers; its curves; a checkpoint.
import { EXPORT_DTYPES, EXPORTS, exportRun, type MergeLoss } from '../jobs/export.js';
import { printResult, verb } from './result.js';

export default verb({
  command: 'export <run>',
  describe: 'write step labels, training examples or a checkpoint of a run in the forms of other programs',
  builder: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'run folder' })
      .option('as', {
        choices: EXPORTS,
        demandOption: true,
        describe:
          'visualprm: steps_with_score; stepwise: TRL stepwise supervision, hard labels; messages: the responses that were trained on, as conversations; tensorboard: the curves of the run, finished or not; model: a checkpoint as the folder of a model, where it is an adapter (model.adapter) as one of PEFT',
      })
      .option('out', {
        type: 'string',
        demandOption: true,
        describe: 'JSON-lines file to write; for tensorboard the folder of its logs, for a model a new folder',
      })
      .option('checkpoint', {
        type: 'string',
        describe: 'of a model: iter-0004, warmup, prm...; the last iteration’s when left out',
      })
      .option('merge', {
        type: 'boolean',
        describe: 'of a model: add its adapter to the weights of the base, in float32, and write the whole',
      })
      .option('dtype', {
        choices: EXPORT_DTYPES,
        describe: 'of merged weights; as in the files of the base when left out',
      })
      .example('$0 export runs/first --as visualprm --out labels.jsonl', 'soft labels for another PRM trainer')
      .example('$0 export runs/demo --as tensorboard --out logs', 'then tensorboard --logdir logs')
      .example(
        '$0 export runs/lora --as model --merge --out merged',
        'the whole model that an adapter makes of its base',
      ),
  async handler({ run, as, out, checkpoint, merge, dtype, ...flags }) {
    const { file, count, merged } = await exportRun(run, { as, out, checkpoint, merge, dtype });
    const shown = count.toLocaleString('en-US');
    if (as === 'tensorboard') printResult(flags, { scalars: count, file }, [`${shown} scalars: ${file}`]);
    else if (as === 'model')
      printResult(flags, { files: count, file, ...(merged && { merged }) }, [
        `${shown} files: ${file}`,
        ...lossOf(merged),
      ]);
    else printResult(flags, { lines: count, file }, [`${shown} lines: ${file}`], file);
  },
});

/** What rounding took, in words. */
function lossOf(merged: MergeLoss | undefined): string[] {
  if (!merged) return [];
  const { update, lost } = merged;
  if (update === 0) return ['The adapter adds nothing.'];
  const share = ((100 * lost) / update).toPrecision(2);
  return [
    `rounding took ${share} % of what the adapter adds (L2 norm ${lost.toPrecision(3)} of ${update.toPrecision(3)})`,
  ];
}
